#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

TEST(Parse, ASmallValidDocumentHasNoFinding) { EXPECT_TRUE(no_finding(findings_of(config_with("")))); }

TEST(Parse, ADocumentThatIsNotAnObjectHasOneFinding) {
  EXPECT_TRUE(only_finding(findings_of("[]"), "", "expected an object, found an array"));
  EXPECT_TRUE(only_finding(findings_of("null"), "", "expected an object, found null"));
  EXPECT_TRUE(only_finding(findings_of("\"x\""), "", "expected an object"));
}

TEST(Parse, BrokenJsonHasOnlyItsOwnFinding) {
  EXPECT_TRUE(only_finding(findings_of(R"({"ociVersion": "1.3.0",})"), "", "line 1, column 24"));
  EXPECT_TRUE(only_finding(findings_of(""), "", "the document is empty"));
}

TEST(Parse, ReadsWhatItCanBesideAFinding) {
  const Parsed parsed = parse_config(config_with(R"("hostname": 5, "domainname": "d")"));
  EXPECT_TRUE(only_finding(parsed.findings, "/hostname", "expected a string"));
  EXPECT_EQ(parsed.config.domainname, "d");
  EXPECT_TRUE(parsed.config.process);
}

// config.md, Process; exec --process
TEST(Parse, AProcessAloneHasPointersFromItsOwnRoot) {
  const ParsedProcess parsed = parse_process(R"({"cwd": "x", "args": ["a"], "user": {"uid": "0"}})");
  const auto findings = check(parsed);
  ASSERT_EQ(findings.size(), 2U) << listing(findings);
  EXPECT_EQ(findings[0].pointer, "/user/uid");
  EXPECT_EQ(findings[1].pointer, "/cwd");
}

// config-linux.md, Control groups; update --resources
TEST(Parse, ResourcesAloneHavePointersFromTheirOwnRoot) {
  const ParsedResources parsed = parse_resources(R"({"memory": {"limit": -5}, "pids": {"limit": true}})");
  const auto findings = check(parsed);
  ASSERT_EQ(findings.size(), 2U) << listing(findings);
  EXPECT_EQ(findings[0].pointer, "/pids/limit");
  EXPECT_EQ(findings[1].pointer, "/memory/limit");
}

TEST(Parse, ZeroesOfAnUpdateMeanLeaveItAndAreNoFinding) {
  EXPECT_TRUE(no_finding(check(parse_resources(
      R"({"memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "kernelTCP": 0},
          "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0, "cpus": "",
          "mems": ""}, "blockIO": {"weight": 0}})"))));
}

TEST(Parse, AnEmptyLinuxObjectIsThereAndAnAbsentOneIsNot) {
  EXPECT_TRUE(parse_config(R"({"linux": {}})").config.has_linux);
  EXPECT_FALSE(parse_config(R"({})").config.has_linux);
}

// A caller that writes every member leaves an empty filter for none.
TEST(Parse, ASeccompObjectWithoutActionAndSyscallsIsNone) {
  EXPECT_FALSE(parse_config(config_with_linux(R"("seccomp": {})")).config.linux_.seccomp);
  const Parsed parsed = parse_config(config_with_linux(R"("seccomp": {"defaultAction": "", "syscalls": []})"));
  EXPECT_TRUE(no_finding(check(parsed)));
  EXPECT_FALSE(parsed.config.linux_.seccomp);
}

}  // namespace

}  // namespace skiff::spec
