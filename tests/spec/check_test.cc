#include "spec/check.h"

#include <set>

#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

// config.md, Specification version
TEST(Check, TheVersionIsSemanticAndOfMajorOne) {
  for (const char *good : {"1.0.0", "1.0.2-dev", "1.3.0", "1.0.0-rc5", "1.2.0+build.7", "1.9.0", "1.0.0-rc.1+b"}) {
    EXPECT_TRUE(no_finding(findings_of(config_with("\"ociVersion\": \"" + std::string(good) + "\"")))) << good;
  }
  for (const char *bad :
       {"", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0 ", "2.0.0", "0.2.0"}) {
    const auto findings = findings_of(config_with("\"ociVersion\": \"" + std::string(bad) + "\""));
    ASSERT_EQ(findings.size(), 1U) << bad << listing(findings);
    EXPECT_EQ(findings[0].pointer, "/ociVersion");
    EXPECT_EQ(findings[0].clause, "config.md, Specification version");
  }
}

// config.md, Root
TEST(Check, ARootWithAPathIsRequired) {
  EXPECT_TRUE(only_finding(findings_of(config_with(R"("root": null)")), "/root", "is required"));
  EXPECT_TRUE(only_finding(findings_of(config_with(R"("root": {})")), "/root/path", "is required"));
}

// config.md, Process: needed by start only.
TEST(Check, AProcessMayBeAbsent) { EXPECT_TRUE(no_finding(findings_of(config_with(R"("process": null)")))); }

// config.md, Annotations
TEST(Check, AnAnnotationHasAKey) {
  EXPECT_TRUE(only_finding(findings_of(config_with(R"("annotations": {"": "x"})")), "/annotations/", "key is empty"));
}

TEST(Check, CpuListsAreNumbersAndRanges) {
  for (const char *good : {"", "0", "0-3,7", "0-31:2/4", "0, 2", "1,,2", "0-3\n"})
    EXPECT_TRUE(is_cpu_list(good)) << good;
  for (const char *bad : {"a", "0-", "-1", "0-3-5", "0:2", "1 2", "0x1"}) EXPECT_FALSE(is_cpu_list(bad)) << bad;
}

TEST(Check, RulesDoNotEchoWhatCouldNotBeRead) {
  EXPECT_TRUE(only_finding(findings_of(config_with_process(R"("args": 5)")), "/process/args", "expected an array"));
  EXPECT_TRUE(only_finding(findings_of(config_with_process(R"("cwd": 5)")), "/process/cwd", "expected a string"));
  EXPECT_TRUE(only_finding(findings_of(config_with(R"("process": [])")), "/process", "expected an object"));
  EXPECT_TRUE(only_finding(findings_of(config_with(R"("root": 1)")), "/root", "expected an object"));
}

TEST(Check, AnUnknownNamespaceIsNotTakenForAMissingOne) {
  EXPECT_TRUE(only_finding(
      findings_of(config_with(
          R"("hostname": "h", "linux": {"namespaces": [{"type": "pid"}, {"type": "UTS"}, {"type": "mount"}]})")),
      "/linux/namespaces/1/type", "did you mean \"uts\"?"));
}

struct Mistake {
  std::string_view pointer;
  std::string_view clause;
};

// Thirty fields, a mistake in each: one finding for each that names it.
constexpr std::string_view thirty_mistakes = R"({
  "ociVersion": "3",
  "process": {
    "terminal": "yes", "cwd": "root", "args": [], "env": ["PATH"], "oomScoreAdj": 2000, "noNewPrivileges": 1,
    "user": {"uid": -1, "gid": 1.5, "umask": 999},
    "rlimits": [{"type": "RLIMIT_FILES", "hard": 1, "soft": 2}],
    "ioPriority": {"class": "IOPRIO_CLASS_NONE", "priority": 9},
    "scheduler": {"policy": "SCHED_FAIR"}
  },
  "root": {"readonly": true},
  "hostname": 7,
  "mounts": [{"destination": "/a", "source": "/b"}, {"type": "tmpfs"}, {"destination": "/c", "options": ["rbind"]}],
  "hooks": {"poststop": [{"path": "cleanup", "timeout": 0}]},
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "mount", "path": "proc/1/ns/mnt"}, {"type": "pid"}],
    "cgroupsPath": "../other",
    "maskedPaths": ["proc/kcore"],
    "rootfsPropagation": "rshard",
    "devices": [{"path": "/dev/x", "type": "x"}],
    "resources": {"pids": {"limit": "10"}, "cpu": {"cpus": "two"}, "blockIO": {"weight": 5}},
    "personality": {"domain": "WINDOWS"},
    "intelRdt": {"closID": ".."},
    "seccomp": {"defaultAction": "SCMP_ACT_DENY"}
  }
})";

constexpr Mistake mistakes[] = {
    {"/ociVersion", "config.md, Specification version"},
    {"/process/terminal", "config.md, Process"},
    {"/process/cwd", "config.md, Process"},
    {"/process/args", "config.md, Process"},
    {"/process/env/0", "config.md, Process"},
    {"/process/oomScoreAdj", "config.md, Linux Process"},
    {"/process/noNewPrivileges", "config.md, Linux Process"},
    {"/process/user/uid", "config.md, POSIX-platform User"},
    {"/process/user/gid", "config.md, POSIX-platform User"},
    {"/process/user/umask", "config.md, POSIX-platform User"},
    {"/process/rlimits/0/type", "config.md, POSIX process"},
    {"/process/rlimits/0/soft", "config.md, POSIX process"},
    {"/process/ioPriority/class", "config.md, Linux Process"},
    {"/process/ioPriority/priority", "config.md, Linux Process"},
    {"/process/scheduler/policy", "config.md, Linux Process"},
    {"/root/path", "config.md, Root"},
    {"/hostname", "config.md, Hostname"},
    {"/mounts/0/type", "config.md, Mounts"},
    {"/mounts/1/destination", "config.md, Mounts"},
    {"/mounts/2/source", "config.md, Mounts"},
    {"/hooks/poststop/0/path", "config.md, POSIX-platform Hooks"},
    {"/hooks/poststop/0/timeout", "config.md, POSIX-platform Hooks"},
    {"/linux/namespaces/1/path", "config-linux.md, Namespaces"},
    {"/linux/namespaces/2/type", "config-linux.md, Namespaces"},
    {"/linux/cgroupsPath", "config-linux.md, Control groups"},
    {"/linux/maskedPaths/0", "config-linux.md, Masked Paths"},
    {"/linux/rootfsPropagation", "config-linux.md, Rootfs Mount Propagation"},
    {"/linux/devices/0/type", "config-linux.md, Devices"},
    {"/linux/resources/pids/limit", "config-linux.md, PIDs"},
    {"/linux/resources/cpu/cpus", "config-linux.md, CPU"},
    {"/linux/resources/blockIO/weight", "config-linux.md, Block IO"},
    {"/linux/personality/domain", "config-linux.md, Personality"},
    {"/linux/intelRdt/closID", "config-linux.md, IntelRdt"},
    {"/linux/seccomp/defaultAction", "config-linux.md, Seccomp"},
};

TEST(Check, MistakesInThirtyFieldsAreAsManyFindingsThatNameThem) {
  const auto findings = findings_of(std::string(thirty_mistakes));
  std::set<std::string> expected;
  for (const Mistake &mistake : mistakes)
    expected.insert(std::string(mistake.pointer) + " " + std::string(mistake.clause));
  std::set<std::string> found;
  for (const Finding &finding : findings) found.insert(finding.pointer + " " + finding.clause);
  EXPECT_GE(expected.size(), 30U);
  EXPECT_EQ(found, expected) << listing(findings);
  EXPECT_EQ(findings.size(), expected.size()) << "a field is named twice:\n" << listing(findings);
}

TEST(Check, APointerNeedsNoDocument) {
  Process process;
  process.cwd = "/";
  EXPECT_TRUE(only_finding(check(process, "/process"), "/process/args", "at least one entry"));
  EXPECT_TRUE(only_finding(check(process, ""), "/args", "at least one entry"));
}

}  // namespace

}  // namespace skiff::spec
