#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> resource_findings(std::string_view members) {
  return check(parse_resources("{" + std::string(members) + "}"));
}

// config-linux.md, Allowed Device list
TEST(CheckResources, ADeviceRuleHasKnownTypesAndAccesses) {
  EXPECT_TRUE(no_finding(resource_findings(R"("devices": [{"allow": true, "type": "", "access": "", "major": -1}])")));
  EXPECT_TRUE(only_finding(resource_findings(R"("devices": [{"allow": true, "type": "u"}])"), "/devices/0/type",
                           "use one of a, b, c"));
  EXPECT_TRUE(only_finding(resource_findings(R"("devices": [{"allow": true, "access": "x"}])"), "/devices/0/access",
                           "none of the letters"));
  EXPECT_TRUE(no_finding(resource_findings(R"("devices": [{"allow": true, "access": "rwa"}])")));
  EXPECT_TRUE(only_finding(resource_findings(R"("devices": [{"access": "r"}])"), "/devices/0/allow", "is required"));
  EXPECT_TRUE(only_finding(resource_findings(R"("devices": [{"allow": true, "minor": -2}])"), "/devices/0/minor",
                           "out of range"));
}

// config-linux.md, Memory
TEST(CheckResources, MemoryLimitsAreBytesOrUnlimited) {
  EXPECT_TRUE(no_finding(resource_findings(R"("memory": {"limit": -1, "swap": -1})")));
  EXPECT_TRUE(
      only_finding(resource_findings(R"("memory": {"reservation": -2})"), "/memory/reservation", "-1 is unlimited"));
  EXPECT_TRUE(
      only_finding(resource_findings(R"("memory": {"limit": 10, "swap": 9})"), "/memory/swap", "below memory.limit"));
  EXPECT_TRUE(only_finding(resource_findings(R"("memory": {"swappiness": 101})"), "/memory/swappiness", "0 to 100"));
}

// config-linux.md, CPU
TEST(CheckResources, CpuTimesFitOneAnother) {
  EXPECT_TRUE(no_finding(resource_findings(R"("cpu": {"quota": -1, "period": 100000, "burst": 5})")));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"quota": 500})"), "/cpu/quota", "microseconds"));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"period": 2000000})"), "/cpu/period", "1000 to 1000000"));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"quota": 1000, "burst": 1001})"), "/cpu/burst", "above quota"));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"realtimeRuntime": 20, "realtimePeriod": 10})"),
                           "/cpu/realtimeRuntime", "above realtimePeriod"));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"idle": 2})"), "/cpu/idle", "0 to 1"));
  EXPECT_TRUE(only_finding(resource_findings(R"("cpu": {"mems": "x"})"), "/cpu/mems", "0-3,7"));
}

// config-linux.md, Block IO
TEST(CheckResources, WeightsAreFrom10To1000) {
  EXPECT_TRUE(no_finding(resource_findings(R"("blockIO": {"weight": 0, "leafWeight": 1000})")));
  EXPECT_TRUE(only_finding(resource_findings(R"("blockIO": {"leafWeight": 9})"), "/blockIO/leafWeight", "10 to 1000"));
  EXPECT_TRUE(only_finding(resource_findings(R"("blockIO": {"weightDevice": [{"major": 8, "minor": 0}]})"),
                           "/blockIO/weightDevice/0", "neither weight nor leafWeight"));
  EXPECT_TRUE(only_finding(
      resource_findings(R"("blockIO": {"throttleReadIOPSDevice": [{"major": 8, "minor": -1, "rate": 5}]})"),
      "/blockIO/throttleReadIOPSDevice/0/minor", "out of range"));
  EXPECT_TRUE(only_finding(resource_findings(R"("blockIO": {"throttleWriteBpsDevice": [{"major": 8, "minor": 1}]})"),
                           "/blockIO/throttleWriteBpsDevice/0/rate", "is required"));
}

// config-linux.md, Huge page limits
TEST(CheckResources, PageSizesHaveAUnit) {
  for (const char *bad : {"2M", "0MB", "MB", "2 MB", "2mb", "2TB"}) {
    EXPECT_TRUE(only_finding(
        resource_findings("\"hugepageLimits\": [{\"limit\": 1, \"pageSize\": \"" + std::string(bad) + "\"}]"),
        "/hugepageLimits/0/pageSize", "2MB"));
  }
  EXPECT_TRUE(no_finding(resource_findings(R"("hugepageLimits": [{"limit": 1, "pageSize": "64KB"}])")));
}

// config-linux.md, PIDs: zero is a limit, -1 is none.
TEST(CheckResources, APidsLimitIsACountOrUnlimited) {
  EXPECT_TRUE(no_finding(resource_findings(R"("pids": {"limit": 0})")));
  EXPECT_TRUE(no_finding(resource_findings(R"("pids": {"limit": -1})")));
  EXPECT_TRUE(only_finding(resource_findings(R"("pids": {"limit": -2})"), "/pids/limit", "-1 is unlimited"));
}

// config-linux.md, RDMA and Network
TEST(CheckResources, EntriesSayWhatTheyLimit) {
  EXPECT_TRUE(only_finding(resource_findings(R"("rdma": {"mlx5": {}})"), "/rdma/mlx5", "neither hcaHandles"));
  EXPECT_TRUE(only_finding(resource_findings(R"("network": {"priorities": [{"name": "", "priority": 1}]})"),
                           "/network/priorities/0/name", "is required"));
}

// config-linux.md, Unified
TEST(CheckResources, UnifiedKeysAreFilesOfTheCgroup) {
  EXPECT_TRUE(no_finding(resource_findings(R"("unified": {"memory.high": "max", "unknown.thing": "1"})")));
  EXPECT_TRUE(only_finding(resource_findings(R"("unified": {"../memory.max": "1"})"), "/unified/..~1memory.max",
                           "not the name of a file"));
  EXPECT_TRUE(only_finding(resource_findings(R"("unified": {"..": "1"})"), "/unified/..", "not the name of a file"));
}

}  // namespace

}  // namespace skiff::spec
