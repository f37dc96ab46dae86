// update and events: what the commands say is what the kernel's cgroup v1 files say.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

std::string value(const Rig &rig, const std::string &controller, const std::string &file) {
  std::string text = read_file("/sys/fs/cgroup/" + controller + rig.cgroup() + "/" + file);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

#define REQUIRE_CGROUP_V1(controller) \
  if (::access("/sys/fs/cgroup/" controller "/tasks", F_OK) != 0) GTEST_SKIP() << "needs cgroup v1's " controller

TEST(Update, EveryFlagReachesItsFile) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("memory");
  REQUIRE_CGROUP_V1("cpu");
  REQUIRE_CGROUP_V1("cpuset");
  REQUIRE_CGROUP_V1("pids");
  struct Case {
    std::vector<std::string> flags;
    const char *controller, *file, *wanted;
  };
  const std::vector<Case> cases = {
      {{"--memory", "67108864"}, "memory", "memory.limit_in_bytes", "67108864"},
      {{"--memory", "96M"}, "memory", "memory.limit_in_bytes", "100663296"},
      {{"--memory-reservation", "33554432"}, "memory", "memory.soft_limit_in_bytes", "33554432"},
      {{"--memory", "-1"}, "memory", "memory.limit_in_bytes", "9223372036854771712"},
      {{"--cpu-period", "50000", "--cpu-quota", "25000"}, "cpu", "cpu.cfs_quota_us", "25000"},
      {{"--cpu-period", "20000"}, "cpu", "cpu.cfs_period_us", "20000"},
      {{"--cpu-quota", "-1"}, "cpu", "cpu.cfs_quota_us", "-1"},
      {{"--cpu-quota", "10000"}, "cpu", "cpu.cfs_quota_us", "10000"},
      {{"--cpu-share", "512"}, "cpu", "cpu.shares", "512"},
      {{"--cpuset-cpus", "0"}, "cpuset", "cpuset.cpus", "0"},
      {{"--cpuset-mems", "0"}, "cpuset", "cpuset.mems", "0"},
      {{"--pids-limit", "25"}, "pids", "pids.max", "25"},
      {{"--pids-limit", "-1"}, "pids", "pids.max", "max"}};
  Rig rig;
  rig.start_waiting();
  for (const Case &c : cases) {
    std::vector<std::string> words = {"update"};
    words.insert(words.end(), c.flags.begin(), c.flags.end());
    words.push_back(rig.id());
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 0) << c.flags[0] << ": " << outcome.err;
    EXPECT_EQ(value(rig, c.controller, c.file), c.wanted) << c.flags[0] << " " << c.flags[1];
  }
}

TEST(Update, CpuBurstAndIdleReachTheirFilesWhereTheKernelHasThem) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("cpu");
  Rig rig;
  rig.start_waiting();
  if (value(rig, "cpu", "cpu.cfs_burst_us").empty() || value(rig, "cpu", "cpu.idle").empty()) {
    GTEST_SKIP() << "needs cpu.cfs_burst_us (Linux 5.14) and cpu.idle (5.15)";
  }
  const Outcome burst = rig.skiff({"update", "--cpu-quota", "20000", "--cpu-burst", "10000", rig.id()});
  EXPECT_EQ(burst.code, 0) << burst.err;
  EXPECT_EQ(value(rig, "cpu", "cpu.cfs_burst_us"), "10000");
  const Outcome idle = rig.skiff({"update", "--cpu-idle", "1", rig.id()});
  EXPECT_EQ(idle.code, 0) << idle.err;
  EXPECT_EQ(value(rig, "cpu", "cpu.idle"), "1");
}

TEST(Update, ResourcesComeFromAFileOrStdinAsEnginesGiveThem) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("pids");
  Rig rig;
  rig.start_waiting();
  const Outcome piped =
      rig.skiff({"update", "--resources=-", rig.id()}, R"({"pids": {"limit": 31}, "cpu": {"shares": 300}})");
  EXPECT_EQ(piped.code, 0) << piped.err;
  EXPECT_EQ(value(rig, "pids", "pids.max"), "31");
  EXPECT_EQ(value(rig, "cpu", "cpu.shares"), "300");
  write_file(rig.path("resources"), R"({"pids": {"limit": 32}})");
  const Outcome filed = rig.skiff({"update", "-r", rig.path("resources"), rig.id()});
  EXPECT_EQ(filed.code, 0) << filed.err;
  EXPECT_EQ(value(rig, "pids", "pids.max"), "32");
  EXPECT_EQ(value(rig, "cpu", "cpu.shares"), "300") << "what is not named stays";
}

TEST(Update, AMistakeIsNamedAndChangesNothing) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("pids");
  Rig rig;
  rig.start_waiting();
  ASSERT_EQ(rig.skiff({"update", "--pids-limit", "25", rig.id()}).code, 0);
  const std::vector<std::pair<std::string, std::string>> cases = {{R"({"pids": {"limit": "many"}})", "/pids/limit"},
                                                                  {"{", "--resources"},
                                                                  {"", "--resources"},
                                                                  {"[]", "--resources"}};
  for (const auto &[text, wanted] : cases) {
    const Outcome outcome = rig.skiff({"update", "--resources", "-", rig.id()}, text);
    EXPECT_EQ(outcome.code, 1) << text;
    EXPECT_NE(outcome.err.find(wanted), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(value(rig, "pids", "pids.max"), "25");
  const Outcome cpus = rig.skiff({"update", "--cpuset-cpus", "0-9999", rig.id()});
  EXPECT_EQ(cpus.code, 1);
  EXPECT_NE(cpus.err.find("cpuset.cpus"), std::string::npos) << cpus.err;
}

TEST(Update, MemoryAndSwapRiseTogetherInTheOrderThatTheKernelTakes) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("memory");
  Rig rig;
  rig.config["linux"]["resources"]["memory"] = {{"limit", 33554432}};
  rig.start_waiting();
  if (value(rig, "memory", "memory.memsw.limit_in_bytes").empty()) GTEST_SKIP() << "needs swap accounting";
  for (const char *bytes : {"67108864", "16777216", "134217728"}) {
    const Outcome outcome = rig.skiff({"update", "--memory", bytes, "--memory-swap", bytes, rig.id()});
    EXPECT_EQ(outcome.code, 0) << bytes << ": " << outcome.err;
    EXPECT_EQ(value(rig, "memory", "memory.memsw.limit_in_bytes"), bytes);
    EXPECT_EQ(value(rig, "memory", "memory.limit_in_bytes"), bytes);
  }
}

TEST(Update, AStoppedContainerIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"update", "--pids-limit", "10", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("container not running"), std::string::npos) << outcome.err;
}

TEST(Events, StatisticsHaveTheKeysOfRuncAndTheValuesOfTheKernel) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("memory");
  Rig rig;
  rig.config["linux"]["resources"]["pids"] = {{"limit", 20}};
  rig.config["linux"]["resources"]["memory"] = {{"limit", 67108864}};
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"events", "--stats", rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json event = Json::parse(outcome.out);
  EXPECT_EQ(event["type"], "stats");
  EXPECT_EQ(event["id"], rig.id());
  const Json &data = event["data"];
  EXPECT_EQ(data["pids"]["current"], 2);
  EXPECT_EQ(data["pids"]["limit"], 20);
  EXPECT_EQ(data["memory"]["usage"]["limit"], 67108864);
  EXPECT_GT(data["memory"]["usage"]["usage"], 0);
  EXPECT_GT(data["cpu"]["usage"]["total"], 0);
  EXPECT_FALSE(data["cpu"]["usage"]["percpu"].empty());
  EXPECT_TRUE(data["memory"]["raw"].is_object());
  for (const char *key : {"cpuset", "blkio", "hugetlb", "intel_rdt"}) EXPECT_TRUE(data.contains(key)) << key;
}

TEST(Events, FollowsTheContainerToItsEnd) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  EventStream events = start_events(rig, "20ms");
  const std::string first = read_until(events.out, "\n");
  EXPECT_TRUE(Json::accept(first.substr(0, first.find('\n')))) << first;
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  EXPECT_EQ(wait_for_code(events.process), 0);
}

TEST(Events, AnOutOfMemoryKillIsAnEvent) {
  REQUIRE_ROOT();
  REQUIRE_CGROUP_V1("memory");
  Rig rig;
  rig.config["linux"]["resources"]["memory"] = {{"limit", 16777216}, {"swap", 16777216}};
  rig.start_waiting();
  EventStream events = start_events(rig, "50ms");
  (void)read_until(events.out, "\n");  // it watches from here on
  (void)rig.skiff({"exec", rig.id(), "sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=1"});
  const std::string text = read_until(events.out, R"("type":"oom")");
  EXPECT_NE(text.find(R"({"type":"oom","id":"c"})"), std::string::npos) << text;
}

TEST(Events, AnIntervalThatIsNoneIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  for (const char *interval : {"0s", "-1s", "often"}) {
    const Outcome outcome = rig.skiff({"events", std::string("--interval=") + interval, rig.id()});
    EXPECT_EQ(outcome.code, 1) << interval;
    EXPECT_NE(outcome.err.find("--interval"), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace skiff::rig
