// Bundles of images that are still being downloaded.
#include "imgtool/bundle_arriving.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "runtime/kernel/process.h"
#include "tests/imgtool/archive.h"
#include "tests/imgtool/registry_rig.h"
#include "tests/imgtool/sample_image.h"

namespace skiff::image::testing {
namespace {

using namespace std::chrono_literals;

// More than what is collected before it is handed on.
constexpr std::size_t stall_after = 3'000'000;

class ArrivingBundle : public RegistryRig {
 protected:
  ArrivingBundle() {
    ::sigprocmask(SIG_SETMASK, nullptr, &mask_);
    interrupts_ = Interrupts::open().value();
    request_.path = directory_.path() + "/bundle";
  }
  ~ArrivingBundle() override { ::sigprocmask(SIG_SETMASK, &mask_, nullptr); }
  ArrivingBundle(const ArrivingBundle &) = delete;
  ArrivingBundle &operator=(const ArrivingBundle &) = delete;

  // A registry with an image of these layers. Of the blob `stalling` a part comes, and then nothing for ever.
  std::unique_ptr<FaultyRegistry> serve(const std::vector<std::string> &layers, const std::string &stalling) {
    const Layout source = Layout::open(directory_.path() + "/source", LayoutAccess::write).value();
    const SampleImage image = add_image(source, layers);
    const auto blobs = source.list_blobs().value();
    for (const auto &blob : blobs) content_.add_blob(source.read_blob(blob.digest).value());
    content_.add_manifest("latest", std::string(spec::oci_manifest_type),
                          source.read_blob(*Digest::parse(image.descriptor.digest)).value());
    return std::make_unique<FaultyRegistry>([this, slow = digest_of(stalling).text()](const Request &request) {
      Answer answer = serve_content(content_, request);
      if (request.path().ends_with(slow)) {
        answer.cut_after = stall_after;
        answer.stall = true;
      }
      return answer;
    });
  }
  struct Outcome {
    std::string error;
    std::chrono::steady_clock::duration took{};
  };
  Outcome make(const FaultyRegistry &server) {
    const ImageName name = parse_image_name(server.host() + "/team/app").value();
    Registry registry = Registry::open(name, options_, progress_).value();
    const ArrivingImage image{.registry = registry, .name = name, .platform = {.accepted = {linux_amd64()}}};
    const auto start = std::chrono::steady_clock::now();
    const auto made = make_arriving_bundle(request_, image, layout_, progress_, *interrupts_);
    return {.error = words(made), .took = std::chrono::steady_clock::now() - start};
  }
  static spec::Platform linux_amd64() {
    spec::Platform platform;
    platform.os = "linux";
    platform.architecture = "amd64";
    return platform;
  }
  BundleRequest request_;
  std::unique_ptr<Interrupts> interrupts_;
  Content content_;
  sigset_t mask_{};
};

std::string damaged_layer() { return archive({file("first")}).substr(0, 512) + std::string(2048, 'x'); }
std::string long_layer() { return archive({{.type = '0', .name = "long", .data = std::string(2 * stall_after, 'l')}}); }

// The connections would stall for half a minute, five times over.
constexpr auto soon = 10s;

TEST_F(ArrivingBundle, WhatCannotBeUnpackedEndsTheOtherDownloadsAtOnce) {
  const auto server = serve({damaged_layer(), long_layer()}, long_layer());
  const Outcome outcome = make(*server);
  EXPECT_NE(outcome.error.find("layer 1 of 2"), std::string::npos) << outcome.error;
  EXPECT_EQ(outcome.error.find("given up"), std::string::npos) << outcome.error;
  EXPECT_LT(outcome.took, soon);
  EXPECT_FALSE(std::filesystem::exists(request_.path));
}

TEST_F(ArrivingBundle, TheLayerItselfIsNotWaitedForEither) {
  const std::string layer = damaged_layer().substr(0, 1024) + std::string(2 * stall_after, 'x');
  const auto server = serve({layer}, layer);
  content_.blobs[digest_of(layer).text()] = layer;
  const Outcome outcome = make(*server);
  EXPECT_NE(outcome.error.find("layer 1 of 1"), std::string::npos) << outcome.error;
  EXPECT_LT(outcome.took, soon);
}

TEST_F(ArrivingBundle, OfSeveralLayersAtOnceTheOneThatIsWrongIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "an overlay's layers need root";
  request_.overlay = true;
  const auto server = serve({long_layer(), damaged_layer()}, long_layer());
  const Outcome outcome = make(*server);
  EXPECT_NE(outcome.error.find("layer 2 of 2"), std::string::npos) << outcome.error;
  EXPECT_EQ(outcome.error.find("given up"), std::string::npos) << outcome.error;
  EXPECT_LT(outcome.took, soon);
}

TEST_F(ArrivingBundle, ABundleThatCannotBeMadeNeedsNoDownload) {
  const auto server = serve({long_layer()}, long_layer());
  std::filesystem::create_directories(request_.path + "/occupied");
  const Outcome outcome = make(*server);
  EXPECT_NE(outcome.error.find("empty this one"), std::string::npos) << outcome.error;
  EXPECT_LT(outcome.took, soon);
}

TEST_F(ArrivingBundle, ADownloadThatBreaksIsItselfTheError) {
  const auto server = serve({archive({file("a")}), long_layer()}, "");
  content_.blobs[digest_of(long_layer()).text()][700] = 'L';
  const Outcome outcome = make(*server);
  EXPECT_NE(outcome.error.find(digest_of(long_layer()).text()), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("digest"), std::string::npos) << outcome.error;
  EXPECT_FALSE(std::filesystem::exists(request_.path));
}

}  // namespace
}  // namespace skiff::image::testing
