// linux.resources, read from the files of cgroup v1: config-linux.md, "Control groups".
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class CgroupV1 : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (!fs::exists("/sys/fs/cgroup/memory/cgroup.procs")) GTEST_SKIP() << "this host has no cgroup v1";
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Json &resources() { return rig.config["linux"]["resources"]; }
  void start() {
    const Outcome created = rig.skiff({"create", rig.id()});
    ASSERT_EQ(created.code, 0) << created.err;
  }
  void end() {
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
  [[nodiscard]] std::string file(const std::string &controller, const std::string &name) const {
    return read_file("/sys/fs/cgroup/" + controller + rig.cgroup() + "/" + name);
  }
  Rig rig;
};

TEST_F(CgroupV1, MemoryIsLimited) {
  resources()["memory"] = {{"limit", 64 << 20}, {"reservation", 32 << 20}, {"swappiness", 30}};
  start();
  EXPECT_EQ(file("memory", "memory.limit_in_bytes"), "67108864\n");
  EXPECT_EQ(file("memory", "memory.soft_limit_in_bytes"), "33554432\n");
  EXPECT_EQ(file("memory", "memory.swappiness"), "30\n");
  end();
}

TEST_F(CgroupV1, MemoryAndSwapTogetherAreLimited) {
  if (!fs::exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")) GTEST_SKIP() << "the kernel counts no swap";
  resources()["memory"] = {{"limit", 64 << 20}, {"swap", 96 << 20}};
  start();
  EXPECT_EQ(file("memory", "memory.memsw.limit_in_bytes"), "100663296\n");
  end();
}

TEST_F(CgroupV1, TheOutOfMemoryKillerCanBeSwitchedOff) {
  resources()["memory"] = {{"limit", 64 << 20}, {"disableOOMKiller", true}};
  start();
  EXPECT_NE(file("memory", "memory.oom_control").find("oom_kill_disable 1"), std::string::npos);
  end();
}

TEST_F(CgroupV1, CpuHasSharesQuotaAndPeriod) {
  resources()["cpu"] = {{"shares", 512}, {"quota", 20000}, {"period", 50000}};
  start();
  EXPECT_EQ(file("cpu", "cpu.shares"), "512\n");
  EXPECT_EQ(file("cpu", "cpu.cfs_quota_us"), "20000\n");
  EXPECT_EQ(file("cpu", "cpu.cfs_period_us"), "50000\n");
  end();
}

TEST_F(CgroupV1, CpuHasABurst) {
  resources()["cpu"] = {{"quota", 20000}, {"period", 50000}, {"burst", 10000}};
  start();
  EXPECT_EQ(file("cpu", "cpu.cfs_burst_us"), "10000\n");
  end();
}

TEST_F(CgroupV1, CpusetIsWhatTheConfigurationSays) {
  resources()["cpu"] = {{"cpus", "0"}, {"mems", "0"}};
  rig.start_waiting();
  EXPECT_EQ(file("cpuset", "cpuset.cpus"), "0\n");
  EXPECT_EQ(file("cpuset", "cpuset.mems"), "0\n");
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "nproc"}).out, "1\n");
  end();
}

TEST_F(CgroupV1, PidsAreLimitedAndForkFails) {
  resources()["pids"] = {{"limit", 3}};
  const Outcome outcome = rig.run("for i in 1 2 3 4 5; do sleep 0 & done; wait; true");
  EXPECT_NE(outcome.err.find("can't fork"), std::string::npos) << outcome.err;
  start();
  EXPECT_EQ(file("pids", "pids.max"), "3\n");
  end();
}

TEST_F(CgroupV1, PidsOfMinusOneAreUnlimited) {
  resources()["pids"] = {{"limit", -1}};
  start();
  EXPECT_EQ(file("pids", "pids.max"), "max\n");
  end();
}

TEST_F(CgroupV1, BlockDevicesAreThrottled) {
  const std::string device = [] {
    for (const fs::directory_entry &entry : fs::directory_iterator("/sys/block")) {
      std::string number = read_file(entry.path().string() + "/dev");
      if (!number.starts_with("7:") && !number.empty()) return number.substr(0, number.size() - 1);
    }
    return std::string();
  }();
  if (device.empty()) GTEST_SKIP() << "this host has no block device";
  const int major = std::stoi(device);
  const int minor = std::stoi(device.substr(device.find(':') + 1));
  const auto throttle = [&](int rate) { return Json{{{"major", major}, {"minor", minor}, {"rate", rate}}}; };
  resources()["blockIO"] = {{"throttleReadBpsDevice", throttle(1048576)},
                            {"throttleWriteBpsDevice", throttle(2097152)},
                            {"throttleReadIOPSDevice", throttle(100)},
                            {"throttleWriteIOPSDevice", throttle(200)}};
  start();
  EXPECT_EQ(file("blkio", "blkio.throttle.read_bps_device"), device + " 1048576\n");
  EXPECT_EQ(file("blkio", "blkio.throttle.write_bps_device"), device + " 2097152\n");
  EXPECT_EQ(file("blkio", "blkio.throttle.read_iops_device"), device + " 100\n");
  EXPECT_EQ(file("blkio", "blkio.throttle.write_iops_device"), device + " 200\n");
  end();
}

TEST_F(CgroupV1, TheProcessIsInTheCgroupOfEveryHierarchy) {
  const std::string pid = std::to_string(rig.start_waiting());
  for (const char *controller :
       {"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd"}) {
    if (!fs::exists("/sys/fs/cgroup/" + std::string(controller))) continue;
    EXPECT_NE(file(controller, "cgroup.procs").find(pid + "\n"), std::string::npos) << controller;
  }
  end();
}

TEST_F(CgroupV1, ACgroupMountShowsTheContainersOwnAndNoMore) {
  add_mount(rig, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"});
  resources()["pids"] = {{"limit", 33}};
  const Outcome outcome = rig.run("cat /sys/fs/cgroup/pids/pids.max; mkdir /sys/fs/cgroup/pids/x 2>&1");
  EXPECT_EQ(outcome.out, "33\nmkdir: can't create directory '/sys/fs/cgroup/pids/x': Read-only file system\n")
      << outcome.err;
}

TEST_F(CgroupV1, APathThatIsRelativeStartsAtTheCallers) {
  rig.config["linux"]["cgroupsPath"] = rig.cgroup().substr(1);
  const std::string pid = std::to_string(rig.start_waiting());
  EXPECT_NE(read_file("/proc/" + pid + "/cgroup").find(rig.cgroup() + "\n"), std::string::npos);
  end();
}

}  // namespace
}  // namespace skiff::rig
