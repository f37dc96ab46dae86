// pause and resume: the freezer, and that no state of it can keep a container from being removed.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Pause, FreezesAndResumeThaws) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome paused = rig.skiff({"pause", rig.id()});
  ASSERT_EQ(paused.code, 0) << paused.err;
  EXPECT_EQ(rig.state()["status"], "paused");
  EXPECT_EQ(rig.skiff({"pause", rig.id()}).code, 1);
  const Outcome resumed = rig.skiff({"resume", rig.id()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(rig.state()["status"], "running");
  EXPECT_EQ(rig.skiff({"resume", rig.id()}).code, 1);
}

TEST(Pause, ACreatedContainerThatIsPausedIsStartedOnlyAfterItIsResumed) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("true");
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"resume", rig.id()}).code, 1);
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  EXPECT_EQ(rig.state()["status"], "paused");
  const Outcome refused = rig.skiff({"start", rig.id()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("cannot start a container in the paused state"), std::string::npos) << refused.err;
  ASSERT_EQ(rig.skiff({"resume", rig.id()}).code, 0);
  EXPECT_EQ(rig.state()["status"], "created");
  EXPECT_EQ(rig.skiff({"start", rig.id()}).code, 0);
}

TEST(Pause, SigkillEndsAPausedContainer) {
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Pause, DeleteForceRemovesAPausedContainer) {
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 1);
  const Outcome forced = rig.skiff({"delete", "--force", rig.id()});
  EXPECT_EQ(forced.code, 0) << forced.err;
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Pause, APausedContainerTakesNoExecUnlessAskedTo) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  const Outcome refused = rig.skiff({"exec", rig.id(), "true"});
  EXPECT_EQ(refused.code, 255);
  EXPECT_NE(refused.err.find("paused"), std::string::npos) << refused.err;
  kernel::Child child = start_quietly(command_line(rig, {"exec", "--ignore-paused", rig.id(), "true"}));
  const Outcome resumed = rig.skiff({"resume", rig.id()});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(wait_for_code(child), 0);
}

TEST(Pause, AStoppedContainerIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"pause", rig.id()}).code, 1);
  EXPECT_EQ(rig.skiff({"resume", rig.id()}).code, 1);
}

}  // namespace
}  // namespace skiff::rig
