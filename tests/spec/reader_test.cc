#include "spec/reader.h"

#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> parse_findings(const std::string &json) { return parse_config(json).findings; }

// Encoding as other runtimes' readers have it: an integer is written as one.
TEST(Reader, RefusesIntegersWithFractionOrExponent) {
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("user": {"uid": 1.0})")), "/process/user/uid",
                           "expected an integer from 0 to 4294967295, found 1.0; write it without fraction"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("user": {"uid": 1e3})")), "/process/user/uid", "1e3"));
}

TEST(Reader, RefusesNumbersOutOfTheirType) {
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("user": {"uid": -1})")), "/process/user/uid",
                           "expected an integer from 0 to 4294967295, found -1"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("user": {"gid": 4294967296})")), "/process/user/gid",
                           "found 4294967296"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_resources(R"("memory": {"limit": 9223372036854775808})")),
                           "/linux/resources/memory/limit", "found 9223372036854775808"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_resources(R"("blockIO": {"weight": 65536})")),
                           "/linux/resources/blockIO/weight", "0 to 65535"));
}

TEST(Reader, TakesTheWholeRangeOfATypes) {
  const Parsed parsed = parse_config(config_with_linux(
      R"("resources": {"memory": {"limit": -9223372036854775808, "swap": 9223372036854775807,
         "swappiness": 18446744073709551615}})"));
  ASSERT_TRUE(no_finding(parsed.findings));
  const Memory &memory = *parsed.config.linux_.resources->memory;
  EXPECT_EQ(memory.limit, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(memory.swap, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(memory.swappiness, std::numeric_limits<std::uint64_t>::max());
}

TEST(Reader, SaysWhatItFoundAndHowToWriteIt) {
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("terminal": "true")")), "/process/terminal",
                           "expected a boolean, found the string \"true\"; write it without quotes"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("cwd": 5)")), "/process/cwd",
                           "expected a string, found 5; write it in quotes"));
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("args": "sh")")), "/process/args",
                           "expected an array, found the string \"sh\"; put it in brackets"));
  EXPECT_TRUE(
      only_finding(parse_findings(config_with(R"("mounts": {})")), "/mounts", "expected an array, found an object"));
}

TEST(Reader, NamesTheClauseOfTheField) {
  const auto findings = parse_findings(config_with_linux(R"("sysctl": 1, "uidMappings": 2, "resources": {"cpu": 3})"));
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].clause, "config-linux.md, User namespace mappings");
  EXPECT_EQ(findings[1].clause, "config-linux.md, Sysctl");
  EXPECT_EQ(findings[2].clause, "config-linux.md, Control groups");
}

TEST(Reader, AWrongElementKeepsItsPlace) {
  const Parsed parsed = parse_config(config_with_process(R"("env": ["A=1", 2, "B=3"])"));
  EXPECT_TRUE(only_finding(parsed.findings, "/process/env/1", "found 2"));
  EXPECT_EQ(parsed.config.process->env, (std::vector<std::string>{"A=1", "", "B=3"}));
}

TEST(Reader, TreatsNullAsAbsent) {
  const Parsed parsed = parse_config(config_with(R"("process": null, "hooks": null, "annotations": {"a": null})"));
  EXPECT_TRUE(no_finding(parsed.findings));
  EXPECT_FALSE(parsed.config.process);
  EXPECT_TRUE(parsed.config.annotations.empty());
  EXPECT_TRUE(only_finding(parse_findings(config_with(R"("mounts": [null])")), "/mounts/0", "found null; remove it"));
}

// config.md, Extensibility
TEST(Reader, IgnoresUnknownProperties) {
  EXPECT_TRUE(no_finding(findings_of(config_with(R"("windows": {"layerFolders": 1}, "x-mine": [[[]]])"))));
}

TEST(Reader, ReportsARequiredMemberThatIsAbsent) {
  EXPECT_TRUE(only_finding(parse_findings(config_with_process(R"("rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1}])")),
                           "/process/rlimits/0/soft", "is required (config.md, POSIX process)"));
}

TEST(Reader, SuggestsTheNameThatWasMeant) {
  EXPECT_TRUE(only_finding(parse_findings(config_with(R"("linux": {"namespaces": [{"type": "net"}]})")),
                           "/linux/namespaces/0/type", R"(unknown value "net"; did you mean "network"?)"));
}

TEST(Reader, RefusesNulWhereTheKernelReads) {
  EXPECT_TRUE(only_finding(findings_of(config_with_process(R"("cwd": "/a\u0000b")")), "/process/cwd", "NUL"));
  EXPECT_TRUE(only_finding(findings_of(config_with_process(R"("env": ["A=\u0000"])")), "/process/env/0", "NUL"));
  EXPECT_TRUE(only_finding(findings_of(config_with_linux(R"("sysctl": {"net.a\u0000": "1"})")),
                           "/linux/sysctl/net.a" + std::string(1, '\0'), "NUL"));
  EXPECT_TRUE(no_finding(findings_of(config_with(R"("annotations": {"a": "b\u0000"})"))));
}

}  // namespace

}  // namespace skiff::spec
