#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// The limits are read in the container's own cgroup, mounted below /sys/fs/cgroup.
class ResourceFlags : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (!fs::exists(file("memory", "memory.max")) && !fs::exists(file("memory", "memory.limit_in_bytes"))) {
      GTEST_SKIP() << "needs the memory controller";
    }
  }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  // Of the host's root cgroup, to know what there is.
  [[nodiscard]] std::string file(const std::string &controller, const std::string &name) const {
    return rig.host.cgroup_v2 ? "/sys/fs/cgroup/init.scope/" + name : "/sys/fs/cgroup/" + controller + "/" + name;
  }
  // `cat` of the file of one hierarchy or the other.
  [[nodiscard]] std::string show(const std::string &controller, const std::string &v1, const std::string &v2) const {
    return "cat /sys/fs/cgroup/" + (rig.host.cgroup_v2 ? v2 : controller + "/" + v1);
  }

  FlagRig rig;
};

TEST_F(ResourceFlags, MemoryIsTheLimitAndSwapTwiceOfIt) {
  EXPECT_PRINTS(rig.run({"--memory", "64m"}, show("memory", "memory.limit_in_bytes", "memory.max")), "67108864\n");
  if (!rig.host.swap_accounting) return;
  EXPECT_PRINTS(rig.run({"-m64m"}, show("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")),
                rig.host.cgroup_v2 ? "67108864\n" : "134217728\n");
  EXPECT_PRINTS(
      rig.run({"-m64m", "--memory-swap", "96m"}, show("memory", "memory.memsw.limit_in_bytes", "memory.swap.max")),
      rig.host.cgroup_v2 ? "33554432\n" : "100663296\n");
}

TEST_F(ResourceFlags, MemoryReservationIsSoft) {
  EXPECT_PRINTS(rig.run({"--memory-reservation", "32m"}, show("memory", "memory.soft_limit_in_bytes", "memory.low")),
                "33554432\n");
}

TEST_F(ResourceFlags, SwappinessIsTheControllers) {
  if (rig.host.cgroup_v2) GTEST_SKIP() << "cgroup v2 has no swappiness";
  EXPECT_PRINTS(rig.run({"--memory-swappiness", "7"}, "cat /sys/fs/cgroup/memory/memory.swappiness"), "7\n");
}

TEST_F(ResourceFlags, OomKillCanBeDisabledOnTheOldHierarchyAlone) {
  if (rig.host.cgroup_v2) {
    EXPECT_NE(rig.run({"--oom-kill-disable"}, "true").err.find("cgroup v2 has no such setting"), std::string::npos);
  } else {
    EXPECT_PRINTS(rig.run({"--oom-kill-disable"}, "grep oom_kill_disable /sys/fs/cgroup/memory/memory.oom_control"),
                  "oom_kill_disable 1\n");
  }
}

TEST_F(ResourceFlags, CpusAreAQuota) {
  const auto quota = show("cpu", "cpu.cfs_quota_us", "cpu.max");
  EXPECT_PRINTS(rig.run({"--cpus", "1.5"}, quota), rig.host.cgroup_v2 ? "150000 100000\n" : "150000\n");
  EXPECT_PRINTS(rig.run({"--cpu-quota", "20000", "--cpu-period", "50000"}, quota),
                rig.host.cgroup_v2 ? "20000 50000\n" : "20000\n");
  EXPECT_NE(rig.run({"--cpus", "1", "--cpu-quota", "1000"}, "true").err.find("leave one of them out"),
            std::string::npos);
  EXPECT_NE(rig.run({"--cpus", "0.001"}, "true").err.find("less than 0.01"), std::string::npos);
}

TEST_F(ResourceFlags, SharesAndWeightAreOneMeasureEachHierarchy) {
  const auto shares = show("cpu", "cpu.shares", "cpu.weight");
  EXPECT_PRINTS(rig.run({"--cpu-shares", "2048"}, shares), rig.host.cgroup_v2 ? "174\n" : "2048\n");
  EXPECT_PRINTS(rig.run({"--cpu-weight", "200"}, shares), rig.host.cgroup_v2 ? "200\n" : "2048\n");
}

TEST_F(ResourceFlags, CpusetNamesTheProcessors) {
  EXPECT_PRINTS(rig.run({"--cpuset-cpus", "0", "--cpuset-mems", "0"},
                        "nproc; grep Mems_allowed_list /proc/self/status | tr -d '\\t'"),
                "1\nMems_allowed_list:0\n");
}

TEST_F(ResourceFlags, PidsLimitCountsProcesses) {
  EXPECT_PRINTS(rig.run({"--pids-limit", "20"}, show("pids", "pids.max", "pids.max")), "20\n");
  EXPECT_PRINTS(rig.run({"--pids-limit", "-1"}, show("pids", "pids.max", "pids.max")), "max\n");
  EXPECT_PRINTS(rig.run({}, show("pids", "pids.max", "pids.max")), "2048\n");
}

TEST_F(ResourceFlags, IoLimitsNameTheDevice) {
  const auto in_config = [&](const char *key) {
    return rig.rig().config.at("linux").at("resources").at("blockIO").at(key);
  };
  if (!fs::is_block_file("/dev/loop0")) GTEST_SKIP() << "needs a block device";
  struct stat loop{};
  ASSERT_EQ(::stat("/dev/loop0", &loop), 0);
  const std::string number = std::to_string(major(loop.st_rdev)) + ":" + std::to_string(minor(loop.st_rdev));
  const auto script = show("blkio", "blkio.throttle.read_bps_device", "io.max");
  const Outcome limited = rig.run({"--device-read-bps", "/dev/loop0:1m"}, script);
  EXPECT_NE(limited.out.find(number + (rig.host.cgroup_v2 ? " rbps=1048576" : " 1048576")), std::string::npos)
      << limited.out << limited.err;
  const auto iops =
      rig.run({"--device-write-iops", "/dev/loop0:30"}, show("blkio", "blkio.throttle.write_iops_device", "io.max"));
  EXPECT_NE(iops.out.find(number + (rig.host.cgroup_v2 ? " rbps=max wbps=max riops=max wiops=30" : " 30")),
            std::string::npos)
      << iops.out << iops.err;
  const Outcome write =
      rig.run({"--device-write-bps", "/dev/loop0:2m"}, show("blkio", "blkio.throttle.write_bps_device", "io.max"));
  EXPECT_NE(write.out.find(rig.host.cgroup_v2 ? " wbps=2097152" : number + " 2097152"), std::string::npos)
      << write.out << write.err;
  const Outcome read =
      rig.run({"--device-read-iops", "/dev/loop0:40"}, show("blkio", "blkio.throttle.read_iops_device", "io.max"));
  EXPECT_NE(read.out.find(rig.host.cgroup_v2 ? " riops=40" : number + " 40"), std::string::npos)
      << read.out << read.err;
  (void)rig.run({"--io-weight", "500", "--blkio-weight-device", "/dev/loop0:300"}, "true");
  EXPECT_EQ(in_config("weight"), 500);
  EXPECT_EQ(in_config("weightDevice").at(0).at("weight"), 300);
  EXPECT_NE(rig.run({"--device-read-bps", "/dev/null:1m"}, "true").err.find("is no block device"), std::string::npos);
}

TEST_F(ResourceFlags, SysctlIsOfTheContainersNamespaces) {
  EXPECT_PRINTS(rig.run({"--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=4096"},
                        "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax"),
                "1\n4096\n");
}

TEST_F(ResourceFlags, CgroupParentIsAboveItsOwn) {
  const std::string parent = rig.rig().cgroup();
  const std::string below = parent + "/" + rig.context.id;
  const Outcome outcome = rig.run({"--cgroup-parent", parent, "--cgroupns", "host"}, "cat /proc/self/cgroup");
  EXPECT_NE(outcome.out.find(below + "\n"), std::string::npos) << outcome.out << outcome.err;
  // The parent is whoever named it's.
  for (const auto &hierarchy : fs::directory_iterator("/sys/fs/cgroup")) {
    std::error_code ignored;
    fs::remove(hierarchy.path().string() + parent, ignored);
  }
  std::error_code ignored;
  fs::remove("/sys/fs/cgroup" + parent, ignored);
}

}  // namespace
}  // namespace skiff::rig
