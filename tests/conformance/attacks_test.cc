// Each attack can succeed: a runtime that goes by paths falls to all of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <sstream>

#include "conformance/attacks/attack.h"
#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

TEST(Attacks, EveryOneSucceedsAgainstARuntimeThatGoesByPaths) {
  REQUIRE_ROOT();
  const Outcome outcome = run_program({SKIFF_JUDGE, "attacks", "--jobs", "6", "--tries", "40", SKIFF_WEAK_RUNTIME});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  std::set<std::string> succeeded;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("SUCCEEDED: ")) succeeded.insert(line.substr(11, line.find(' ', 11) - 11));
  }
  for (const conformance::Case &one : conformance::all_attacks()) {
    EXPECT_TRUE(succeeded.contains(std::string(one.name))) << one.name << "\n" << outcome.out;
  }
}

TEST(Attacks, ARuntimeThatRunsNothingHereWithstandsNothing) {
  REQUIRE_ROOT();
  const Outcome outcome = run_program({SKIFF_JUDGE, "attacks", "/bin/false"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("false does not run a plain container here"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
