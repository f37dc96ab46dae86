#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class MountFlags : public ::testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  FlagRig rig;
};

TEST_F(MountFlags, VolumeBindsADirectoryOfTheHost) {
  const std::string shared = rig.directory("shared");
  EXPECT_PRINTS(rig.run({"--volume", shared + ":/data"}, "echo inside > /data/file; echo done"), "done\n");
  EXPECT_EQ(read_file(shared + "/file"), "inside\n");
  EXPECT_PRINTS(rig.run({"-v", shared + ":/data:ro"}, "cat /data/file; touch /data/x 2>/dev/null || echo refused"),
                "inside\nrefused\n");
}

TEST_F(MountFlags, VolumeMakesTheHostsDirectoryAndMountDoesNot) {
  EXPECT_PRINTS(rig.run({"-v", rig.path("new/deep") + ":/data"}, "touch /data/x && echo made"), "made\n");
  EXPECT_TRUE(fs::exists(rig.path("new/deep/x")));
  const Outcome refused = rig.run({"--mount", "type=bind,src=" + rig.path("absent") + ",dst=/data"}, "true");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("volumes: /data: "), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("create it, or correct the path"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(rig.path("absent")));
}

TEST_F(MountFlags, ANamedVolumeIsItsDirectory) {
  EXPECT_PRINTS(rig.run({"-v", "data:/data"}, "echo kept > /data/file"), "");
  EXPECT_PRINTS(rig.run({"--mount", "source=data,target=/other,readonly"}, "cat /other/file; touch /other/x 2>&1"),
                "kept\ntouch: /other/x: Read-only file system\n");
  EXPECT_PRINTS(rig.run({"-v", "/anonymous"}, "grep -c ' /anonymous ' /proc/self/mountinfo"), "1\n");
}

TEST_F(MountFlags, ReadOnlyReachesTheMountsBelowUnlessItIsToldNotTo) {
  const std::string outer = rig.directory("outer");
  const std::string inner = rig.directory("outer/inner");
  ASSERT_EQ(::mount("tmpfs", inner.c_str(), "tmpfs", 0, nullptr), 0);
  const std::string mount = "type=bind,src=" + outer + ",dst=/data,readonly";
  const std::string script = "touch /data/inner/x 2>/dev/null && echo written || echo refused";
  EXPECT_PRINTS(rig.run({"--mount", mount}, script), "refused\n");
  EXPECT_PRINTS(rig.run({"--mount", mount + ",bind-recursive=writable"}, script), "written\n");
  EXPECT_PRINTS(rig.run({"--mount", mount + ",bind-recursive=disabled"}, "ls /data/inner"), "");
  EXPECT_PRINTS(rig.run({"--mount", mount + ",bind-recursive=disabled"}, "grep -c /data/inner /proc/self/mountinfo"),
                "0\n");
  ::umount(inner.c_str());
}

TEST_F(MountFlags, PropagationIsWhatIsAsked) {
  const std::string shared = rig.directory("shared");
  const std::string script = "grep ' /data ' /proc/self/mountinfo | cut -d' ' -f7 | cut -d: -f1";
  EXPECT_PRINTS(rig.run({"-v", shared + ":/data"}, script), "-\n");
  ASSERT_EQ(::mount(shared.c_str(), shared.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, shared.c_str(), nullptr, MS_SHARED, nullptr), 0);
  EXPECT_PRINTS(rig.run({"-v", shared + ":/data:rslave"}, script), "master\n");
  EXPECT_PRINTS(rig.run({"-v", shared + ":/data:rshared"}, script), "shared\n");
  ::umount(shared.c_str());
}

TEST_F(MountFlags, OptionsOfAVolumeHold) {
  const std::string shared = rig.directory("shared");
  fs::copy_file("/bin/busybox", shared + "/busybox");
  EXPECT_PRINTS(rig.run({"-v", shared + ":/data:noexec"}, "/data/busybox true 2>/dev/null || echo $?"), "126\n");
  EXPECT_PRINTS(
      rig.run({"-v", shared + ":/data:nosuid,nodev"}, "grep ' /data ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1-3"),
      "rw,nosuid,nodev\n");
}

TEST_F(MountFlags, TmpfsIsEmptyLimitedAndWithoutPrograms) {
  EXPECT_PRINTS(rig.run({"--tmpfs", "/scratch:size=64k,mode=1770"},
                        "stat -c %a /scratch; grep ' /scratch ' /proc/mounts | tr , '\\n' | grep -c -e noexec -e "
                        "nosuid -e nodev -e size=64k"),
                "1770\n4\n");
  EXPECT_PRINTS(rig.run({"--tmpfs", "/scratch:exec"}, "cp /bin/busybox /scratch/busybox; /scratch/busybox echo ran"),
                "ran\n");
  EXPECT_PRINTS(rig.run({"--mount", "type=tmpfs,dst=/scratch,tmpfs-size=64k,tmpfs-mode=700"},
                        "stat -c %a /scratch; dd if=/dev/zero of=/scratch/x bs=1k count=100 2>/dev/null || echo full"),
                "700\nfull\n");
}

TEST_F(MountFlags, WhatLiesInAnotherMountComesAfterIt) {
  const std::string outer = rig.directory("outer");
  const std::string inner = rig.directory("inner");
  write_file(inner + "/file", "inner\n");
  EXPECT_PRINTS(rig.run({"-v", inner + ":/a/b", "-v", outer + ":/a"}, "cat /a/b/file"), "inner\n");
}

TEST_F(MountFlags, ReadOnlyLeavesWritableWhatProgramsNeed) {
  fs::create_directories(rig.rig().rootfs() + "/run");
  write_file(rig.rig().rootfs() + "/run/kept", "image\n");
  EXPECT_PRINTS(
      rig.run({"--read-only"},
              "touch /x 2>/dev/null || echo refused; touch /tmp/x /run/x /dev/shm/x && echo written; cat /run/kept"),
      "refused\nwritten\nimage\n");
  EXPECT_FALSE(fs::exists(rig.rig().rootfs() + "/tmp/x"));
  EXPECT_PRINTS(rig.run({}, "touch /x && echo written"), "written\n");
}

TEST_F(MountFlags, ShmSizeIsTheSizeOfDevShm) {
  EXPECT_PRINTS(rig.run({"--shm-size", "1m"}, "grep ' /dev/shm ' /proc/mounts | tr ', ' '\\n' | grep size"),
                "size=1024k\n");
}

TEST_F(MountFlags, NameFilesAreBoundAndSecretsCannotBeWritten) {
  write_file(rig.path("hosts"), "127.0.0.1 me\n");
  write_file(rig.path("secret"), "hush\n");
  rig.context.hosts_file = rig.path("hosts");
  rig.context.files = {{.target = "/run/secrets/key", .path = rig.path("secret"), .read_only = true}};
  EXPECT_PRINTS(
      rig.run({}, "cat /etc/hosts /run/secrets/key; echo x > /run/secrets/key || echo refused; echo y >> /etc/hosts"),
      "127.0.0.1 me\nhush\nrefused\n");
  EXPECT_EQ(read_file(rig.path("secret")), "hush\n");
  EXPECT_EQ(read_file(rig.path("hosts")), "127.0.0.1 me\ny\n");
  EXPECT_PRINTS(rig.run({"--read-only", "--tmpfs", "/run"},
                        "cat /run/secrets/key; echo z 2>/dev/null >> /etc/hosts || echo refused"),
                "hush\nrefused\n");
}

TEST_F(MountFlags, ADirectoryOfTheImageIsAVolumeWhereTheCallerGivesOne) {
  rig.context.volumes = {{.target = "/var/lib/data", .path = rig.directory("image-volume"), .read_only = false}};
  EXPECT_PRINTS(rig.run({}, "touch /var/lib/data/x && echo written"), "written\n");
  EXPECT_TRUE(fs::exists(rig.path("image-volume/x")));
}

}  // namespace
}  // namespace skiff::rig
