// Where a mount goes: destinations that are missing, links, files, and sources that are relative. config.md, "Mounts".
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class MountTarget : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(rig.path("data"));
    write_file(rig.path("data/file"), "of the host\n");
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Rig rig;
};

TEST_F(MountTarget, AMissingDirectoryIsMadeWithItsParents) {
  add_mount(rig, "/deep/er/est", "bind", rig.path("data"), {"bind"});
  EXPECT_EQ(rig.run("cat /deep/er/est/file; stat -c %a /deep/er").out, "of the host\n755\n");
}

TEST_F(MountTarget, AMissingFileIsMadeForAFile) {
  add_mount(rig, "/deep/er/name", "bind", rig.path("data/file"), {"bind"});
  EXPECT_EQ(rig.run("cat /deep/er/name; test -f /deep/er/name && echo file").out, "of the host\nfile\n");
}

TEST_F(MountTarget, AFileIsBoundOverAFile) {
  add_mount(rig, "/etc/passwd", "bind", rig.path("data/file"), {"bind", "ro"});
  EXPECT_EQ(rig.run("cat /etc/passwd").out, "of the host\n");
}

// "source: ... relative paths are relative to the bundle".
TEST_F(MountTarget, ARelativeSourceIsRelativeToTheBundle) {
  fs::create_directories(rig.bundle() + "/of_bundle");
  write_file(rig.bundle() + "/of_bundle/file", "of the bundle\n");
  add_mount(rig, "/work", "bind", "of_bundle", {"bind"});
  EXPECT_EQ(rig.run("cat /work/file").out, "of the bundle\n");
}

TEST_F(MountTarget, AnAbsoluteLinkAtTheDestinationIsResolvedInsideTheRootfs) {
  fs::create_symlink("/work", rig.rootfs() + "/link");
  add_mount(rig, "/link", "bind", rig.path("data"), {"bind"});
  EXPECT_EQ(rig.run("cat /work/file").out, "of the host\n");
}

TEST_F(MountTarget, ALinkThatClimbsOutStaysInside) {
  fs::create_symlink("../../../../../../../../work", rig.rootfs() + "/etc/climb");
  add_mount(rig, "/etc/climb", "bind", rig.path("data"), {"bind"});
  EXPECT_EQ(rig.run("cat /work/file").out, "of the host\n");
}

TEST_F(MountTarget, AMissingTargetBehindALinkIsMadeInsideTheRootfs) {
  const std::string outside = rig.path("outside");
  fs::create_symlink(outside, rig.rootfs() + "/link");
  add_mount(rig, "/link/new", "bind", rig.path("data"), {"bind"});
  EXPECT_EQ(rig.run("cat " + outside + "/new/file").out, "of the host\n");
  EXPECT_FALSE(fs::exists(outside));
}

TEST_F(MountTarget, DotsInTheDestinationDoNotLeaveTheRootfs) {
  add_mount(rig, "/../../work/./x", "bind", rig.path("data"), {"bind"});
  EXPECT_EQ(rig.run("cat /work/x/file").out, "of the host\n");
}

TEST_F(MountTarget, ALinkAsASourceIsFollowedOnTheHost) {
  fs::create_symlink("data", rig.path("link"));
  add_mount(rig, "/work", "bind", rig.path("link"), {"bind"});
  EXPECT_EQ(rig.run("cat /work/file").out, "of the host\n");
}

TEST_F(MountTarget, OldKindsOfPathsBelowProcMayBeCovered) {
  add_mount(rig, "/proc/uptime", "bind", rig.path("data/file"), {"bind"});
  EXPECT_EQ(rig.run("cat /proc/uptime").out, "of the host\n");
}

}  // namespace
}  // namespace skiff::rig
