// SIGKILL of the monitor, of the container, of the command that creates one: the next command sees what is, and
// nothing stays.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

using Nothing = std::vector<std::string>;

TEST(ComposeKilled, WithoutItsMonitorAContainerRunsOnAndIsStopped) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const int monitor = rig.run_record("c")["monitorPid"];
  ASSERT_EQ(::kill(monitor, SIGKILL), 0);
  ASSERT_TRUE(wait_for_end(monitor));
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "running");
  EXPECT_EQ(rig.compose({"exec", "c", "echo", "inside"}).out, "inside\n");
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
  EXPECT_EQ(rig.compose({"start", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeKilled, AContainerThatEndsWithoutItsMonitorIsSeenToHaveEnded) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const Json run = rig.run_record("c");
  ASSERT_EQ(::kill(run["monitorPid"], SIGKILL), 0);
  ASSERT_TRUE(wait_for_end(run["monitorPid"]));
  ASSERT_EQ(::kill(run["pid"], SIGKILL), 0);
  ASSERT_TRUE(wait_for_end(run["pid"]));
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 255);
  EXPECT_EQ(rig.compose({"rm", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeKilled, AKilledContainerIs137) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  ASSERT_EQ(::kill(rig.run_record("c")["pid"], SIGKILL), 0);
  EXPECT_EQ(rig.compose({"wait", "c"}).out, "137\n");
}

TEST(ComposeKilled, AnotherBootLeavesNothingRunning) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const std::string id = rig.start({"--name", "c"}, "sleep 1000");
  const std::string file = rig.state() + "/containers/" + id + "/run.json";
  const Json run = Json::parse(read_file(file));
  Json other = run;
  other["bootId"] = "00000000-0000-0000-0000-000000000000";
  write_file(file, other.dump());
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 255);
  write_file(file, run.dump());
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
}

// At a different moment each time: whatever was made by then, the next create sweeps it away, and the name is free.
TEST(ComposeKilled, ACreateThatIsKilledAnywhereLeavesNothingForTheNext) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  for (int milliseconds = 1; milliseconds < 60; milliseconds += 3) {
    const std::string seconds = "0.0" + std::string(milliseconds < 10 ? "0" : "") + std::to_string(milliseconds);
    std::vector<std::string> words = {"/usr/bin/timeout", "-s", "KILL", seconds};
    for (const std::string &word :
         rig.words({"create", "--name", "c", "--network", "none", "-v", "/data", "busybox", "true"})) {
      words.push_back(word);
    }
    const Outcome created = run_program(words);
    if (created.code == 0) {
      ASSERT_EQ(rig.compose({"rm", "-v", "c"}).code, 0);
    }
  }
  // One may have come to its end before it could tell.
  (void)rig.compose({"rm", "-fv", "c"});
  const Outcome created = rig.compose({"create", "--name", "c", "--network", "none", "busybox", "true"});
  EXPECT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(rig.compose({"rm", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeKilled, AStartThatIsKilledAnywhereLeavesWhatStartsAgain) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(rig.compose({"create", "--name", "c", "--network", "none", "busybox", "sleep", "1000"}).code, 0);
  for (int milliseconds = 1; milliseconds < 50; milliseconds += 4) {
    const std::string seconds = "0.0" + std::string(milliseconds < 10 ? "0" : "") + std::to_string(milliseconds);
    std::vector<std::string> words = {"/usr/bin/timeout", "-s", "KILL", seconds};
    for (const std::string &word : rig.words({"start", "c"})) words.push_back(word);
    (void)run_program(words);
    ASSERT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  }
  EXPECT_EQ(rig.compose({"start", "c"}).code, 0);
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "running");
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

}  // namespace
}  // namespace skiff::rig
