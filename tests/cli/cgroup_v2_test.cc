// A host whose only hierarchy is cgroup v2, staged in a mount namespace of the test's own.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class CgroupV2 : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (fs::exists("/sys/fs/cgroup/cgroup.controllers")) return;
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("none", "/sys/fs/cgroup", "cgroup2", 0, nullptr), 0);
    staged_ = true;
  }
  void TearDown() override {
    EXPECT_CLEAN(rig);
    if (staged_) ::umount2("/sys/fs/cgroup", MNT_DETACH);
  }
  [[nodiscard]] std::string file(const std::string &name) const {
    return read_file("/sys/fs/cgroup" + rig.cgroup() + "/" + name);
  }
  [[nodiscard]] static bool has(const std::string &controller) {
    return (" " + read_file("/sys/fs/cgroup/cgroup.controllers")).find(" " + controller) != std::string::npos;
  }
  Rig rig;

 private:
  bool staged_ = false;
};

TEST_F(CgroupV2, RunGivesTheProgramsExitCode) {
  const Outcome outcome = rig.run("cat /proc/self/cgroup | grep ^0:; exit 3");
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_EQ(outcome.out, "0::/\n");
}

TEST_F(CgroupV2, AContainerLivesThere) {
  const std::string pid = std::to_string(rig.start_waiting());
  EXPECT_NE(file("cgroup.procs").find(pid + "\n"), std::string::npos);
  const Outcome executed = rig.skiff({"exec", rig.id(), "grep", "^0:", "/proc/self/cgroup"});
  EXPECT_EQ(executed.out, "0::/\n") << executed.err;
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  EXPECT_EQ(file("cgroup.freeze"), "1\n");
  EXPECT_EQ(rig.state()["status"], "paused");
  ASSERT_EQ(rig.skiff({"resume", rig.id()}).code, 0);
  EXPECT_EQ(file("cgroup.freeze"), "0\n");
  EXPECT_EQ(rig.state()["status"], "running");
  EXPECT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  ASSERT_TRUE(wait_for_end(std::stoi(pid)));
  const Outcome deleted = rig.skiff({"delete", rig.id()});
  EXPECT_EQ(deleted.code, 0) << deleted.err;
}

TEST_F(CgroupV2, APausedContainerIsDeletedByForce) {
  rig.start_waiting();
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  const Outcome deleted = rig.skiff({"delete", "--force", rig.id()});
  EXPECT_EQ(deleted.code, 0) << deleted.err;
}

// The device rules are a program there: config-linux.md, "Device Cgroup".
TEST_F(CgroupV2, DevicesThatAreNotAllowedAreRefused) {
  rig.config["linux"]["devices"] = {{{"path", "/dev/fuse"}, {"type", "c"}, {"major", 10}, {"minor", 229}}};
  EXPECT_EQ(rig.run("(exec 3< /dev/fuse) 2>/dev/null || echo refused; head -c 1 /dev/zero | wc -c").out,
            "refused\n1\n");
  rig.config["linux"]["resources"]["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rw"}});
  EXPECT_EQ(rig.run("(exec 3< /dev/fuse) && echo opened").out, "opened\n");
}

TEST_F(CgroupV2, TheMountShowsTheContainersOwn) {
  add_mount(rig, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"});
  const Outcome outcome = rig.run("grep -x $$ /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x 2>&1");
  EXPECT_EQ(outcome.out, "1\nmkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n") << outcome.err;
}

// config-linux.md, "Unified".
TEST_F(CgroupV2, UnifiedWritesTheFileThatItNames) {
  rig.config["linux"]["resources"]["unified"] = {{"cgroup.max.depth", "3"}, {"cgroup.max.descendants", "9"}};
  const Outcome created = rig.skiff({"create", rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(file("cgroup.max.depth"), "3\n");
  EXPECT_EQ(file("cgroup.max.descendants"), "9\n");
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
}

TEST_F(CgroupV2, HugePagesAreLimited) {
  if (!has("hugetlb")) GTEST_SKIP() << "no hugetlb controller on the unified hierarchy";
  rig.config["linux"]["resources"]["hugepageLimits"] = {{{"pageSize", "2MB"}, {"limit", 4194304}}};
  const Outcome created = rig.skiff({"create", rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(file("hugetlb.2MB.max"), "4194304\n");
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
}

TEST_F(CgroupV2, ALimitWithoutItsControllerNamesTheField) {
  if (has("memory")) GTEST_SKIP() << "the memory controller is there";
  rig.config["linux"]["resources"]["memory"] = {{"limit", 1 << 26}};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err.substr(0, 36), "skiff: linux.resources.memory.limit:") << outcome.err;
}

TEST_F(CgroupV2, AUserNamespacesRootOwnsWhatIsDelegatedToIt) {
  add_user_namespace(rig);
  add_mount(rig, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  const Outcome outcome =
      rig.run("mkdir /sys/fs/cgroup/x && echo made && rmdir /sys/fs/cgroup/x 2>/dev/null; stat -c %u /sys/fs/cgroup");
  EXPECT_EQ(outcome.out, "made\n0\n") << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
