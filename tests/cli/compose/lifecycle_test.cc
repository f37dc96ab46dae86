// start, stop, restart, kill, pause, wait, rm, rename: what becomes of a container.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

using Nothing = std::vector<std::string>;

std::string status(const ComposeRig &rig, const std::string &name) { return rig.inspect(name)["State"]["Status"]; }

TEST(ComposeLifecycle, StopSignalsGentlyAndStartRunsItAgain) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, ComposeRig::waiting());
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  EXPECT_EQ(rig.compose({"stop", "c"}).out, "c\n");
  const Json state = rig.inspect("c")["State"];
  EXPECT_EQ(state["Status"], "exited");
  EXPECT_EQ(state["ExitCode"], 5);
  EXPECT_EQ(rig.compose({"start", "c"}).code, 0);
  EXPECT_EQ(status(rig, "c"), "running");
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeLifecycle, StopKillsWhatDoesNotHear) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 137);
}

// Each ends well only where the other one has been told by then.
TEST(ComposeLifecycle, SeveralAreStoppedAtOnce) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  std::filesystem::create_directory(rig.path("out"));
  for (const auto &[own, other] : {std::pair{"a", "b"}, {"b", "a"}}) {
    (void)rig.start({"--name", own, "-v", rig.path("out") + ":/out"},
                    std::string("trap 'touch /out/") + own + "; until test -e /out/" + other +
                        "; do :; done; exit 0' TERM; echo ready; while true; do sleep 1000 & wait $!; done");
    ASSERT_TRUE(rig.wait_for_log(own, "ready"));
  }
  EXPECT_EQ(rig.compose({"stop", "a", "b"}).out, "a\nb\n");
  EXPECT_EQ(rig.inspect("a")["State"]["ExitCode"], 0);
  EXPECT_EQ(rig.inspect("b")["State"]["ExitCode"], 0);
  EXPECT_EQ(rig.compose({"restart", "a", "b"}).out, "a\nb\n");
  EXPECT_EQ(status(rig, "b"), "running");
  EXPECT_EQ(rig.compose({"kill", "b", "a"}).out, "b\na\n");
  const Outcome removed = rig.compose({"rm", "a", "none", "b"});
  EXPECT_EQ(removed.code, 4) << removed.err;
  EXPECT_EQ(removed.out, "a\nb\n");
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeLifecycle, TheStopSignalIsTheContainersOwn) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "--stop-signal", "USR1"},
                  "trap 'exit 9' USR1; echo ready; while true; do sleep 1000 & wait $!; done");
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  EXPECT_EQ(rig.compose({"stop", "c"}).code, 0);
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 9);
}

TEST(ComposeLifecycle, KillSendsAnySignal) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "trap 'echo heard' HUP; echo ready; while true; do sleep 1000 & wait $!; done");
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  EXPECT_EQ(rig.compose({"kill", "-s", "HUP", "c"}).code, 0);
  EXPECT_TRUE(rig.wait_for_log("c", "heard"));
  EXPECT_EQ(rig.compose({"kill", "c"}).code, 0);
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 137);
  EXPECT_EQ(rig.compose({"kill", "c"}).code, 1);
}

TEST(ComposeLifecycle, PausedIsSeenAndEnds) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"pause", "c"}).code, 0);
  EXPECT_EQ(status(rig, "c"), "paused");
  EXPECT_EQ(rig.compose({"pause", "c"}).code, 1);
  EXPECT_EQ(rig.compose({"unpause", "c"}).code, 0);
  EXPECT_EQ(status(rig, "c"), "running");
  EXPECT_EQ(rig.compose({"pause", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  EXPECT_EQ(status(rig, "c"), "exited");
}

TEST(ComposeLifecycle, WaitPrintsTheExitCode) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "exit 4");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "4\n");
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "4\n");
}

TEST(ComposeLifecycle, RmRefusesWhatRuns) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const Outcome refused = rig.compose({"rm", "c"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("-f"), std::string::npos) << refused.err;
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).out, "c\n");
  EXPECT_EQ(rig.compose({"rm", "c"}).code, 4);
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeLifecycle, ARenamedOneHasItsNewNameAlone) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const std::string id = rig.start({"--name", "old"}, "sleep 1000");
  EXPECT_EQ(rig.compose({"rename", "old", "new"}).code, 0);
  EXPECT_EQ(rig.inspect("new")["Id"], id);
  EXPECT_EQ(rig.compose({"inspect", "old"}).code, 4);
  EXPECT_EQ(rig.compose({"rm", "-f", id.substr(0, 12)}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeLifecycle, StartAttachedEndsWithItsCode) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(
      rig.compose({"create", "-i", "--name", "c", "--network", "none", "busybox", "sh", "-c", "cat; exit 6"}).code, 0);
  EXPECT_EQ(status(rig, "c"), "created");
  const Outcome outcome = rig.compose({"start", "-a", "-i", "c"}, "words\n");
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.out, "words\n");
}

TEST(ComposeLifecycle, WhatItWroteIsThereAfterARestart) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "cat /note; echo kept > /note; echo ready; sleep 1000");
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  EXPECT_EQ(rig.compose({"restart", "-t", "0", "c"}).code, 0);
  EXPECT_TRUE(rig.wait_for_log("c", "kept"));
}

}  // namespace
}  // namespace skiff::rig
