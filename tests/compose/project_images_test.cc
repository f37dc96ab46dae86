#include "compose/project_images.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

using How = ImageNeed::How;

Service service_with(const std::string &policy, bool builds = false) {
  Service service;
  service.name = "web";
  service.image = "app:1";
  service.pull_policy = policy;
  if (builds) service.build.emplace();
  return service;
}

How how(const Service &service, bool is_here, const ImagePolicy &policy = {}, std::optional<Duration> age = {}) {
  const Result<ImageNeed> need = image_need(service, is_here, policy, age);
  EXPECT_TRUE(need) << need.error().message();
  return need ? need->how : How::nothing;
}

TEST(ProjectImages, ANameIsWholeAsARegistryKnowsIt) {
  EXPECT_EQ(full_image_name("alpine"), "docker.io/library/alpine:latest");
  EXPECT_EQ(full_image_name("team/app:2"), "docker.io/team/app:2");
  EXPECT_EQ(full_image_name("localhost/app"), "localhost/app:latest");
  EXPECT_EQ(full_image_name("host:5000/app"), "host:5000/app:latest");
  EXPECT_EQ(full_image_name("quay.io/a/b:1@sha256:00"), "quay.io/a/b@sha256:00");
  EXPECT_EQ(full_image_name("docker://alpine:3"), "docker.io/library/alpine:3");
  EXPECT_EQ(full_image_name("oci:/srv/image:1"), "oci:/srv/image:1");
}

TEST(ProjectImages, WhatIsHereIsTakenAndWhatIsMissingPulledOrBuilt) {
  EXPECT_EQ(how(service_with(""), true), How::nothing);
  EXPECT_EQ(how(service_with(""), false), How::pull);
  EXPECT_EQ(how(service_with("", true), false), How::build);
  EXPECT_EQ(how(service_with("missing", true), true), How::nothing);
}

TEST(ProjectImages, ThePolicyDecidesAndTheFlagOverIt) {
  EXPECT_EQ(how(service_with("always"), true), How::pull);
  EXPECT_EQ(how(service_with("never"), true, {.pull = "always"}), How::pull);
  EXPECT_EQ(how(service_with("build", true), true), How::build);
  EXPECT_EQ(how(service_with("", true), true, {.pull = {}, .build = true}), How::build);
  const Result<ImageNeed> never = image_need(service_with("never"), false, {}, {});
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().number, ENOENT);
  EXPECT_FALSE(image_need(service_with("build"), true, {}, {}));
}

TEST(ProjectImages, APeriodCountsFromTheLastPull) {
  EXPECT_EQ(how(service_with("daily"), true, {}, std::chrono::hours(25)), How::pull);
  EXPECT_EQ(how(service_with("daily"), true, {}, std::chrono::hours(2)), How::nothing);
  EXPECT_EQ(how(service_with("every_1d12h"), true, {}, std::chrono::hours(35)), How::nothing);
  EXPECT_EQ(how(service_with("every_1d12h"), true, {}, std::chrono::hours(36)), How::pull);
  EXPECT_EQ(how(service_with("weekly"), false, {}, std::chrono::hours(2)), How::pull);
  EXPECT_FALSE(image_need(service_with("every_moon"), true, {}, {}));
}

TEST(ProjectImages, ABuildBecomesTheWordsOfSkiffImage) {
  Build build;
  build.context = "/srv/app";
  build.dockerfile = "Dockerfile.dev";
  build.args = {{"VERSION", "2"}, {"TOKEN", std::nullopt}};
  build.target = "prod";
  build.no_cache = true;
  EXPECT_EQ(build_words(build, "app:1", ""),
            (Words{"build", "-t", "app:1", "-f", "/srv/app/Dockerfile.dev", "--build-arg", "VERSION=2", "--build-arg",
                   "TOKEN", "--target", "prod", "--no-cache", "/srv/app"}));
  build.dockerfile_inline = "FROM scratch\n";
  EXPECT_EQ(build_words(build, "app:1", "")[4], "-");
}

}  // namespace
}  // namespace skiff::compose
