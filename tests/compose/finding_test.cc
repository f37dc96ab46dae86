#include "compose/finding.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

TEST(Finding, ShowsTheLineWithACaretBelowThePlace) {
  const Source source{.path = "compose.yaml", .text = "services:\n\t\xC3\xA4: imag\n"};
  const Finding finding{
      .at = {&source, 2, 6}, .code = "x", .text = "unknown key \"imag\"", .remedy = "did you mean image?"};
  EXPECT_EQ(finding.message(),
            "compose.yaml:2:6: unknown key \"imag\"; did you mean image?\n  \t\xC3\xA4: imag\n  \t   ^");
}

TEST(Finding, WithoutAPlaceIsOneLine) {
  EXPECT_EQ((Finding{.at = {}, .code = "x", .text = "no service", .remedy = ""}).message(), "no service");
}

TEST(Finding, BeyondTheEndOfTheFileIsShownAtItsEnd) {
  const Source source{.path = "a.ctst", .text = "COMPONENT a {"};
  const Finding finding{.at = {&source, 1, 14}, .code = "x", .text = "} is missing", .remedy = ""};
  EXPECT_EQ(finding.message(), "a.ctst:1:14: } is missing\n  COMPONENT a {\n               ^");
}

TEST(Findings, OnlyErrorsCount) {
  Findings findings;
  findings.warn({}, "unused", "unused");
  EXPECT_FALSE(findings.has_errors());
  findings.error({}, "x", "x");
  EXPECT_TRUE(findings.has_errors());
  EXPECT_EQ(findings.all().size(), 2U);
}

}  // namespace
}  // namespace skiff::compose
