// Restart policies, by the supervisor that outlives the command.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/cli/compose/engine_rig.h"

namespace skiff::rig {
namespace {

class RestartProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

// Each run leaves a file; the one of that number stays.
std::string counting(int last) {
  return "n=$(ls /out | wc -l); : >/out/$n; [ $n -lt " + std::to_string(last) + " ] || exec sleep 1000; exit 3";
}

std::vector<std::string> flags_of(const EngineRig &rig, const std::string &policy) {
  return {"-d", "--name", "c", "--network", "none", "-v", rig.out() + ":/out", "--restart", policy};
}

TEST_F(RestartProgram, OneThatFailsIsStartedAgainWithoutTheCommand) {
  EngineRig rig;
  const Outcome run = rig.run(flags_of(rig, "always"), counting(3));
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(wait_for_file(rig.out() + "/3"));
  EXPECT_EQ(rig.inspect("c")["RestartCount"], 3);
}

TEST_F(RestartProgram, WithoutAPolicyItStaysAsItEnded) {
  EngineRig rig;
  ASSERT_EQ(rig.run(flags_of(rig, "no"), counting(1000)).code, 0);
  const Outcome waited = rig.compose({"wait", "c"});
  EXPECT_EQ(waited.out, "3\n") << waited.err;
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
  EXPECT_EQ(rig.inspect("c")["RestartCount"], 0);
}

TEST_F(RestartProgram, OnFailureLeavesAloneWhatEndedWell) {
  EngineRig rig;
  ASSERT_EQ(
      rig.run(flags_of(rig, "on-failure"), "[ -e /out/once ] && { : >/out/twice; exit 0; }; : >/out/once; exit 3").code,
      0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/twice"));
  for (const int pid : rig.processes("container-")) EXPECT_TRUE(wait_for_end(pid));
  EXPECT_EQ(rig.inspect("c")["State"]["ExitCode"], 0);
  EXPECT_EQ(rig.inspect("c")["RestartCount"], 1);
}

TEST_F(RestartProgram, OnFailureGivesUpAfterItsRetriesAndItsSupervisorEnds) {
  EngineRig rig;
  ASSERT_EQ(rig.run(flags_of(rig, "on-failure:2"), counting(1000)).code, 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/2"));
  for (const int pid : rig.processes("container-")) EXPECT_TRUE(wait_for_end(pid));
  EXPECT_FALSE(wait_for_file(rig.out() + "/3", std::chrono::milliseconds(0)));
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
}

TEST_F(RestartProgram, OneThatIsKilledComesBackAndOneThatIsStoppedDoesNot) {
  EngineRig rig;
  ASSERT_EQ(rig.run(flags_of(rig, "unless-stopped"), counting(0)).code, 0);
  ASSERT_TRUE(wait_for_file(rig.out() + "/0"));
  ASSERT_EQ(::kill(rig.inspect("c")["State"]["Pid"], SIGKILL), 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/1"));
  EXPECT_EQ(rig.compose({"stop", "-t", "0", "c"}).code, 0);
  for (const int pid : rig.processes("container-")) EXPECT_TRUE(wait_for_end(pid));
  EXPECT_EQ(rig.inspect("c")["State"]["Status"], "exited");
}

TEST_F(RestartProgram, ASupervisorThatIsKilledIsStartedAgainByTheNextCommand) {
  EngineRig rig;
  ASSERT_EQ(rig.run(flags_of(rig, "always"), counting(0)).code, 0);
  ASSERT_TRUE(wait_for_file(rig.out() + "/0"));
  const std::vector<int> supervisors = rig.processes("container-");
  ASSERT_FALSE(supervisors.empty());
  for (const int pid : supervisors) {
    (void)::kill(pid, SIGKILL);  // the one that starts another is gone by itself
    ASSERT_TRUE(wait_for_end(pid));
  }
  const int pid = rig.inspect("c")["State"]["Pid"];  // the next command
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/1"));
}

TEST_F(RestartProgram, OneWhoseMonitorIsKilledWithItIsStartedAgainToo) {
  EngineRig rig;
  ASSERT_EQ(rig.run(flags_of(rig, "always"), counting(0)).code, 0);
  ASSERT_TRUE(wait_for_file(rig.out() + "/0"));
  const int pid = rig.inspect("c")["State"]["Pid"];
  for (const int monitor : rig.processes("--log-file")) ::kill(monitor, SIGKILL);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(wait_for_file(rig.out() + "/1"));
}

}  // namespace
}  // namespace skiff::rig
