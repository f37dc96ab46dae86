// linux.resources on a host whose controllers are those of cgroup v2: what is asked for is what the kernel's files say.
// config-linux.md, "Control groups"; cgroup-v2.rst of the kernel.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/background.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class CgroupV2Limits : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    const std::string there = " " + read_file("/sys/fs/cgroup/cgroup.controllers");
    for (const char *name : {"cpuset", "cpu", "io", "memory", "pids"}) {
      if (there.find(" " + std::string(name)) == std::string::npos) {
        GTEST_SKIP() << "needs cgroup v2 with the controller " << name;
      }
    }
  }
  void TearDown() override {
    (void)rig.skiff({"delete", "--force", rig.id()});
    EXPECT_CLEAN(rig);
  }
  [[nodiscard]] std::string directory() const { return "/sys/fs/cgroup" + rig.cgroup(); }
  [[nodiscard]] std::string value(const std::string &file) const {
    std::string text = read_file(directory() + "/" + file);
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  [[nodiscard]] bool has(const std::string &file) const { return fs::exists(directory() + "/" + file); }
  Json &resources() { return rig.config["linux"]["resources"]; }
  void create() {
    const Outcome created = rig.skiff({"create", rig.id()});
    ASSERT_EQ(created.code, 0) << created.err;
  }
  void expect_updated(const std::vector<std::string> &flags, const std::string &file, const std::string &wanted) {
    std::vector<std::string> words = {"update"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back(rig.id());
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 0) << flags.front() << ": " << outcome.err;
    EXPECT_EQ(value(file), wanted) << flags.front();
  }
  Rig rig;
};

TEST_F(CgroupV2Limits, MemoryHasItsLimitItsReservationAndItsSwap) {
  resources()["memory"] = {{"limit", 67108864}, {"reservation", 33554432}, {"swap", 100663296}};
  create();
  EXPECT_EQ(value("memory.max"), "67108864");
  EXPECT_EQ(value("memory.low"), "33554432");
  EXPECT_EQ(value("memory.swap.max"), "33554432") << "memory and swap together less memory";
}

TEST_F(CgroupV2Limits, CpuHasItsWeightItsQuotaItsBurstAndItsProcessors) {
  resources()["cpu"] = {{"shares", 1024}, {"quota", 50000}, {"period", 200000},
                        {"burst", 10000}, {"cpus", "0"},    {"mems", "0"}};
  create();
  EXPECT_EQ(value("cpu.max"), "50000 200000");
  EXPECT_EQ(value("cpu.max.burst"), "10000");
  EXPECT_EQ(value("cpuset.cpus"), "0");
  EXPECT_EQ(value("cpuset.mems"), "0");
  EXPECT_EQ(value("cpu.weight"), "100") << "1024 shares are the default of both";
}

TEST_F(CgroupV2Limits, IdleIsSet) {
  resources()["cpu"] = {{"idle", 1}};
  create();
  EXPECT_EQ(value("cpu.idle"), "1");
}

TEST_F(CgroupV2Limits, PidsAreLimitedAndForkFails) {
  resources()["pids"] = {{"limit", 4}};
  const Outcome outcome = rig.run("cat /proc/self/cgroup > /dev/null; for i in 1 2 3 4 5; do sleep 100 & done; true");
  EXPECT_NE(outcome.err.find("can't fork"), std::string::npos) << outcome.err;
}

TEST_F(CgroupV2Limits, BlockDevicesAreThrottled) {
  std::string device;
  for (const auto &entry : fs::directory_iterator("/sys/block")) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("loop") && !name.starts_with("ram")) device = read_file(entry.path() / "dev");
  }
  if (device.empty()) GTEST_SKIP() << "this host has no block device";
  device.pop_back();
  const int major = std::stoi(device), minor = std::stoi(device.substr(device.find(':') + 1));
  const auto at = [&](int rate) { return Json::array({{{"major", major}, {"minor", minor}, {"rate", rate}}}); };
  resources()["blockIO"] = {{"throttleReadBpsDevice", at(1048576)},
                            {"throttleWriteBpsDevice", at(2097152)},
                            {"throttleReadIOPSDevice", at(100)},
                            {"throttleWriteIOPSDevice", at(200)}};
  create();
  EXPECT_EQ(value("io.max"), device + " rbps=1048576 wbps=2097152 riops=100 wiops=200");
}

TEST_F(CgroupV2Limits, TheWeightOfBlockDevicesIsThatOfTheFileThatIsThere) {
  resources()["blockIO"] = {{"weight", 500}};
  create();
  if (has("io.bfq.weight")) {
    EXPECT_EQ(value("io.bfq.weight"), "default 500");
  } else {
    EXPECT_EQ(value("io.weight"), "default 4950") << "10 to 1000 becomes 1 to 10000";
  }
}

// config-linux.md, "Huge page limits": reservations are limited too, where the kernel can (Linux 5.7).
TEST_F(CgroupV2Limits, HugePagesAreLimitedWhenUsedAndWhenReserved) {
  if (!fs::exists("/sys/kernel/mm/hugepages/hugepages-2048kB")) GTEST_SKIP() << "no huge pages of 2 MB";
  resources()["hugepageLimits"] = {{{"pageSize", "2MB"}, {"limit", 4194304}}};
  create();
  EXPECT_EQ(value("hugetlb.2MB.max"), "4194304");
  EXPECT_EQ(value("hugetlb.2MB.rsvd.max"), "4194304");
}

// config-linux.md, "Unified".
TEST_F(CgroupV2Limits, UnifiedWritesAnyFileOfAnyController) {
  resources()["unified"] = {{"memory.high", "50331648"}, {"pids.max", "30"}, {"cpu.weight", "321"}};
  create();
  EXPECT_EQ(value("memory.high"), "50331648");
  EXPECT_EQ(value("pids.max"), "30");
  EXPECT_EQ(value("cpu.weight"), "321");
}

TEST_F(CgroupV2Limits, AUnifiedFileWithoutItsControllerNamesTheField) {
  resources()["unified"] = {{"nonsense.max", "1"}};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("linux.resources.unified"), std::string::npos) << outcome.err;
}

TEST_F(CgroupV2Limits, AProgramThatWantsTooMuchMemoryIsKilledAndItIsAnEvent) {
  resources()["memory"] = {{"limit", 33554432}, {"swap", 33554432}};
  rig.start_waiting();
  EventStream events = start_events(rig, "50ms");
  (void)read_until(events.out, "\n");  // it watches from here on
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"}).code, 137);
  EXPECT_NE(value("memory.events").find("oom_kill 1"), std::string::npos) << value("memory.events");
  const std::string text = read_until(events.out, R"("type":"oom")");
  EXPECT_NE(text.find(R"({"type":"oom","id":"c"})"), std::string::npos) << text;
}

TEST_F(CgroupV2Limits, AContainerThatDoesNotFitIntoItsMemorySaysSo) {
  resources()["memory"] = {{"limit", 4096}};
  const Outcome outcome = rig.run("true");
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("linux.resources.memory.limit"), std::string::npos) << outcome.err;
}

TEST_F(CgroupV2Limits, UpdateChangesEachFile) {
  rig.start_waiting();
  expect_updated({"--memory", "64M"}, "memory.max", "67108864");
  expect_updated({"--memory", "67108864", "--memory-swap", "96M"}, "memory.swap.max", "33554432");
  expect_updated({"--memory-reservation", "32M"}, "memory.low", "33554432");
  expect_updated({"--memory", "-1"}, "memory.max", "max");
  expect_updated({"--cpu-period", "50000", "--cpu-quota", "25000"}, "cpu.max", "25000 50000");
  expect_updated({"--cpu-period", "40000"}, "cpu.max", "25000 40000");
  expect_updated({"--cpu-quota", "-1"}, "cpu.max", "max 40000");
  expect_updated({"--cpu-quota", "20000", "--cpu-burst", "10000"}, "cpu.max.burst", "10000");
  expect_updated({"--cpu-share", "1024"}, "cpu.weight", "100");
  expect_updated({"--cpu-idle", "1"}, "cpu.idle", "1");
  expect_updated({"--cpuset-cpus", "0"}, "cpuset.cpus", "0");
  expect_updated({"--cpuset-mems", "0"}, "cpuset.mems", "0");
  expect_updated({"--pids-limit", "25"}, "pids.max", "25");
  expect_updated({"--pids-limit", "-1"}, "pids.max", "max");
  write_file(rig.path("resources"), R"({"unified": {"memory.high": "41943040"}, "pids": {"limit": 31}})");
  expect_updated({"--resources", rig.path("resources")}, "memory.high", "41943040");
  EXPECT_EQ(value("pids.max"), "31");
}

TEST_F(CgroupV2Limits, StatisticsAreTheKernels) {
  resources()["memory"] = {{"limit", 67108864}};
  resources()["pids"] = {{"limit", 20}};
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"events", "--stats", rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json data = Json::parse(outcome.out)["data"];
  EXPECT_EQ(data["pids"]["current"], 2);
  EXPECT_EQ(data["pids"]["limit"], 20);
  EXPECT_EQ(data["memory"]["usage"]["limit"], 67108864);
  EXPECT_GT(data["memory"]["usage"]["usage"], 0);
  EXPECT_GT(data["cpu"]["usage"]["total"], 0);
  EXPECT_FALSE(data["memory"]["raw"].empty());
}

// config-linux.md, "Cgroup ownership": the directory and the files of /sys/kernel/cgroup/delegate, and no other.
TEST_F(CgroupV2Limits, ADelegatedCgroupBelongsToTheContainersRootAndItsLimitsDoNot) {
  add_user_namespace(rig);
  resources()["memory"] = {{"limit", 134217728}};
  add_mount(rig, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  rig.start_waiting();
  const auto owner = [&](const std::string &file) {
    struct stat status{};
    EXPECT_EQ(::stat((directory() + file).c_str(), &status), 0) << file;
    return status.st_uid;
  };
  EXPECT_EQ(owner(""), first_mapped_id);
  for (const std::string &file : lines_of(read_file("/sys/kernel/cgroup/delegate"))) {
    if (has(file)) {
      EXPECT_EQ(owner("/" + file), first_mapped_id) << file;
    }
  }
  EXPECT_EQ(owner("/memory.max"), 0U);
  const Outcome inside = rig.skiff(
      {"exec", rig.id(), "sh", "-c",
       "cd /sys/fs/cgroup && mkdir own && for p in $(cat cgroup.procs); do echo $p > own/cgroup.procs || true; done;"
       "echo +memory > cgroup.subtree_control && mkdir other && cat other/memory.max;"
       "echo 1 > memory.max 2>/dev/null || echo refused"});
  EXPECT_EQ(inside.out, "max\nrefused\n") << inside.err;
}

}  // namespace
}  // namespace skiff::rig
