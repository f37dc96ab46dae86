#include "compose/restart_policy.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RunRecord ended(int code) {
  RunRecord run;
  run.started = "2026-01-01T00:00:00Z";
  run.exit_code = code;
  return run;
}

Restart policy(Restart::Policy word) {
  Restart restart;
  restart.policy = word;
  return restart;
}

TEST(RestartPolicy, DoublesTheWaitUpToAMinute) {
  const Restart always = policy(Restart::Policy::always);
  EXPECT_EQ(restart_delay(always, ended(0), {.count = 0}), milliseconds(100));
  EXPECT_EQ(restart_delay(always, ended(0), {.count = 3}), milliseconds(800));
  EXPECT_EQ(restart_delay(always, ended(0), {.count = 9}), milliseconds(51200));
  EXPECT_EQ(restart_delay(always, ended(0), {.count = 40}), seconds(60));
}

TEST(RestartPolicy, BeginsAnewAfterTenSecondsOfRunning) {
  RestartStreak streak{.count = 5};
  streak.take(seconds(9), {});
  EXPECT_EQ(streak.count, 5);
  streak.take(seconds(10), {});
  EXPECT_EQ(streak.count, 0);
}

TEST(RestartPolicy, OnFailureLooksAtTheExitCodeAndTheRetries) {
  Restart restart = policy(Restart::Policy::on_failure);
  restart.max_retries = 2;
  EXPECT_FALSE(restart_delay(restart, ended(0), {}));
  EXPECT_TRUE(restart_delay(restart, ended(1), {.count = 1}));
  EXPECT_FALSE(restart_delay(restart, ended(1), {.count = 2}));
}

TEST(RestartPolicy, WhatWasStoppedByHandStaysSo) {
  RunRecord run = ended(137);
  run.stopped_by_user = true;
  EXPECT_FALSE(restart_delay(policy(Restart::Policy::always), run, {}));
  EXPECT_FALSE(restart_delay(policy(Restart::Policy::unless_stopped), run, {}));
}

TEST(RestartPolicy, AFirstStartThatFailsIsNotTriedAgain) {
  RunRecord run = ended(127);
  run.started.clear();
  EXPECT_FALSE(restart_delay(policy(Restart::Policy::always), run, {}));
  run.restarts = 1;
  EXPECT_TRUE(restart_delay(policy(Restart::Policy::always), run, {}));
}

TEST(RestartPolicy, ADelayOfTheServiceIsTaken) {
  Restart restart = policy(Restart::Policy::always);
  restart.delay = seconds(3);
  EXPECT_EQ(restart_delay(restart, ended(0), {.count = 7}), seconds(3));
  EXPECT_FALSE(restart_delay(policy(Restart::Policy::no), ended(1), {}));
}

}  // namespace
}  // namespace skiff::compose
