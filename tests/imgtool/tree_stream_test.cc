#include "imgtool/tree_stream.h"

#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

class TreeStreamTest : public LayerTest {
 protected:
  [[nodiscard]] static kernel::Fd open_directory(const std::string &path) {
    Result<kernel::Fd> opened = kernel::open(path, O_RDONLY | O_DIRECTORY);
    EXPECT_TRUE(opened) << path;
    return opened ? std::move(*opened) : kernel::Fd();
  }
  [[nodiscard]] std::string sent(const SentTree &tree) const {
    std::string bytes;
    const Status done = send_tree(open_directory(top_), tree, [&](std::span<const char> more) {
      bytes.append(more.data(), more.size());
      return Status();
    });
    EXPECT_TRUE(done) << done.error().message();
    return bytes;
  }
  // "" or the error.
  [[nodiscard]] std::string receive(const std::string &bytes, const CopyRules &rules = {}) const {
    const auto received = receive_tree(bytes_of(bytes), open_directory(top_), rules);
    return received ? "" : received.error().message();
  }
};

TEST_F(TreeStreamTest, ANameComesOutUnderAnotherWithItsHardLinks) {
  ASSERT_EQ(apply({directory("d"), file("d/a", "a"), hard_link("d/b", "d/a"), symlink("d/l", "../../x")}), "");
  ASSERT_EQ(receive(sent({.name = "d", .as = "new"})), "");
  EXPECT_EQ(text("new/a"), "a");
  EXPECT_EQ(status("new/a").st_ino, status("new/b").st_ino);
  EXPECT_TRUE(S_ISLNK(status("new/l").st_mode));
}

TEST_F(TreeStreamTest, WhatIsInADirectoryComesOutAtTheTop) {
  ASSERT_EQ(apply({directory("d"), file("d/a", "a"), file("a", "old")}), "");
  const mode_t before = status(".").st_mode;
  ASSERT_EQ(receive(sent({.name = "d", .as = "."})), "");
  EXPECT_EQ(text("a"), "a");
  EXPECT_EQ(status(".").st_mode, before);
}

TEST_F(TreeStreamTest, NoNameIsAWhiteout) {
  ASSERT_EQ(apply({file("kept", "kept")}), "");
  EXPECT_EQ(receive(archive({file(".wh.kept", "text"), file(".wh..wh..opq", "text")})), "");
  EXPECT_EQ(text("kept"), "kept");
  EXPECT_EQ(text(".wh.kept"), "text");
}

TEST_F(TreeStreamTest, KindsAreNotExchanged) {
  ASSERT_EQ(apply({directory("d"), file("d/inside", "kept"), file("f", "kept"), symlink("l", "d")}), "");
  EXPECT_NE(receive(archive({file("d", "text")})).find("take the place of a directory"), std::string::npos);
  EXPECT_NE(receive(archive({directory("f")})).find("take the place of a file"), std::string::npos);
  EXPECT_NE(receive(archive({directory("l")})).find("take the place of a file"), std::string::npos);
  EXPECT_EQ(text("d/inside"), "kept");
  EXPECT_EQ(text("f"), "kept");
}

// CVE-2018-15664: what was a directory when it was listed is a link when it is read.
TEST_F(TreeStreamTest, NoLinkIsGoneThrough) {
  ASSERT_EQ(apply({directory("home"), directory("home/.ssh")}), "");
  const std::string attack = archive({symlink("data", "home"), file("data/.ssh/keys", "mine")});
  EXPECT_NE(receive(attack).find("a symbolic link stands where a directory has to be"), std::string::npos);
  EXPECT_FALSE(exists("home/.ssh/keys"));
  EXPECT_NE(receive(archive({symlink("out", outside_), file("out/file", "mine")})), "");
  expect_outside_is_whole();
}

TEST_F(TreeStreamTest, LinksThatAreFollowedStayBelowTheTop) {
  ASSERT_EQ(apply({directory("run"), symlink("var", "/run"), symlink("out", outside_)}), "");
  EXPECT_EQ(receive(archive({file("var/pid", "1"), file("out/file", "mine")}), {.owner = {}, .follow_links = true}),
            "");
  EXPECT_EQ(text("run/pid"), "1");
  expect_outside_is_whole();
}

TEST_F(TreeStreamTest, AnOwnerIsEverybodys) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(receive(archive({directory("d"), file("d/a", "a")}), {.owner = CopyRules::Owner{.uid = 7, .gid = 8}}), "");
  EXPECT_EQ(status("d").st_uid, 7U);
  EXPECT_EQ(status("d/a").st_gid, 8U);
}

TEST_F(TreeStreamTest, AnArchiveThatEndsTooEarlyIsAnError) {
  ASSERT_EQ(apply({file("a", std::string(5000, 'a'))}), "");
  const std::string bytes = sent({.name = "a", .as = "b"});
  EXPECT_NE(receive(bytes.substr(0, 3000)), "");
}

}  // namespace
}  // namespace skiff::image
