#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

const Finding first = {"/process/cwd", "is required", "config.md, Process", "write \"/\""};

TEST(Findings, AMessageNamesPlaceTextRemedyAndClause) {
  EXPECT_EQ(first.message(), "/process/cwd: is required; write \"/\" (config.md, Process)");
  EXPECT_EQ((Finding{"", "the document is empty", "", ""}.message()), "the document is empty");
}

TEST(Findings, OneFindingIsOneLine) {
  EXPECT_EQ(findings_error("config.json", {first}).message(),
            "config.json: /process/cwd: is required; write \"/\" (config.md, Process)");
}

TEST(Findings, SeveralFindingsAreCountedAndStandOneALine) {
  EXPECT_EQ(
      findings_error("config.json", {first, {"/root", "is required", "", ""}}).message(),
      "config.json: 2 findings\n  /process/cwd: is required; write \"/\" (config.md, Process)\n  /root: is required");
}

// A document of three million mistakes is refused as fast as one of three: each finding costs a walk through it.
TEST(Findings, AfterTwoHundredNoMoreAreLookedFor) {
  constexpr std::size_t mistakes = 300'000;
  std::string json = R"({"hooks": {"poststop": [)";
  for (std::size_t i = 0; i < mistakes; ++i) json += "1,";
  const std::vector<Finding> findings = parse_config(json + "1]}}").findings;
  ASSERT_EQ(findings.size(), 201);
  EXPECT_EQ(findings[199].pointer, "/hooks/poststop/199");
  EXPECT_EQ(findings.back().message(), "and more that are not listed");
  EXPECT_EQ(check(parse_config(json + "1]}}")).size(), 201);
}

}  // namespace

}  // namespace skiff::spec
