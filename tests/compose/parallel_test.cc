#include "compose/parallel.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/kernel/fd.h"

namespace skiff::compose {
namespace {

using Fate = Schedule::Fate;

Job job(std::string name, std::function<Result<std::string>()> run, const std::vector<std::size_t> &after = {}) {
  Job made{.task = {.name = std::move(name)}, .run = std::move(run)};
  for (const std::size_t one : after) made.task.after.push_back({.task = one});
  return made;
}

TEST(Parallel, WhatOneTellsALaterOneSees) {
  std::vector<std::string> told(2);
  const std::vector<Job> jobs = {job("create", [] { return Result<std::string>("id"); }),
                                 job("start", [&] { return Result<std::string>("started " + told[0]); }, {0})};
  const auto outcomes =
      run_parallel(jobs, {.report = [&](std::size_t task, const Outcome &outcome) { told[task] = outcome.answer; }});
  ASSERT_TRUE(outcomes) << outcomes.error().message();
  EXPECT_EQ((*outcomes)[1].answer, "started id");
  EXPECT_TRUE(gather_failures(jobs, *outcomes));
}

TEST(Parallel, AJobTellsHowFarItIs) {
  const std::vector<Job> jobs = {{.task = {.name = "pull"}, .run_telling = [](const Tell &tell) -> Result<std::string> {
                                    tell("1 of 2");
                                    tell("2 of 2");
                                    return "pulled";
                                  }}};
  std::vector<std::string> told;
  const auto outcomes =
      run_parallel(jobs, {.report = [&](std::size_t, const Outcome &outcome) { told.push_back(outcome.answer); }});
  ASSERT_TRUE(outcomes) << outcomes.error().message();
  EXPECT_EQ(told, (std::vector<std::string>{"", "1 of 2", "2 of 2", "pulled"}));
  EXPECT_EQ((*outcomes)[0].fate, Fate::done);
}

// Neither can end before the other has begun.
TEST(Parallel, TheyRunAtTheSameTime) {
  const kernel::Pipe there = *kernel::pipe2();
  const kernel::Pipe back = *kernel::pipe2();
  const auto meet = [](const kernel::Fd &mine, const kernel::Fd &theirs) -> Result<std::string> {
    TRY(kernel::write_all(mine, "x"));
    char letter = 0;
    TRY(kernel::read_some(theirs, {&letter, 1}));
    return std::string(1, letter);
  };
  const std::vector<Job> jobs = {job("a", [&] { return meet(there.write, back.read); }),
                                 job("b", [&] { return meet(back.write, there.read); })};
  const auto outcomes = run_parallel(jobs, {.limit = 2});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ((*outcomes)[0].answer + (*outcomes)[1].answer, "xx");
}

TEST(Parallel, AFailureIsToldWholeWithWhoWasLeftAlone) {
  const std::vector<Job> jobs = {
      job("shop-db-1", []() -> Result<std::string> { return fail(ENOENT, "service db: image", "pull it"); }),
      job("shop-web-1", [] { return Result<std::string>(""); }, {0})};
  const auto outcomes = run_parallel(jobs, {});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ((*outcomes)[0].error->number, ENOENT);
  EXPECT_EQ((*outcomes)[1].fate, Fate::skipped);
  EXPECT_EQ(gather_failures(jobs, *outcomes).error().message(),
            "service db: image: no such file or directory; pull it\n"
            "  shop-web-1 was left alone: it waits for shop-db-1");
}

TEST(Parallel, AProcessThatIsKilledIsAnErrorOfItsTask) {
  const std::vector<Job> jobs = {job("a", []() -> Result<std::string> {
    (void)::kill(::getpid(), SIGKILL);
    return "";
  })};
  const auto outcomes = run_parallel(jobs, {});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ((*outcomes)[0].error->message(), "the process that was at it ended by signal 9");
}

TEST(Parallel, NothingIsBegunAfterAFailureWhereThatIsAskedFor) {
  const std::vector<Job> jobs = {job("a", []() -> Result<std::string> { return fail("no"); }),
                                 job("b", [] { return Result<std::string>(""); })};
  const auto outcomes = run_parallel(jobs, {.limit = 1, .stop_at_failure = true});
  ASSERT_TRUE(outcomes);
  EXPECT_EQ((*outcomes)[1].fate, Fate::skipped);
}

}  // namespace
}  // namespace skiff::compose
