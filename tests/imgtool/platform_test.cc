#include "imgtool/platform.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "imgtool/digest.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

std::string list(const PlatformRequest &request) {
  std::string out;
  for (const spec::Platform &platform : request.accepted) out += platform_text(platform) + " ";
  return out;
}

std::string parsed(std::string_view text) {
  const auto request = parse_platform(text);
  return request ? list(*request) : request.error().message();
}

spec::Descriptor entry(std::string_view name, std::string_view type = spec::oci_manifest_type) {
  spec::Descriptor descriptor;
  descriptor.media_type = type;
  descriptor.digest = digest_of(name).text();
  return descriptor;
}

spec::Descriptor entry_for(std::string_view os, std::string_view architecture, std::string_view variant = "",
                           std::string_view type = spec::oci_manifest_type) {
  spec::Descriptor descriptor = entry(fmt::format("{}/{}/{}", os, architecture, variant), type);
  descriptor.platform.emplace();
  descriptor.platform->os = os;
  descriptor.platform->architecture = architecture;
  descriptor.platform->variant = variant;
  return descriptor;
}

spec::ImageIndex index_of(std::vector<spec::Descriptor> entries) {
  spec::ImageIndex index;
  index.manifests = std::move(entries);
  return index;
}

Result<spec::ImageIndex> no_nested(const spec::Descriptor & /*descriptor*/) { return fail("nothing is nested here"); }

std::string chosen(const spec::ImageIndex &index, const PlatformRequest &request, const LoadIndex &load = no_nested) {
  const auto found = choose_manifest(index, request, load);
  if (!found) return found.error().message();
  return found->platform ? platform_text(*found->platform) : "no platform";
}

TEST(Platform, IsWrittenAsOsArchitectureVariant) {
  EXPECT_EQ(parsed("linux/arm64"), "linux/arm64 ");
  EXPECT_EQ(parsed("linux/arm64/v8"), "linux/arm64 ");
  EXPECT_EQ(parsed("linux/arm"), "linux/arm/v7 linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(parsed("linux/arm/6"), "linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(parsed("x86_64"), "linux/amd64 ");
  EXPECT_EQ(parsed("linux/amd64/v3"), "linux/amd64/v3 linux/amd64/v2 linux/amd64 ");
  EXPECT_EQ(parsed("windows/amd64"), "windows/amd64 ");
}

TEST(Platform, WhatIsNoneSaysWhy) {
  for (const char *text : {"", "linux/", "/amd64", "a/b/c/d", "linux//v7"}) {
    EXPECT_NE(parsed(text).find("OS/ARCH"), std::string::npos) << parsed(text);
  }
  EXPECT_NE(parsed("linux/amd6").find("did you mean \"amd64\"?"), std::string::npos) << parsed("linux/amd6");
}

TEST(Platform, AMachineTakesItsLevelAndTheLowerOnes) {
  EXPECT_EQ(list(platform_of_machine("x86_64", 3)), "linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386 ");
  EXPECT_EQ(list(platform_of_machine("x86_64", 1)), "linux/amd64 linux/386 ");
  EXPECT_EQ(list(platform_of_machine("aarch64", 1)),
            "linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(list(platform_of_machine("armv6l", 1)), "linux/arm/v6 linux/arm/v5 ");
  EXPECT_EQ(list(platform_of_machine("riscv64", 1)), "linux/riscv64 ");
  EXPECT_FALSE(host_platform().accepted.empty());
}

TEST(ChooseManifest, TheBestVariantWinsWhereverItStands) {
  const auto index = index_of({entry_for("linux", "arm", "v5"), entry_for("linux", "arm", "v7"),
                               entry_for("linux", "amd64"), entry_for("linux", "amd64", "v3")});
  EXPECT_EQ(chosen(index, *parse_platform("linux/arm/v7")), "linux/arm/v7");
  EXPECT_EQ(chosen(index, *parse_platform("linux/arm/v6")), "linux/arm/v5");
  EXPECT_EQ(chosen(index, platform_of_machine("x86_64", 2)), "linux/amd64");
  EXPECT_EQ(chosen(index, platform_of_machine("x86_64", 4)), "linux/amd64/v3");
  EXPECT_EQ(chosen(index, platform_of_machine("aarch64", 1)), "linux/arm/v7");
}

// image-index.md, "manifests": "the first matching entry SHOULD be used"
TEST(ChooseManifest, OfTwoAlikeTheFirst) {
  auto index = index_of({entry_for("linux", "arm64", "v8"), entry_for("linux", "arm64")});
  EXPECT_EQ(chosen(index, *parse_platform("arm64")), "linux/arm64/v8");
}

TEST(ChooseManifest, AttestationsAndArtifactsAreNoImages) {
  spec::Descriptor attestation = entry_for("linux", "amd64");
  attestation.annotations["vnd.docker.reference.type"] = "attestation-manifest";
  spec::Descriptor signature = entry("signature");
  signature.artifact_type = "application/vnd.dev.cosign.artifact.sig.v1+json";
  const auto index = index_of({attestation, entry_for("unknown", "unknown"), signature, entry("x", "application/x-new"),
                               entry_for("linux", "arm64")});
  EXPECT_EQ(chosen(index, *parse_platform("amd64")),
            "the index has no image for linux/amd64; there is linux/arm64; choose with --platform");
  EXPECT_EQ(list_manifests(index, no_nested)->size(), 1U);
}

TEST(ChooseManifest, OneWithoutAPlatformFitsWorst) {
  EXPECT_EQ(chosen(index_of({entry("x"), entry_for("linux", "amd64")}), *parse_platform("amd64")), "linux/amd64");
  EXPECT_EQ(chosen(index_of({entry_for("linux", "arm64"), entry("x")}), *parse_platform("amd64")), "no platform");
}

TEST(ChooseManifest, NestedIndexesAreReadWhereTheyMayHelp) {
  const spec::Descriptor nested = entry("nested", spec::oci_index_type);
  const spec::Descriptor arm_only = entry_for("linux", "arm64", "", spec::oci_index_type);
  int loads = 0;
  const LoadIndex load = [&](const spec::Descriptor &descriptor) -> Result<spec::ImageIndex> {
    ++loads;
    EXPECT_EQ(descriptor.digest, nested.digest);
    return index_of({entry_for("linux", "amd64")});
  };
  EXPECT_EQ(chosen(index_of({arm_only, nested}), *parse_platform("amd64"), load), "linux/amd64");
  EXPECT_EQ(loads, 1);
  EXPECT_EQ(chosen(index_of({entry_for("linux", "amd64"), nested}), *parse_platform("amd64"), load), "linux/amd64");
  EXPECT_EQ(loads, 1);
}

TEST(ChooseManifest, NestingHasAnEnd) {
  const spec::ImageIndex endless = index_of({entry("again", spec::oci_index_type)});
  const LoadIndex load = [&](const spec::Descriptor &) -> Result<spec::ImageIndex> { return endless; };
  EXPECT_NE(chosen(endless, *parse_platform("amd64"), load).find("deeper than 4"), std::string::npos);
  std::vector<spec::Descriptor> many(100, entry("one", spec::oci_index_type));
  const LoadIndex empty = [&](const spec::Descriptor &) -> Result<spec::ImageIndex> { return spec::ImageIndex{}; };
  EXPECT_NE(chosen(index_of(many), *parse_platform("amd64"), empty).find("more than 64"), std::string::npos);
}

TEST(CheckPlatform, AnImageForAnotherMachineIsNamed) {
  spec::ImageConfig config;
  EXPECT_TRUE(check_platform(config, *parse_platform("amd64")));
  config.os = "linux";
  config.architecture = "arm64";
  config.variant = "v8";
  EXPECT_TRUE(check_platform(config, *parse_platform("arm64")));
  const Status other = check_platform(config, *parse_platform("amd64"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message(),
            "the image is for linux/arm64, not for linux/amd64; take another image, or ask for "
            "this one with --platform linux/arm64");
}

}  // namespace
}  // namespace skiff::image
