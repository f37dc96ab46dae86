#include "spec/image.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "spec/media_types.h"

namespace skiff::spec {
namespace {

const std::string digest_a = "sha256:" + std::string(64, 'a');
const std::string digest_b = "sha256:" + std::string(64, 'b');

std::string descriptor(std::string_view type, const std::string &digest, std::string_view size = "7",
                       std::string_view more = "") {
  return fmt::format(R"({{"mediaType":"{}","digest":"{}","size":{}{}}})", type, digest, size, more);
}

std::string manifest_with(const std::string &layers, std::string_view more = "") {
  return fmt::format(R"({{"schemaVersion":2{},"config":{},"layers":[{}]}})", more,
                     descriptor(oci_config_type, digest_a), layers);
}

std::string index_with(const std::string &manifests, std::string_view more = "") {
  return fmt::format(R"({{"schemaVersion":2{},"manifests":[{}]}})", more, manifests);
}

std::string why(const auto &result) { return result ? "succeeded" : result.error().message(); }

void expect_error(const auto &result, std::initializer_list<std::string_view> parts) {
  ASSERT_FALSE(result);
  for (const std::string_view part : parts) {
    EXPECT_NE(result.error().message().find(part), std::string::npos)
        << result.error().message() << "\nlacks: " << part;
  }
}

TEST(Image, AManifestIsReadAndPrintedTheSame) {
  const std::string text = manifest_with(
      descriptor(oci_layer_gzip_type, digest_b, "7", R"(,"urls":["https://x/y"],"annotations":{"a":"b"})"),
      fmt::format(R"(,"mediaType":"{}","artifactType":"a/b")", oci_manifest_type));
  const auto document = parse_image_document(text, oci_manifest_type);
  ASSERT_TRUE(document) << why(document);
  ASSERT_TRUE(document->manifest);
  EXPECT_FALSE(document->index);
  EXPECT_EQ(document->manifest->layers.at(0).digest, digest_b);
  EXPECT_EQ(print_image_manifest(*document->manifest), text);
}

TEST(Image, AnIndexIsReadAndPrintedTheSame) {
  const std::string text = index_with(descriptor(
      oci_index_type, digest_b, "7",
      R"(,"data":"YWJjZGVmZw==","platform":{"architecture":"arm64","os":"linux","os.features":["x"],"variant":"v8"})"));
  const auto document = parse_image_document(text, "");
  ASSERT_TRUE(document) << why(document);
  ASSERT_TRUE(document->index);
  EXPECT_EQ(document->media_type, oci_index_type);
  EXPECT_EQ(document->index->manifests.at(0).platform->variant, "v8");
  EXPECT_EQ(print_image_index(*document->index), text);
}

// descriptor.md: "Implementations MUST NOT generate an error on unknown media types"
TEST(Image, UnknownTypesOfDescriptorsAndUnknownMembersAreFine) {
  EXPECT_TRUE(parse_image_document(manifest_with(descriptor("application/x-thing", digest_b), R"(,"new":{"a":1})"),
                                   oci_manifest_type));
}

// Go's writers have null for a list without elements.
TEST(Image, AListThatIsNullIsEmpty) {
  const auto index = parse_image_document(R"({"schemaVersion":2,"manifests":null})", "");
  ASSERT_TRUE(index) << why(index);
  EXPECT_TRUE(index->index->manifests.empty());
}

// CVE-2021-41190
TEST(Image, ADocumentThatIsBothIsRefused) {
  const std::string both = fmt::format(R"({{"schemaVersion":2,"config":{0},"layers":[],"manifests":[{0}]}})",
                                       descriptor(oci_manifest_type, digest_a));
  expect_error(parse_image_document(both, oci_manifest_type), {"both", "CVE-2021-41190"});
  const std::string letters = R"({"schemaVersion":2,"Layers":[],"manifests":[]})";
  expect_error(parse_image_document(letters, oci_index_type), {"both"});
}

TEST(Image, ADocumentOfAnotherTypeThanItCameAsIsRefused) {
  const std::string own = fmt::format(R"(,"mediaType":"{}")", oci_manifest_type);
  expect_error(parse_image_document(manifest_with("", own), oci_index_type), {"/mediaType", "it came as"});
  expect_error(parse_image_document(manifest_with(""), oci_index_type), {"does not fit its members"});
  expect_error(parse_image_document(index_with(""), docker_manifest_type), {"does not fit its members"});
  expect_error(parse_image_document(manifest_with(""), "text/html"), {"text/html"});
  EXPECT_TRUE(
      parse_image_document(manifest_with("", own), "application/vnd.oci.image.manifest.v1+json; charset=utf-8"));
  EXPECT_TRUE(parse_image_document(manifest_with("", own), "application/json"));
}

TEST(Image, DockersSchema1IsNamed) {
  expect_error(parse_image_document(R"({"schemaVersion":1,"fsLayers":[]})",
                                    "application/vnd.docker.distribution.manifest.v1+prettyjws"),
               {"schema 1", "another tag"});
  expect_error(parse_image_document(R"({"schemaVersion":2,"fsLayers":[]})", ""), {"schema 1"});
}

// CVE-2023-25153, CVE-2024-3727
TEST(Image, SizesAndDigestsOfEveryDescriptorAreChecked) {
  expect_error(parse_image_document(manifest_with(descriptor(oci_layer_type, digest_b, "-1")), ""),
               {"/layers/0/size", "-1 is no number of bytes"});
  expect_error(parse_image_document(manifest_with(descriptor(oci_layer_type, digest_b, "9223372036854775808")), ""),
               {"/layers/0/size", "9223372036854775807"});
  expect_error(parse_image_document(manifest_with(descriptor(oci_layer_type, digest_b, "1e3")), ""),
               {"/layers/0/size", "without fraction"});
  for (const std::string digest : {"sha256:../../x", "sha256:AA", "../../etc/passwd", "sha256:", ":aa", "blake3:a/b"}) {
    expect_error(parse_image_document(index_with(descriptor(oci_manifest_type, digest)), ""),
                 {"/manifests/0/digest", "is no digest"});
  }
  expect_error(parse_image_document(R"({"schemaVersion":2,"layers":[],"config":{}})", ""),
               {"findings", "/config/mediaType: is required", "/config/digest: is required"});
}

// descriptor.md, "Digests": unrecognized algorithms SHOULD pass validation
TEST(Image, ADigestOfAnotherAlgorithmIsReadButCannotBeComputed) {
  EXPECT_TRUE(parse_image_document(index_with(descriptor(oci_manifest_type, "blake3:" + std::string(64, 'c'))), ""));
  EXPECT_FALSE(is_digest("blake3:" + std::string(64, 'c')));
}

TEST(Image, EmbeddedDataHasItsSize) {
  expect_error(parse_image_document(index_with(descriptor(oci_manifest_type, digest_a, "8", R"(,"data":"YQ==")")), ""),
               {"/manifests/0/data", "holds 1 bytes, but size says 8"});
  expect_error(parse_image_document(index_with(descriptor(oci_manifest_type, digest_a, "1", R"(,"data":"%")")), ""),
               {"/manifests/0/data", "base64"});
}

TEST(Image, WhatIsNoManifestSaysSo) {
  expect_error(parse_image_document("<html>no</html>", ""), {"line 1"});
  expect_error(parse_image_document("[]", ""), {"expected a JSON object"});
  expect_error(parse_image_document("{}", ""), {"neither /layers nor /manifests"});
  expect_error(parse_image_document(R"({"schemaVersion":3,"manifests":[]})", ""), {"/schemaVersion", "is 3"});
  expect_error(parse_image_document(R"({"manifests":[]})", ""), {"/schemaVersion", "is required"});
}

TEST(Image, AConfigurationIsReadAndPrintedTheSame) {
  const std::string text = fmt::format(
      R"({{"created":"2024-01-01T00:00:00Z","architecture":"amd64","os":"linux","os.version":"1",)"
      R"("config":{{"User":"1:2","ExposedPorts":{{"80/tcp":{{}}}},"Env":["A=b"],"Entrypoint":[],"Cmd":["sh"],)"
      R"("Volumes":{{"/data":{{}}}},"WorkingDir":"/w","Labels":{{"a":"b"}},"StopSignal":"SIGINT",)"
      R"("Healthcheck":{{"Test":["CMD","x"],"Interval":5}}}},)"
      R"("rootfs":{{"type":"layers","diff_ids":["{}"]}},"history":[{{"created_by":"x","empty_layer":true}}]}})",
      digest_a);
  const auto config = parse_image_config(text);
  ASSERT_TRUE(config) << why(config);
  EXPECT_TRUE(config->config.volumes.contains("/data"));
  EXPECT_EQ(print_image_config(*config), text);
}

// What Docker writes for what was not set.
TEST(Image, AConfigurationOfNullsIsEmpty) {
  const auto config = parse_image_config(
      R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":null,"Cmd":null,"Env":null,"OnBuild":null,
          "Volumes":null,"Hostname":""},"rootfs":{"type":"layers","diff_ids":null}})");
  ASSERT_TRUE(config) << why(config);
  EXPECT_FALSE(config->config.entrypoint);
}

TEST(Image, AConfigurationWithWrongLayersIsRefused) {
  expect_error(parse_image_config(R"({"rootfs":{"type":"tars","diff_ids":["x"]}})"),
               {"/rootfs/type", "/rootfs/diff_ids/0"});
  expect_error(parse_image_config("{}"), {"/rootfs: is required"});
}

}  // namespace
}  // namespace skiff::spec
