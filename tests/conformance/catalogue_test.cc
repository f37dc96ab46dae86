#include <gtest/gtest.h>

#include <algorithm>

#include "conformance/clauses/clauses.h"
#include "conformance/report.h"

namespace skiff::conformance {
namespace {

Verdict pass(Stage & /*stage*/) { return {}; }

bool tells(const std::vector<std::string> &lines, std::string_view line) {
  return std::ranges::find(lines, line) != lines.end();
}

TEST(Catalogue, EveryClauseHasACaseOrAReasonAndEveryCaseAClause) {
  EXPECT_EQ(check_catalogue(all_cases()), std::vector<std::string>{});
}

TEST(Catalogue, IdsAreUnique) {
  std::vector<std::string_view> ids;
  for (const Clause &clause : all_clauses()) ids.push_back(clause.id);
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(Catalogue, AClauseWithoutACaseIsFound) {
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [](const Case &one) { return one.clauses.find("config.mounts.order") != one.clauses.npos; });
  EXPECT_TRUE(tells(check_catalogue(cases), "config.mounts.order has no case and no reason"));
}

TEST(Catalogue, ACaseThatCitesNothingOrTheUnknownIsFound) {
  const std::vector<Case> cases = {
      {"a/b", "no.such.clause", pass}, {"a/c", "", pass}, {"a/c", "bundle.config.name", pass}};
  const std::vector<std::string> wrong = check_catalogue(cases);
  EXPECT_TRUE(tells(wrong, "case a/b cites no.such.clause, which is no clause"));
  EXPECT_TRUE(tells(wrong, "case a/c cites no clause"));
  EXPECT_TRUE(tells(wrong, "two cases are named a/c"));
}

TEST(Catalogue, AReasonBesideACaseIsFound) {
  const std::vector<Case> cases = {{"a/b", "linux.rdt.tasks", pass}};
  EXPECT_TRUE(tells(check_catalogue(cases), "linux.rdt.tasks has a case and a reason"));
}

TEST(Catalogue, CasesAreNamedByTopic) {
  for (const Case &one : all_cases()) EXPECT_EQ(std::ranges::count(one.name, '/'), 1) << one.name;
}

}  // namespace
}  // namespace skiff::conformance
