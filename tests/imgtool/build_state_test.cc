#include "imgtool/build_state.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

// The state after the instructions of the last stage, settings alone.
Result<StageState> run(std::string_view text, const BuildRequest &request = {}, StageState state = {}) {
  const BuildPlan plan = TRY(make_build_plan(TRY(parse_dockerfile(text)), request));
  for (const Instruction &instruction : plan.stages.back().instructions) {
    TRY(apply_setting(plan, instruction, state));
  }
  return state;
}

StageState after(std::string_view text, const BuildRequest &request = {}, StageState state = {}) {
  Result<StageState> done = run(std::string("FROM x\n").append(text), request, std::move(state));
  EXPECT_TRUE(done) << done.error().message();
  return done ? std::move(*done) : StageState{};
}

using Words = std::vector<std::string>;

TEST(BuildState, EnvReplacesAndExpandsByWhatWasBefore) {
  const StageState state = after("ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc");
  EXPECT_EQ(state.config.config.env, (Words{"abc=bye", "def=hello", "ghi=bye"}));
}

TEST(BuildState, AnArgumentHasItsScopeAndEnvHidesIt) {
  const std::string_view text =
      "ARG GLOBAL=g\nARG HIDDEN=h\nFROM x\nARG GLOBAL\nARG own=${GLOBAL}2\nENV e=$own/$HIDDEN\n";
  const StageState state = *run(text);
  EXPECT_EQ(state.config.config.env, Words{"e=g2/"});
  EXPECT_EQ(run(text, {.arguments = {{"own", "given"}}})->config.config.env, Words{"e=given/"});
  const StageState hidden = after("ARG a=1\nENV a=2\nLABEL l=$a");
  EXPECT_EQ(hidden.config.config.labels.at("l"), "2");
  EXPECT_EQ(hidden.environment(), Words{"a=2"});
}

TEST(BuildState, WorkdirIsRelativeToTheOneBefore) {
  EXPECT_EQ(after("WORKDIR /a\nWORKDIR b/../c\nWORKDIR ./d/").config.config.working_dir, "/a/c/d");
  EXPECT_EQ(after("ENV d=/x\nWORKDIR $d/y").config.config.working_dir, "/x/y");
  EXPECT_EQ(after("WORKDIR ../../..").config.config.working_dir, "/");
}

TEST(BuildState, CommandsInBothForms) {
  const StageState state = after("SHELL [\"/bin/bash\", \"-ec\"]\nCMD echo $x\nENTRYPOINT [\"/e\", \"$x\"]");
  EXPECT_EQ(state.config.config.cmd, (Words{"/bin/bash", "-ec", "echo $x"}));
  EXPECT_EQ(state.config.config.entrypoint, (Words{"/e", "$x"}));
}

TEST(BuildState, AnEntrypointTakesBackTheCommandOfTheImageBefore) {
  StageState before;
  before.config.config.cmd = Words{"old"};
  EXPECT_FALSE(after("ENTRYPOINT /e", {}, before).config.config.cmd);
  EXPECT_EQ(after("CMD [\"new\"]\nENTRYPOINT /e", {}, before).config.config.cmd, Words{"new"});
  EXPECT_EQ(after("CMD []", {}, before).config.config.cmd, Words{});
}

TEST(BuildState, WhatAContainerOfItHas) {
  const StageState state = after(
      "EXPOSE 80 53/udp 8000-8010/tcp\nVOLUME /a /b\nVOLUME [\"/c d\"]\nUSER app:app\nSTOPSIGNAL SIGQUIT\n"
      "LABEL a=b \"c d\"=\"e f\"\nMAINTAINER me\nHEALTHCHECK --interval=5s --retries=3 CMD curl -f http://localhost\n");
  EXPECT_TRUE(state.config.config.exposed_ports.contains("80/tcp"));
  EXPECT_TRUE(state.config.config.exposed_ports.contains("53/udp"));
  EXPECT_TRUE(state.config.config.exposed_ports.contains("8000-8010/tcp"));
  EXPECT_EQ(state.config.config.volumes.size(), 3U);
  EXPECT_EQ(state.config.config.user, "app:app");
  EXPECT_EQ(state.config.config.stop_signal, "SIGQUIT");
  EXPECT_EQ(state.config.config.labels.at("c d"), "e f");
  EXPECT_EQ(state.config.author, "me");
  ASSERT_TRUE(state.config.config.healthcheck);
  EXPECT_EQ(state.config.config.healthcheck->test, (Words{"CMD-SHELL", "curl -f http://localhost"}));
  EXPECT_EQ(state.config.config.healthcheck->interval, 5'000'000'000);
  EXPECT_EQ(state.config.config.healthcheck->retries, 3);
  EXPECT_EQ(after("HEALTHCHECK NONE").config.config.healthcheck->test, Words{"NONE"});
  EXPECT_EQ(after("HEALTHCHECK CMD [\"a\"]").config.config.healthcheck->test, (Words{"CMD", "a"}));
}

TEST(BuildState, WhatIsWrongIsSaid) {
  for (const std::string_view text : {"EXPOSE 0", "EXPOSE 70000", "EXPOSE 1/abc", "EXPOSE 9-8", "USER $nothing",
                                      "HEALTHCHECK --interval=x CMD a", "HEALTHCHECK what", "ENV x", "ARG =x"}) {
    EXPECT_FALSE(run("FROM x\n" + std::string(text))) << text;
  }
}

}  // namespace
}  // namespace skiff::image
