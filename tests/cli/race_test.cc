// Commands on one container at the same time: each ends, the container is in one of the states the spec knows, and
// delete --force removes all of it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Race, OfTwoCreatesWithOneIdExactlyOneWins) {  // runtime.md#create: the ID MUST be unique
  REQUIRE_ROOT();
  Rig rig;
  rig.script("true");
  for (int round = 0; round < 8; ++round) {
    const std::vector<std::string> words = command_line(rig, {"create", rig.id()});
    kernel::Child one = start_quietly(words);
    kernel::Child other = start_quietly(words);
    const int sum = wait_for_code(one) + wait_for_code(other);
    EXPECT_EQ(sum, 1) << "round " << round;
    EXPECT_EQ(rig.state()["status"], "created");
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Race, OfTwoStartsExactlyOneWins) {  // runtime.md#start
  REQUIRE_ROOT();
  Rig rig;
  rig.script("sleep 1000");
  for (int round = 0; round < 8; ++round) {
    ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
    const std::vector<std::string> words = command_line(rig, {"start", rig.id()});
    kernel::Child one = start_quietly(words);
    kernel::Child other = start_quietly(words);
    EXPECT_EQ(wait_for_code(one) + wait_for_code(other), 1) << "round " << round;
    EXPECT_EQ(rig.state()["status"], "running");
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Race, AStartAndADeleteForceAtOnceLeaveNothing) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("sleep 1000");
  const std::vector<std::string> starting = command_line(rig, {"start", rig.id()});
  const std::vector<std::string> removing = command_line(rig, {"delete", "--force", rig.id()});
  for (int round = 0; round < 8; ++round) {
    ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
    kernel::Child start = start_quietly(starting);
    kernel::Child remove = start_quietly(removing);
    EXPECT_GE(wait_for_code(start), 0) << "start hangs, round " << round;
    EXPECT_EQ(wait_for_code(remove), 0) << "round " << round;
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Race, ACreateAndADeleteForceAtOnceLeaveAtMostTheWholeContainer) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("sleep 1000");
  const std::vector<std::string> creating = command_line(rig, {"create", rig.id()});
  const std::vector<std::string> removing = command_line(rig, {"delete", "--force", rig.id()});
  for (int round = 0; round < 12; ++round) {
    kernel::Child create = start_quietly(creating);
    kernel::Child remove = start_quietly(removing);
    EXPECT_GE(wait_for_code(create), 0) << "create hangs, round " << round;
    EXPECT_EQ(wait_for_code(remove), 0) << "round " << round;
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Race, TwoDeletesOfAStoppedContainerLeaveNothing) {
  REQUIRE_ROOT();
  Rig rig;
  for (int round = 0; round < 8; ++round) {
    ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
    const std::vector<std::string> words = command_line(rig, {"delete", "--force", rig.id()});
    kernel::Child one = start_quietly(words);
    kernel::Child other = start_quietly(words);
    EXPECT_EQ(wait_for_code(one), 0) << "round " << round;
    EXPECT_EQ(wait_for_code(other), 0) << "round " << round;
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Race, AnExecWhileTheContainerIsDeletedEnds) {
  REQUIRE_ROOT();
  Rig rig;
  for (int round = 0; round < 4; ++round) {
    rig.start_waiting();
    kernel::Child exec = start_quietly(command_line(rig, {"exec", rig.id(), "sleep", "1000"}));
    kernel::Child remove = start_quietly(command_line(rig, {"delete", "--force", rig.id()}));
    EXPECT_GT(wait_for_code(exec), 0) << "round " << round;
    EXPECT_EQ(wait_for_code(remove), 0) << "round " << round;
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
    ASSERT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
    std::remove((rig.rootfs() + "/tmp/waiting").c_str());
  }
}

TEST(Race, ListAndStateStayUsableWhileContainersComeAndGo) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("true");
  const std::vector<std::string> running = command_line(rig, {"run", rig.id()});
  const std::vector<std::string> listing = command_line(rig, {"list", "--format", "json"});
  const std::vector<std::string> asking = command_line(rig, {"state", rig.id()});
  for (int round = 0; round < 10; ++round) {
    kernel::Child run = start_quietly(running);
    const Outcome list = run_program(listing);
    EXPECT_EQ(list.code, 0) << list.err;
    EXPECT_TRUE(Json::accept(list.out)) << list.out;
    const Outcome state = run_program(asking);
    EXPECT_TRUE(state.code == 0 ? Json::accept(state.out) : !state.err.empty());
    EXPECT_EQ(wait_for_code(run), 0) << "round " << round;
  }
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

}  // namespace
}  // namespace skiff::rig
