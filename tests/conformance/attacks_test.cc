// Each attack can succeed: a runtime that goes by paths falls to all of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "conformance/attacks/attack.h"
#include "conformance/ground.h"
#include "conformance/judge.h"
#include "runtime/kernel/path.h"
#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

// Of all attacks on the program, those that the table calls successful.
void expect_all_succeed(const std::vector<std::string> &flags, const std::string &program) {
  std::vector<std::string> words = {SKIFF_JUDGE, "attacks"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(program);
  const Outcome outcome = run_program(words);
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  std::set<std::string> succeeded;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("SUCCEEDED: ")) succeeded.insert(line.substr(11, line.find(' ', 11) - 11));
  }
  for (const conformance::Case &one : conformance::attacks_on(std::filesystem::path(program).filename().string())) {
    EXPECT_TRUE(succeeded.contains(std::string(one.name))) << one.name << "\n" << outcome.out;
  }
}

TEST(Attacks, EveryOneSucceedsAgainstARuntimeThatGoesByPaths) {
  REQUIRE_ROOT();
  // A race ends with its first success, which on a busy machine may take a while: whoever exchanges the files runs only
  // now and then. So many tries are made by a race alone that cannot be won.
  expect_all_succeed({"--jobs", "6", "--tries", "4000"}, SKIFF_WEAK_RUNTIME);
}

TEST(Attacks, EveryOneSucceedsAgainstAnUnpackerThatGoesByPaths) {
  REQUIRE_ROOT();
  // One of them is that it does not end.
  expect_all_succeed({"--jobs", "6", "--timeout", "15s"}, SKIFF_WEAK_UNPACKER);
}

TEST(Attacks, EveryOneSucceedsAgainstCopiesThatGoByPaths) {
  REQUIRE_ROOT();
  expect_all_succeed({"--jobs", "4", "--tries", "100000"}, SKIFF_WEAK_COMPOSE);
}

// A directory, forgotten open, under a number that something of the judge could have.
conformance::Verdict leak_and_count(conformance::Stage &stage) {
  TRY(conformance::make_directory(stage.path("leaked")));
  (void)TRY(conformance::leak_directory(stage.path("leaked")));
  const kernel::Fd own = TRY(kernel::open("/proc/self/fd", O_RDONLY | O_DIRECTORY));
  stage.note(std::to_string(TRY(kernel::list_directory(own)).size()));
  return {};
}

TEST(Attacks, WhatOneFindsOpenDoesNotDependOnThoseBesideIt) {
  REQUIRE_ROOT();
  const std::vector<conformance::Case> cases(10, {"leak", "", leak_and_count});
  const std::vector<conformance::Runtime> runtimes = {{"none", {"/bin/false"}}};
  const Result<conformance::Ground> ground = conformance::Ground::make();
  ASSERT_TRUE(ground) << ground.error().message();
  const Result<std::vector<conformance::Finding>> findings = conformance::judge({.cases = &cases,
                                                                                 .runtimes = &runtimes,
                                                                                 .directory = ground->directory(),
                                                                                 .program = ground->program(),
                                                                                 .cgroup = ground->cgroup(),
                                                                                 .jobs = 10,
                                                                                 .patience = std::chrono::minutes(1)},
                                                                                [](const conformance::Finding &) {});
  ASSERT_TRUE(findings) << findings.error().message();
  for (const conformance::Finding &finding : *findings) {
    EXPECT_EQ(finding.mark, conformance::Mark::passed) << finding.text;
    EXPECT_EQ(finding.text, findings->front().text);
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
