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

}  // namespace

}  // namespace skiff::spec
