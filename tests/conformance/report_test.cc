#include "conformance/report.h"

#include <gtest/gtest.h>

namespace skiff::conformance {
namespace {

constexpr Case one = {"topic/first", "config.mounts.order runtime.kill.sends", nullptr};
constexpr Case two = {"topic/second", "bundle.config.name", nullptr, "", "both are wrong"};

const std::vector<Runtime> runtimes = {{"skiff", {"/bin/skiff"}}, {"other", {"/bin/other"}}};
const std::vector<Finding> findings = {
    {.of = &one, .runtime = 0, .mark = Mark::passed, .text = "", .time = std::chrono::milliseconds(1500)},
    {.of = &one, .runtime = 1, .mark = Mark::skipped, .text = "no <such> thing", .time = {}},
    {.of = &two, .runtime = 0, .mark = Mark::failed, .text = "expected \"a\" & saw\n\"b\"", .time = {}},
    {.of = &two, .runtime = 1, .mark = Mark::failed, .text = "x", .time = {}}};

TEST(Report, TapNumbersAndExplains) {
  EXPECT_EQ(tap_head(4), "TAP version 13\n1..4\n");
  EXPECT_EQ(tap_of(findings[0], "skiff", 1), "ok 1 - skiff topic/first\n");
  EXPECT_EQ(tap_of(findings[1], "other", 2), "ok 2 - other topic/first # SKIP no <such> thing\n");
  EXPECT_EQ(tap_of(findings[2], "skiff", 3),
            "not ok 3 - skiff topic/second\n  ---\n  message: \"expected \\\"a\\\" & saw \\\"b\\\"\"\n"
            "  clauses: [bundle.config.name]\n  ...\n");
}

TEST(Report, JunitIsXmlWithASuiteARuntime) {
  const std::string xml = junit_of(findings, runtimes);
  EXPECT_NE(xml.find("<testsuite name=\"skiff\" tests=\"2\" failures=\"1\" skipped=\"0\" time=\"1.500\">"),
            std::string::npos)
      << xml;
  EXPECT_NE(xml.find("<testsuite name=\"other\" tests=\"2\" failures=\"1\" skipped=\"1\" time=\"0.000\">"),
            std::string::npos);
  EXPECT_NE(xml.find("<testcase classname=\"topic\" name=\"first\" time=\"1.500\"/>"), std::string::npos);
  EXPECT_NE(xml.find("<skipped message=\"no &lt;such&gt; thing\"/>"), std::string::npos);
  EXPECT_NE(xml.find("<failure message=\"expected &quot;a&quot; &amp; saw\n&quot;b&quot;\">"), std::string::npos);
}

TEST(Report, AFailureNamesItsClauses) {
  const std::string text = text_of(findings[2], "skiff");
  EXPECT_NE(text.find("FAILED: topic/second (skiff)"), std::string::npos) << text;
  EXPECT_NE(text.find("bundle.config.name (bundle.md, Container Format): "), std::string::npos) << text;
  EXPECT_NE(text.find("in doubt: both are wrong"), std::string::npos) << text;
  EXPECT_EQ(text_of(findings[0], "skiff"), "");
}

TEST(Report, MatrixHasARowACaseAndTellsWhatPassesNowhere) {
  const std::string text = matrix_of(findings, runtimes);
  EXPECT_NE(text.find("topic/first   ok       skipped"), std::string::npos) << text;
  EXPECT_NE(text.find("topic/second  FAILED   FAILED"), std::string::npos) << text;
  EXPECT_NE(text.find("passes nowhere: topic/second: both are wrong"), std::string::npos) << text;
  EXPECT_NE(text.find("skiff: 1 passed, 1 failed, 0 skipped\n"), std::string::npos) << text;
}

TEST(Report, ListGivesEachClauseItsCasesOrItsReason) {
  const std::string text = list_of({one});
  EXPECT_NE(text.find("config.mounts.order (config.md, Mounts)\n    mounts are made in the order of the list\n"
                      "    case topic/first\n"),
            std::string::npos);
  EXPECT_NE(text.find("    no case: "), std::string::npos);
}

}  // namespace
}  // namespace skiff::conformance
