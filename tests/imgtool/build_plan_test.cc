#include "imgtool/build_plan.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

Result<BuildPlan> try_plan(std::string_view text, const BuildRequest &request = {}) {
  Result<Dockerfile> file = parse_dockerfile(text);
  EXPECT_TRUE(file) << file.error().message();
  return make_build_plan(std::move(*file), request);
}

BuildPlan plan(std::string_view text, const BuildRequest &request = {}) {
  Result<BuildPlan> made = try_plan(text, request);
  EXPECT_TRUE(made) << made.error().message();
  return made ? std::move(*made) : BuildPlan{};
}

std::string error_of(std::string_view text, const BuildRequest &request = {}) {
  const Result<BuildPlan> made = try_plan(text, request);
  EXPECT_FALSE(made) << text;
  return made ? "" : made.error().message();
}

using Order = std::vector<std::size_t>;

constexpr std::string_view four_stages =
    "FROM alpine AS Base\nRUN a\nFROM base AS one\nFROM scratch AS unneeded\nRUN b\n"
    "FROM scratch\nCOPY --from=one /a /a\nCOPY --from=busybox /b /b\n";

TEST(BuildPlan, OnlyWhatTheTargetNeedsIsInTheOrder) {
  const BuildPlan whole = plan(four_stages);
  EXPECT_EQ(whole.stages.size(), 4U);
  EXPECT_EQ(whole.order, (Order{0, 1, 3}));
  EXPECT_EQ(whole.stages[1].base.origin, Origin::stage);
  EXPECT_EQ(whole.stages[0].base.image, "alpine");
  EXPECT_EQ(whole.stages[3].base.origin, Origin::scratch);
  EXPECT_EQ(plan(four_stages, {.target = "UNNEEDED"}).order, Order{2});
  EXPECT_EQ(plan(four_stages, {.target = "1"}).order, (Order{0, 1}));
  EXPECT_NE(error_of(four_stages, {.target = "unneded"}).find("did you mean unneeded?"), std::string::npos);
}

TEST(BuildPlan, ASourceIsAnEarlierStageOrAnImage) {
  const BuildPlan whole = plan(four_stages);
  EXPECT_EQ(find_source(whole, 3, "ONE").stage, 1U);
  EXPECT_EQ(find_source(whole, 3, "0").origin, Origin::stage);
  EXPECT_EQ(find_source(whole, 3, "3").origin, Origin::image);
  EXPECT_EQ(find_source(whole, 1, "one").origin, Origin::image);
}

TEST(BuildPlan, GlobalArgumentsAreForFromAlone) {
  const std::string_view text = "ARG V=1\nARG TAG=v$V\nFROM --platform=$TARGETPLATFORM img:${TAG} AS s$V\nRUN x\n";
  const BuildRequest request{.predefined = {{"TARGETPLATFORM", "linux/arm64"}}};
  EXPECT_EQ(plan(text, request).stages[0].base.image, "img:v1");
  EXPECT_EQ(plan(text, request).stages[0].platform, "linux/arm64");
  EXPECT_EQ(plan(text, request).stages[0].name, "s1");
  EXPECT_EQ(plan(text, {.arguments = {{"V", "2"}}}).stages[0].base.image, "img:v2");
  EXPECT_NE(error_of("ARG X\nFROM $X").find("line 2: FROM $X: the name is empty"), std::string::npos);
}

TEST(BuildPlan, ErrorsNameTheLine) {
  EXPECT_NE(error_of("RUN x\nFROM a").find("line 1: RUN in front of the first FROM"), std::string::npos);
  EXPECT_NE(error_of("FROM a b").find("line 1: FROM a b"), std::string::npos);
  EXPECT_NE(error_of("FROM a AS x\nFROM b AS X").find("line 2: AS x: a stage has that name"), std::string::npos);
  EXPECT_NE(error_of("FROM a AS 1x").find("no name of a stage"), std::string::npos);
  EXPECT_NE(error_of("ARG x").find("it has no FROM"), std::string::npos);
}

TEST(BuildPlan, AnArgumentThatNobodyDeclaresIsWarnedOf) {
  const BuildRequest request{.arguments = {{"used", "1"}, {"lost", "2"}, {"http_proxy", "p"}}};
  const BuildPlan made = plan("FROM a\nARG used\n", request);
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_EQ(made.warnings[0], "--build-arg lost: no ARG declares it");
}

}  // namespace
}  // namespace skiff::image
