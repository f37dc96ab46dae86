#include "compose/schedule.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

using Fate = Schedule::Fate;
using Indices = std::vector<std::size_t>;

Task task(std::string name, const std::vector<std::size_t> &after = {}) {
  Task made{.name = std::move(name)};
  for (const std::size_t one : after) made.after.push_back({.task = one});
  return made;
}

TEST(Schedule, WhatIsWaitedForComesFirstAndTheRestBeginsTogether) {
  Schedule schedule({task("db"), task("cache"), task("web", {0, 1}), task("worker", {1})}, 8);
  EXPECT_EQ(schedule.take(), (Indices{0, 1}));
  EXPECT_TRUE(schedule.take().empty());
  schedule.end(1, true);
  EXPECT_EQ(schedule.take(), Indices{3});
  schedule.end(0, true);
  EXPECT_EQ(schedule.take(), Indices{2});
  EXPECT_FALSE(schedule.is_over());
  schedule.end(3, true);
  schedule.end(2, true);
  EXPECT_TRUE(schedule.is_over());
  EXPECT_TRUE(schedule.all_done());
}

TEST(Schedule, AFailureSkipsWhatWaitsForItHoweverFarAndNothingElse) {
  Schedule schedule({task("db"), task("app", {0}), task("web", {1}), task("cache")}, 8);
  EXPECT_EQ(schedule.take(), (Indices{0, 3}));
  schedule.end(0, false);
  EXPECT_EQ(schedule.fate(1), Fate::skipped);
  EXPECT_EQ(schedule.fate(2), Fate::skipped);
  EXPECT_EQ(schedule.cause(2), 0);
  EXPECT_EQ(schedule.fate(3), Fate::running);
  schedule.end(3, true);
  EXPECT_TRUE(schedule.is_over());
  EXPECT_FALSE(schedule.all_done());
}

TEST(Schedule, AWaitThatIsNotRequiredOutlivesAFailure) {
  std::vector<Task> tasks = {task("metrics"), task("web")};
  tasks[1].after.push_back({.task = 0, .required = false});
  Schedule schedule(tasks, 8);
  EXPECT_EQ(schedule.take(), Indices{0});
  schedule.end(0, false);
  EXPECT_EQ(schedule.take(), Indices{1});
}

TEST(Schedule, OnlySoManyWorkAtOnceButWhoOnlyWaitsTakesNoPlace) {
  std::vector<Task> tasks = {task("a"), task("b"), task("c"), task("health")};
  tasks[3].waits = true;
  Schedule schedule(tasks, 2);
  EXPECT_EQ(schedule.take(), (Indices{0, 1, 3}));
  schedule.end(0, true);
  EXPECT_EQ(schedule.take(), Indices{2});
}

TEST(Schedule, ACircleIsNeverBegunAndEnds) {
  Schedule schedule({task("a", {1}), task("b", {0})}, 8);
  EXPECT_TRUE(schedule.take().empty());
  EXPECT_TRUE(schedule.is_over());
  EXPECT_FALSE(schedule.all_done());
}

TEST(Schedule, NothingBeginsAfterItWasCancelled) {
  Schedule schedule({task("a"), task("b")}, 1);
  EXPECT_EQ(schedule.take(), Indices{0});
  schedule.cancel();
  schedule.end(0, true);
  EXPECT_TRUE(schedule.take().empty());
  EXPECT_TRUE(schedule.is_over());
}

}  // namespace
}  // namespace skiff::compose
