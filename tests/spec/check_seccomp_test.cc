#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> seccomp_findings(std::string_view members) {
  return findings_of(config_with_linux("\"seccomp\": {" + join(R"("defaultAction": "SCMP_ACT_ALLOW")", members) + "}"));
}

std::vector<Finding> syscall_findings(std::string_view members) {
  return seccomp_findings("\"syscalls\": [{" + std::string(members) + "}]");
}

// config-linux.md, Seccomp
TEST(CheckSeccomp, NamesOfTheFilterAreKnown) {
  EXPECT_TRUE(only_finding(seccomp_findings(R"("architectures": ["X86_64"])"), "/linux/seccomp/architectures/0",
                           "did you mean \"SCMP_ARCH_X86_64\"?"));
  EXPECT_TRUE(only_finding(seccomp_findings(R"("flags": ["SECCOMP_FILTER_FLAG_NONE"])"), "/linux/seccomp/flags/0",
                           "unknown value"));
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": ["a"], "action": "SCMP_ACT_NO", "errnoRet": 1)"),
                           "/linux/seccomp/syscalls/0/action", "unknown value"));
  EXPECT_TRUE(only_finding(
      syscall_findings(
          R"("names": ["a"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_IS"}])"),
      "/linux/seccomp/syscalls/0/args/0/op", "unknown value"));
}

TEST(CheckSeccomp, ASyscallEntryIsComplete) {
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": [], "action": "SCMP_ACT_KILL")"),
                           "/linux/seccomp/syscalls/0/names", "at least one entry"));
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": ["a"])"), "/linux/seccomp/syscalls/0/action", "is required"));
  EXPECT_TRUE(only_finding(
      syscall_findings(
          R"("names": ["a"], "action": "SCMP_ACT_KILL", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}])"),
      "/linux/seccomp/syscalls/0/args/0/index", "six arguments"));
}

TEST(CheckSeccomp, AnErrnoNeedsAnActionThatReturnsOne) {
  EXPECT_TRUE(no_finding(syscall_findings(R"("names": ["a"], "action": "SCMP_ACT_TRACE", "errnoRet": 65535)")));
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": ["a"], "action": "SCMP_ACT_ALLOW", "errnoRet": 1)"),
                           "/linux/seccomp/syscalls/0/errnoRet", "SCMP_ACT_ALLOW returns no errno"));
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": ["a"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096)"),
                           "/linux/seccomp/syscalls/0/errnoRet", "0 to 4095"));
  EXPECT_TRUE(
      only_finding(seccomp_findings(R"("defaultErrnoRet": 1)"), "/linux/seccomp/defaultErrnoRet", "returns no errno"));
}

TEST(CheckSeccomp, NotifyNeedsAListenerAndCannotCoverTheRuntime) {
  const std::string agent = R"("listenerPath": "/run/agent", )";
  EXPECT_TRUE(only_finding(syscall_findings(R"("names": ["a"], "action": "SCMP_ACT_NOTIFY")"),
                           "/linux/seccomp/listenerPath", "required by SCMP_ACT_NOTIFY"));
  EXPECT_TRUE(only_finding(
      seccomp_findings(agent + R"("syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}])"),
      "/linux/seccomp/syscalls/0/names/1", "cannot be used for the write syscall"));
  EXPECT_TRUE(only_finding(seccomp_findings(agent + R"("defaultAction": "SCMP_ACT_NOTIFY")"),
                           "/linux/seccomp/defaultAction", "cannot be the default"));
}

TEST(CheckSeccomp, MetadataNeedsAListenerWithAnAbsolutePath) {
  EXPECT_TRUE(only_finding(seccomp_findings(R"("listenerMetadata": "x")"), "/linux/seccomp/listenerMetadata",
                           "without listenerPath"));
  EXPECT_TRUE(
      only_finding(seccomp_findings(R"("listenerPath": "agent")"), "/linux/seccomp/listenerPath", "relative path"));
}

}  // namespace

}  // namespace skiff::spec
