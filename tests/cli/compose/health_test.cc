// Health checks, run on time by the supervisor.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/cli/compose/engine_rig.h"

namespace skiff::rig {
namespace {

class HealthProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

std::vector<std::string> flags_of(const EngineRig &rig, const std::string &command) {
  return {"-d",
          "--name",
          "c",
          "--network",
          "none",
          "-v",
          rig.out() + ":/out",
          "--health-cmd",
          command,
          "--health-interval",
          "100ms",
          "--health-retries",
          "2"};
}

TEST_F(HealthProgram, GoesFromUnhealthyToHealthyAsItsCheckSays) {
  EngineRig rig;
  const Outcome run = rig.run(flags_of(rig, "test -e /out/good || { echo none yet; exit 1; }"), "exec sleep 1000");
  ASSERT_EQ(run.code, 0) << run.err;
  const std::string sockets = rig.state() + "/run/" + run.out.substr(0, 64);
  EXPECT_TRUE(wait_for_text(sockets, "health", "unhealthy"));
  const Json unhealthy = rig.inspect("c")["State"]["Health"];
  EXPECT_GE(unhealthy["FailingStreak"], 2);
  EXPECT_EQ(unhealthy["Log"][0]["Output"], "none yet\n");
  EXPECT_EQ(unhealthy["Log"][0]["ExitCode"], 1);
  write_file(rig.out() + "/good", "");
  EXPECT_TRUE(wait_for_text(sockets, "health", "healthy"));
  EXPECT_TRUE(rig.compose({"ps"}).out.contains("(healthy)"));
}

TEST_F(HealthProgram, ACheckThatHangsIsKilledWithWhatItRuns) {
  EngineRig rig;
  std::vector<std::string> flags = flags_of(rig, "exec sleep 4242");
  flags.insert(flags.end(), {"--health-timeout", "200ms"});
  const Outcome run = rig.run(flags, "exec sleep 1000");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(wait_for_text(rig.state() + "/run/" + run.out.substr(0, 64), "health", "unhealthy"));
  const Json health = rig.inspect("c")["State"]["Health"];
  EXPECT_EQ(health["Log"][0]["ExitCode"], -1);
  EXPECT_TRUE(std::string(health["Log"][0]["Output"]).contains("exceeded timeout (200 ms)"));
  // One may be at it now, not one for each that was killed.
  const Json top = Json::parse(rig.compose({"top", "--format", "json", "c"}).out);
  EXPECT_LE(std::ranges::count_if(top["Processes"], [](const Json &row) { return row.back() == "sleep 4242"; }), 1);
}

// Failures in the start period do not count, and it is asked more often then.
TEST_F(HealthProgram, TheStartPeriodHasFailuresAndAnIntervalOfItsOwn) {
  EngineRig rig;
  std::vector<std::string> flags = {"-d",
                                    "--name",
                                    "c",
                                    "--network",
                                    "none",
                                    "-v",
                                    rig.out() + ":/out",
                                    "--health-cmd",
                                    "echo x >>/out/asked; test $(wc -l </out/asked) -ge 5",
                                    "--health-interval",
                                    "1h",
                                    "--health-retries",
                                    "1",
                                    "--health-start-period",
                                    "1h",
                                    "--health-start-interval",
                                    "50ms"};
  const Outcome run = rig.run(flags, "exec sleep 1000");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_TRUE(wait_for_text(rig.state() + "/run/" + run.out.substr(0, 64), "health", "healthy"));
  EXPECT_EQ(rig.inspect("c")["State"]["Health"]["FailingStreak"], 0);
}

TEST_F(HealthProgram, NoHealthcheckTakesTheImagesOwnAway) {
  EngineRig rig;
  write_file(rig.path("Dockerfile"),
             "FROM example/checked\nHEALTHCHECK --interval=50ms CMD [\"/bin/busybox\", \"true\"]\n");
  ASSERT_EQ(run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "-q", "minimal", "-t", "example/checked",
                         "/bin/busybox"})
                .code,
            0);
  const Outcome built = run_program({SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "-q", "build", "-t",
                                     "example/own", "-f", rig.path("Dockerfile"), rig.out()});
  ASSERT_EQ(built.code, 0) << built.err;
  const auto run = [&](const std::string &name, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"run", "-d", "--network", "none", "--name", name});
    flags.insert(flags.end(), {"example/own", "/bin/busybox", "sleep", "1000"});
    return rig.compose(flags).out;
  };
  const std::string with = run("with", {});
  EXPECT_TRUE(wait_for_text(rig.state() + "/run/" + with.substr(0, 64), "health", "healthy"));
  run("without", {"--no-healthcheck"});
  EXPECT_FALSE(rig.inspect("without")["State"].contains("Health"));
}

}  // namespace
}  // namespace skiff::rig
