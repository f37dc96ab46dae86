#include "runtime/cgroup_stats.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

TEST(StatsEvent, WithoutAnyUseHasTheKeysThatCallersReadAndLeavesOutTheRest) {
  EXPECT_EQ(print_stats_event("box", {}),
            R"({"type":"stats","id":"box","data":{"cpu":{},"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,)"
            R"("mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,)"
            R"("memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},"memory":{},"pids":{},)"
            R"("blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}})");
}

TEST(StatsEvent, PrintsWhatWasUsed) {
  Stats stats;
  stats.cpu.total = 30;
  stats.cpu.user = 10;
  stats.cpu.per_cpu = {1, 2};
  stats.cpu.pressure = Pressure{.some = {.avg10 = 0.5, .avg60 = 0, .avg300 = 0, .total = 7}, .full = {}};
  stats.memory.usage = {.limit = 100, .usage = 50, .max = 0, .failcnt = 0};
  stats.memory.raw = {{"anon", 1}, {"file", 2}};
  stats.pids_current = 3;
  stats.block_io.serviced = {{.major = 8, .minor = 0, .op = "Read", .value = 9}};
  stats.hugetlb["2MB"] = {.usage = 0, .max = 0, .failcnt = 0};
  const std::string json = print_stats_event("box", stats);
  EXPECT_NE(json.find(R"("cpu":{"usage":{"total":30,"percpu":[1,2],"kernel":0,"user":10},)"
                      R"("psi":{"some":{"avg10":0.5,"avg60":0,"avg300":0,"total":7}}})"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("memory":{"usage":{"limit":100,"usage":50,"failcnt":0},"raw":{"anon":1,"file":2}})"),
            std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("pids":{"current":3})"), std::string::npos);
  EXPECT_NE(json.find(R"("blkio":{"ioServicedRecursive":[{"major":8,"op":"Read","value":9}]})"), std::string::npos);
  EXPECT_NE(json.find(R"("hugetlb":{"2MB":{"failcnt":0}})"), std::string::npos);
}

TEST(OomEvent, HasNoData) { EXPECT_EQ(print_oom_event("a\"b"), R"({"type":"oom","id":"a\"b"})"); }

}  // namespace
}  // namespace skiff
