#include "imgtool/layer.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "imgtool/layer_xattrs.h"
#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

std::string xattr(const std::string &path, const char *name) {
  std::string value(65536, '\0');
  const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
  if (size < 0) return "none";
  value.resize(static_cast<std::size_t>(size));
  return value;
}

TEST_F(LayerTest, FilesLinksAndDirectoriesWithTheirModesAndTimes) {
  Header set_id = file("usr/bin/su", "su");
  set_id.mode = 04755;
  Header precise = file("precise");
  precise.pax = {{"mtime", "1234567890.5"}};
  ASSERT_EQ(apply({directory("usr/", 0755),
                   directory("usr/bin", 02775),
                   set_id,
                   symlink("bin", "usr/bin"),
                   hard_link("usr/bin/sudo", "usr/bin/su"),
                   precise,
                   {.type = '6', .name = "pipe", .mode = 0622}}),
            "");
  EXPECT_EQ(text("bin/su"), "su");
  EXPECT_EQ(status("usr/bin/su").st_mode, S_IFREG | 04755U);
  EXPECT_EQ(status("usr/bin").st_mode, S_IFDIR | 02775U);
  EXPECT_EQ(status("usr/bin").st_mtim.tv_sec, 1'000'000'000) << "although files came into it";
  EXPECT_EQ(status("usr/bin/su").st_ino, status("usr/bin/sudo").st_ino);
  EXPECT_EQ(status("precise").st_mtim.tv_nsec, 500'000'000);
  EXPECT_EQ(status("bin").st_mtim.tv_sec, 1'000'000'000);
  EXPECT_EQ(status("pipe").st_mode, S_IFIFO | 0622U);
  EXPECT_EQ(applied_.entries, 7U);
  EXPECT_TRUE(applied_.implicit_directories.empty());
}

TEST_F(LayerTest, TheDiffIdIsOfAllBytesAlsoBehindTheEnd) {
  const std::string layer = archive({file("a", "x")}) + std::string(5000, '\0');
  ASSERT_EQ(apply(layer), "");
  EXPECT_EQ(applied_.diff_id, digest_of(layer));
  EXPECT_EQ(applied_.bytes, layer.size());
}

TEST_F(LayerTest, TheUmaskDoesNotCount) {
  const mode_t before = ::umask(077);
  const std::string error =
      apply({directory("d", 0777), {.name = "d/f", .mode = 0666}, {.type = '6', .name = "p", .mode = 0666}});
  ::umask(before);
  ASSERT_EQ(error, "");
  EXPECT_EQ(status("d").st_mode, S_IFDIR | 0777U);
  EXPECT_EQ(status("d/f").st_mode, S_IFREG | 0666U);
  EXPECT_EQ(status("p").st_mode, S_IFIFO | 0666U);
}

TEST_F(LayerTest, OwnersAndDevices) {
  if (::geteuid() != 0) GTEST_SKIP() << "chown(2) and mknod(2) need root";
  Header owned = file("owned");
  owned.uid = 1000;
  owned.gid = 1001;
  owned.mode = 06711;
  Header link = symlink("link", "owned");
  link.uid = 5;
  Header device{.type = '3', .name = "null", .mode = 0666, .gid = 7, .major = 1, .minor = 3};
  ASSERT_EQ(apply({owned, link, device, {.type = '4', .name = "disk", .mode = 0660, .major = 259, .minor = 70000}}),
            "");
  EXPECT_EQ(status("owned").st_uid, 1000U);
  EXPECT_EQ(status("owned").st_gid, 1001U);
  EXPECT_EQ(status("owned").st_mode & 07777U, 06711U) << "chown(2) takes set-id bits off";
  EXPECT_EQ(status("link").st_uid, 5U);
  EXPECT_EQ(status("null").st_mode, S_IFCHR | 0666U);
  EXPECT_EQ(status("null").st_rdev, makedev(1, 3));
  EXPECT_EQ(status("null").st_gid, 7U);
  EXPECT_EQ(status("disk").st_rdev, makedev(259, 70000));
}

TEST_F(LayerTest, WhatIsMadeInASetGidDirectoryKeepsItsOwnGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "chown(2) needs root";
  Header shared = directory("shared", 02775);
  shared.gid = 50;
  ASSERT_EQ(apply({shared, file("shared/f"), directory("shared/d", 0700)}), "");
  EXPECT_EQ(status("shared/f").st_gid, 0U);
  EXPECT_EQ(status("shared/d").st_gid, 0U);
  EXPECT_EQ(status("shared/d").st_mode, S_IFDIR | 0700U);
}

TEST_F(LayerTest, IdsAreShiftedAndOneThatIsNotMappedIsAnError) {
  if (::geteuid() != 0) GTEST_SKIP() << "chown(2) needs root";
  options_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 1000}};
  options_.gid_mappings = {{.container_id = 0, .host_id = 200000, .size = 10},
                           {.container_id = 50, .host_id = 7, .size = 1}};
  Header owned = file("a/b/owned");
  owned.uid = 999;
  owned.gid = 50;
  ASSERT_EQ(apply({owned}), "");
  EXPECT_EQ(status("a/b/owned").st_uid, 100999U);
  EXPECT_EQ(status("a/b/owned").st_gid, 7U);
  EXPECT_EQ(status("a/b").st_uid, 100000U) << "implicit directories are root's of the container";
  owned.uid = 1000;
  EXPECT_NE(apply({owned}).find("\"a/b/owned\" (entry 1): its owner 1000:50 is in no id mapping"), std::string::npos);
}

TEST_F(LayerTest, CapabilitiesAndOtherAttributesSurviveChown) {
  if (::geteuid() != 0) GTEST_SKIP() << "security.capability needs root";
  const std::string capability("\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  Header ping = file("ping", "elf");
  ping.uid = 3;
  ping.mode = 04755;
  ping.pax = {{"SCHILY.xattr.security.capability", capability},
              {"SCHILY.xattr.user.note", "n"},
              {"SCHILY.xattr.security.selinux", "host"}};
  ASSERT_EQ(apply({ping}), "");
  EXPECT_EQ(xattr(path("ping"), "security.capability"), capability);
  EXPECT_EQ(xattr(path("ping"), "user.note"), "n");
  EXPECT_EQ(xattr(path("ping"), "security.selinux"), "none");
}

TEST_F(LayerTest, WhatIsThereAlreadyIsReplaced) {
  ASSERT_EQ(apply({file("file", "old"), directory("dir"), file("dir/in", "x"), symlink("link", "dir"),
                   file("keep/below", "y")}),
            "");
  ASSERT_EQ(
      apply({directory("file"), file("dir", "now a file"), file("link", "not through it"), directory("keep", 0700)}),
      "");
  EXPECT_TRUE(S_ISDIR(status("file").st_mode));
  EXPECT_EQ(text("dir"), "now a file");
  EXPECT_EQ(text("link"), "not through it");
  EXPECT_EQ(text("keep/below"), "y") << "two directories are one";
  EXPECT_EQ(status("keep").st_mode & 0777U, 0700U);
}

TEST_F(LayerTest, AnEntryTwiceIsTheLastOne) {
  ASSERT_EQ(apply({file("a", "first"), directory("d"), file("d/x"), file("a", "second"), file("d", "file"),
                   directory("d"), file("d/y", "y")}),
            "");
  EXPECT_EQ(text("a"), "second");
  EXPECT_FALSE(exists("d/x"));
  EXPECT_EQ(text("d/y"), "y");
}

TEST_F(LayerTest, ADirectoryThatIsDescribedAgainLosesItsOldAttributes) {
  Header noted = directory("d");
  noted.pax = {{"SCHILY.xattr.user.note", "n"}};
  ASSERT_EQ(apply({noted}), "");
  if (xattr(path("d"), "user.note") == "none") GTEST_SKIP() << "no user attributes on this filesystem";
  ASSERT_EQ(apply({directory("d")}), "");
  EXPECT_EQ(xattr(path("d"), "user.note"), "none");
}

// A directory that the layer writes into and does not describe keeps its time.
TEST_F(LayerTest, ADirectoryBelowKeepsItsMtime) {
  ASSERT_EQ(apply({directory("etc")}), "");
  ASSERT_EQ(apply({{.name = "etc/new", .mtime = 2'000'000'000}, {.name = "etc/.wh.other"}}), "");
  EXPECT_EQ(status("etc").st_mtim.tv_sec, 1'000'000'000);
}

TEST_F(LayerTest, MissingParentsAreMadeAndReported) {
  ASSERT_EQ(apply({file("a/b/c"), directory("a")}), "");
  EXPECT_EQ(applied_.implicit_directories, std::vector<std::string>{"a/b"});
  EXPECT_EQ(status("a/b").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(status("a/b").st_mtim.tv_sec, 1'000'000'000) << "not the time of the unpacking";
}

TEST_F(LayerTest, AFileInTheWayOfAParentGivesWay) {
  ASSERT_EQ(apply({file("a", "file"), symlink("l", "a")}), "");
  ASSERT_EQ(apply({file("a/b", "x"), file("l/c", "y")}), "");
  EXPECT_EQ(text("a/b"), "x");
  EXPECT_EQ(text("a/c"), "y") << "the link leads to a directory now";
}

TEST_F(LayerTest, ADanglingLinkAsAParentGetsItsTarget) {
  ASSERT_EQ(apply({symlink("var/run", "/run"), file("var/run/pid", "1")}), "");
  EXPECT_EQ(text("run/pid"), "1");
  EXPECT_TRUE(S_ISLNK(status("var/run").st_mode));
}

TEST_F(LayerTest, SparseFilesStaySparse) {
  Header header = file("s", "abcdef");
  header.pax = {{"GNU.sparse.size", "104857600"}, {"GNU.sparse.map", "0,3,52428800,3"}, {"GNU.sparse.name", "s"}};
  ASSERT_EQ(apply({header}), "");
  EXPECT_EQ(status("s").st_size, 104857600);
  EXPECT_LT(status("s").st_blocks, 200);
  std::ifstream in(path("s"));
  in.seekg(52428800);
  std::string three(3, ' ');
  in.read(three.data(), 3);
  EXPECT_EQ(three, "def");
}

TEST_F(LayerTest, WithoutRightsOwnersAreKeptInAnAttribute) {
  options_.rootless = true;
  Header owned = file("owned");
  owned.uid = 1000;
  Header closed = directory("closed", 0555);
  ASSERT_EQ(
      apply({closed, file("closed/in"), owned, {.type = '3', .name = "null", .mode = 0666, .major = 1, .minor = 3}}),
      "");
  EXPECT_EQ(status("owned").st_uid, ::geteuid());
  EXPECT_EQ(status("null").st_mode, S_IFREG | 0666U);
  EXPECT_EQ(status("closed").st_mode & 0777U, 0555U);
  const std::string value = xattr(path("owned"), "user.rootlesscontainers");
  if (value == "none") GTEST_SKIP() << "no user attributes on this filesystem";
  const Result<RootlessOwner> kept = parse_rootless_value(value);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->uid, 1000U);
  EXPECT_EQ(kept->gid, 0U);
  // The bytes that umoci 0.4.7 writes for 1000:0.
  EXPECT_EQ(value, std::string("\x08\xe8\x07\x10\xff\xff\xff\xff\x0f", 9));
}

}  // namespace
}  // namespace skiff::image
