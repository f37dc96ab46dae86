#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> process_findings(std::string_view members) { return findings_of(config_with_process(members)); }

// config.md, Process
TEST(CheckProcess, TheWorkingDirectoryIsAbsolute) {
  EXPECT_TRUE(only_finding(process_findings(R"("cwd": "tmp")"), "/process/cwd", "relative path"));
  EXPECT_TRUE(only_finding(process_findings(R"("cwd": "")"), "/process/cwd", "is required"));
}

TEST(CheckProcess, TheEnvironmentIsNamesAndValues) {
  EXPECT_TRUE(no_finding(process_findings(R"("env": ["A=", "A=b=c"])")));
  EXPECT_TRUE(only_finding(process_findings(R"("env": ["A=1", "B"])"), "/process/env/1", "has no ="));
  EXPECT_TRUE(only_finding(process_findings(R"("env": ["=B"])"), "/process/env/0", "has no name"));
}

// config.md, POSIX-platform User
TEST(CheckProcess, AUmaskIsOfPermissionBits) {
  EXPECT_TRUE(no_finding(process_findings(R"("user": {"umask": 511})")));
  EXPECT_TRUE(only_finding(process_findings(R"("user": {"umask": 755})"), "/process/user/umask", "decimal"));
}

// config.md, POSIX process
TEST(CheckProcess, LimitsAreKnownAndGivenOnce) {
  EXPECT_TRUE(only_finding(process_findings(R"("rlimits": [{"type": "NOFILE", "soft": 1, "hard": 1}])"),
                           "/process/rlimits/0/type", "did you mean \"RLIMIT_NOFILE\"?"));
  EXPECT_TRUE(only_finding(process_findings(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1},
                                                {"type": "RLIMIT_CPU", "soft": 1, "hard": 1}])"),
                           "/process/rlimits/1/type", "given twice"));
  EXPECT_TRUE(only_finding(process_findings(R"("rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}])"),
                           "/process/rlimits/0/soft", "above the hard limit"));
}

// config.md, Linux Process
TEST(CheckProcess, CapabilitiesAreNoFindings) {
  EXPECT_TRUE(no_finding(process_findings(R"("capabilities": {"ambient": ["CAP_NONSENSE"], "bounding": ["chown"]})")));
}

TEST(CheckProcess, TheOomScoreHasARange) {
  EXPECT_TRUE(no_finding(process_findings(R"("oomScoreAdj": -1000)")));
  EXPECT_TRUE(only_finding(process_findings(R"("oomScoreAdj": 1001)"), "/process/oomScoreAdj", "-1000 to 1000"));
}

TEST(CheckProcess, ASchedulersFieldsBelongToItsPolicy) {
  EXPECT_TRUE(no_finding(process_findings(R"("scheduler": {"policy": "SCHED_FIFO", "priority": 99})")));
  EXPECT_TRUE(no_finding(process_findings(
      R"("scheduler": {"policy": "SCHED_DEADLINE", "runtime": 10000, "deadline": 20000, "period": 20000})")));
  EXPECT_TRUE(only_finding(process_findings(R"("scheduler": {"policy": "SCHED_OTHER", "nice": 20})"),
                           "/process/scheduler/nice", "-20 to 19"));
  EXPECT_TRUE(only_finding(process_findings(R"("scheduler": {"policy": "SCHED_OTHER", "priority": 5})"),
                           "/process/scheduler/priority", "has no priority"));
  EXPECT_TRUE(only_finding(process_findings(R"("scheduler": {"policy": "SCHED_RR"})"), "/process/scheduler/priority",
                           "SCHED_RR needs a priority"));
  EXPECT_TRUE(only_finding(process_findings(R"("scheduler": {"policy": "SCHED_IDLE", "runtime": 5})"),
                           "/process/scheduler/runtime", "of SCHED_DEADLINE only"));
  EXPECT_TRUE(only_finding(process_findings(R"("scheduler": {"policy": "SCHED_OTHER", "flags": ["RECLAIM"]})"),
                           "/process/scheduler/flags/0", "did you mean \"SCHED_FLAG_RECLAIM\"?"));
  EXPECT_TRUE(only_finding(
      process_findings(R"("scheduler": {"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4, "period": 0})"),
      "/process/scheduler/deadline", "below runtime"));
  EXPECT_TRUE(
      only_finding(process_findings(R"("scheduler": {"nice": 5})"), "/process/scheduler/policy", "is required"));
}

TEST(CheckProcess, AnIoPriorityHasAClassAndALevel) {
  EXPECT_TRUE(only_finding(process_findings(R"("ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8})"),
                           "/process/ioPriority/priority", "0 to 7"));
  EXPECT_TRUE(
      only_finding(process_findings(R"("ioPriority": {"priority": 1})"), "/process/ioPriority/class", "is required"));
}

TEST(CheckProcess, AffinitiesAreListsOfCpus) {
  EXPECT_TRUE(only_finding(process_findings(R"("execCPUAffinity": {"initial": "0-1", "final": "all"})"),
                           "/process/execCPUAffinity/final", "0-3,7"));
}

TEST(CheckProcess, AConsoleSizeWithoutTerminalIsIgnored) {
  EXPECT_TRUE(no_finding(process_findings(R"("consoleSize": {})")));
}

}  // namespace

}  // namespace skiff::spec
