#include "compose/volume.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "compose/container.h"
#include "compose/volume_parts.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/xattr.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

class VolumeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    places_ = {.data = directory_.path() + "/state", .run = directory_.path() + "/state/run"};
    ASSERT_TRUE(make_places(places_));
    ASSERT_TRUE(kernel::make_parents(rootfs() + "/srv/data/deep/", 0755));
  }

  [[nodiscard]] std::string rootfs() const { return directory_.path() + "/rootfs"; }
  [[nodiscard]] kernel::Fd open_rootfs() const { return kernel::open(rootfs(), O_PATH | O_DIRECTORY).value(); }
  [[nodiscard]] VolumeRecord make(const std::string &name) const {
    const Result<MadeVolume> made = create_volume(places_, {.name = name});
    EXPECT_TRUE(made) << made.error().message();
    return made ? made->record : VolumeRecord{};
  }
  [[nodiscard]] Result<std::string> use(const VolumeRecord &volume, const Mount &mount) const {
    return use_volume(places_, volume, mount, open_rootfs());
  }

  TemporaryDirectory directory_;
  Places places_;
};

Mount mount_at(const std::string &target) {
  Mount mount;
  mount.target = target;
  return mount;
}

TEST_F(VolumeTest, IsMadeOnceAndFoundByItsName) {
  EXPECT_TRUE(create_volume(places_, {.name = "data"})->made);
  EXPECT_FALSE(create_volume(places_, {.name = "data"})->made);
  EXPECT_EQ(find_volume(places_, "nonesuch").error().number, ENOENT);
  EXPECT_EQ(list_volumes(places_)->size(), 1);
  EXPECT_FALSE(create_volume(places_, {.name = "../../etc"}));
  EXPECT_TRUE(remove_volume(places_, "data"));
  EXPECT_TRUE(remove_volume(places_, "data"));
  EXPECT_TRUE(list_volumes(places_)->empty());
}

TEST_F(VolumeTest, AnEmptyOneGetsWhatTheImageHasWithOwnerModeLinksAndAttributes) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files to others";
  const std::string data = rootfs() + "/srv/data";
  ASSERT_TRUE(replace_file(data + "/deep/file", "content", 0640));
  ASSERT_TRUE(kernel::fchownat(kernel::cwd, data + "/deep/file", 999, 998));
  ASSERT_TRUE(kernel::linkat(kernel::cwd, data + "/deep/file", kernel::cwd, data + "/again"));
  ASSERT_TRUE(kernel::symlinkat("/etc/passwd", kernel::cwd, data + "/link"));
  ASSERT_TRUE(kernel::mknodat(kernel::cwd, data + "/pipe", S_IFIFO | 0600, 0));
  ASSERT_TRUE(kernel::fsetxattr(*kernel::open(data, O_RDONLY), "trusted.skiff", "kept"));
  ASSERT_TRUE(kernel::fchownat(kernel::cwd, data, 999, 998));
  ASSERT_TRUE(kernel::fchmodat(kernel::cwd, data, 01770));
  const Result<std::string> path = use(make("data"), mount_at("/srv/data"));
  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(*read_if_there(*path + "/deep/file"), "content");
  const struct stat top = *kernel::fstatat(kernel::cwd, *path);
  EXPECT_EQ(top.st_mode, S_IFDIR | 01770U);
  EXPECT_EQ(top.st_uid, 999);
  EXPECT_EQ(top.st_gid, 998);
  const struct stat file = *kernel::fstatat(kernel::cwd, *path + "/deep/file");
  EXPECT_EQ(file.st_mode, S_IFREG | 0640U);
  EXPECT_EQ(file.st_uid, 999);
  EXPECT_EQ(file.st_ino, kernel::fstatat(kernel::cwd, *path + "/again")->st_ino);
  EXPECT_EQ(*kernel::readlinkat(kernel::cwd, *path + "/link"), "/etc/passwd");
  EXPECT_TRUE(S_ISFIFO(kernel::fstatat(kernel::cwd, *path + "/pipe")->st_mode));
  EXPECT_EQ(kernel::fgetxattr(*kernel::open(*path, O_RDONLY), "trusted.skiff")->value_or(""), "kept");
}

TEST_F(VolumeTest, OneThatHasSomethingOrIsNotToBeFilledStaysAsItIs) {
  ASSERT_TRUE(replace_file(rootfs() + "/srv/data/file", "image"));
  const std::string full = *use(make("full"), mount_at("/srv/data/deep"));
  ASSERT_TRUE(replace_file(full + "/file", "mine"));
  EXPECT_TRUE(use(make("full"), mount_at("/srv/data")));
  EXPECT_EQ(*read_if_there(full + "/file"), "mine");
  Mount no_copy = mount_at("/srv/data");
  no_copy.no_copy = true;
  EXPECT_EQ(*read_if_there(*use(make("empty"), no_copy) + "/file"), "");
}

TEST_F(VolumeTest, ALinkOfTheImageLeadsNowhereButIntoTheImage) {
  ASSERT_TRUE(kernel::make_parents(directory_.path() + "/outside/", 0755));
  ASSERT_TRUE(replace_file(directory_.path() + "/outside/file", "secret"));
  ASSERT_TRUE(kernel::symlinkat(directory_.path() + "/outside", kernel::cwd, rootfs() + "/out"));
  const Result<std::string> path = use(make("data"), mount_at("/out"));
  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(*read_if_there(*path + "/file"), "");
}

TEST_F(VolumeTest, AHalfMadeCopyIsMadeAnew) {
  ASSERT_TRUE(replace_file(rootfs() + "/srv/data/file", "image"));
  const VolumeRecord volume = make("data");
  // What a killed command leaves.
  ASSERT_TRUE(kernel::make_parents(volume_path(places_, volume) + ".new/half/", 0700));
  const std::string path = *use(volume, mount_at("/srv/data"));
  EXPECT_EQ(*read_if_there(path + "/file"), "image");
  EXPECT_FALSE(kernel::faccessat(kernel::cwd, path + "/half", F_OK));
}

TEST_F(VolumeTest, ASubpathIsInsideTheVolume) {
  const VolumeRecord volume = make("data");
  ASSERT_TRUE(kernel::make_parents(volume_path(places_, volume) + "/deep/", 0755));
  MountRecord mount;
  mount.name = "data";
  mount.source = volume_path(places_, volume);
  EXPECT_EQ(*volume_source(places_, "id", mount, 0), mount.source);
  mount.subpath = "deep";
  EXPECT_TRUE(volume_source(places_, "id", mount, 0));
  mount.subpath = "../..";
  EXPECT_EQ(volume_source(places_, "id", mount, 0).error().number, EXDEV);
  mount.subpath = "nonesuch";
  EXPECT_EQ(volume_source(places_, "id", mount, 0).error().number, ENOENT);
  ASSERT_TRUE(kernel::symlinkat("/etc", kernel::cwd, volume_path(places_, volume) + "/link"));
  mount.subpath = "link";
  EXPECT_EQ(volume_source(places_, "id", mount, 0).error().number, ELOOP);
}

TEST_F(VolumeTest, ADirectoryOfTheHostMayStandForOne) {
  const Result<MadeVolume> made = create_volume(
      places_, {.name = "host", .options = {{"type", "none"}, {"o", "bind"}, {"device", directory_.path()}}});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(*use(made->record, mount_at("/nonesuch")), directory_.path());
  EXPECT_TRUE(remove_volume(places_, "host"));
  EXPECT_TRUE(kernel::faccessat(kernel::cwd, rootfs(), F_OK));
}

TEST_F(VolumeTest, ADeviceIsMountedWhenItIsUsedAndUnmountedWhenItIsReleased) {
  if (::geteuid() != 0) GTEST_SKIP() << "mount(8) needs root";
  const Result<MadeVolume> made = create_volume(
      places_, {.name = "ram", .options = {{"type", "tmpfs"}, {"o", "size=1m,uid=7"}, {"device", "tmpfs"}}});
  ASSERT_TRUE(made) << made.error().message();
  const Result<std::string> path = use(made->record, mount_at("/nonesuch"));
  ASSERT_TRUE(path) << path.error().message();
  EXPECT_EQ(kernel::fstatat(kernel::cwd, *path)->st_uid, 7);
  EXPECT_TRUE(release_volume(places_, "ram", ""));
  EXPECT_EQ(kernel::fstatat(kernel::cwd, *path)->st_uid, 0);
  EXPECT_TRUE(remove_volume(places_, "ram"));
}

TEST_F(VolumeTest, OptionsThatTheLocalDriverLacksAreNamed) {
  EXPECT_TRUE(create_volume(places_, {.name = "v", .options = {{"colour", "red"}}}).error().text.contains("colour"));
  EXPECT_TRUE(create_volume(places_, {.name = "v", .driver = "nfs"}).error().text.contains("no driver nfs"));
}

TEST_F(VolumeTest, ContainersThatUseItAreNamed) {
  (void)make("data");
  ContainerRecord record;
  record.id = *make_id();
  record.name = "web";
  record.ready = true;
  record.mounts = {{.kind = Mount::Kind::volume, .name = "data", .source = {}, .target = "/data"}};
  ASSERT_TRUE(kernel::make_parents(places_.directory(record.id) + "/", 0711));
  ASSERT_TRUE(save_record(places_, record));
  EXPECT_EQ(*users_of_volume(places_, "data"), std::vector<std::string>{"web"});
}

}  // namespace
}  // namespace skiff::compose
