// Whole images from a registry into a layout and back.
#include "imgtool/fetch.h"

#include <fmt/format.h>

#include "imgtool/copy.h"
#include "tests/imgtool/registry_rig.h"
#include "tests/imgtool/sample_image.h"

namespace skiff::image::testing {
namespace {

class FetchTest : public RegistryRig {
 protected:
  [[nodiscard]] std::string oci_source() const { return "oci:" + layout_.path(); }
  [[nodiscard]] Workplace place() {
    return {.store = directory_.path() + "/store",
            .source = options_,
            .destination = options_,
            .progress = &progress_,
            .interrupts = nullptr,
            .limits = {}};
  }
  // The image of a layout as a registry has it under the tag "1"; layers that are foreign are not there.
  static Content content_of(const Layout &layout, const SampleImage &image) {
    Content content;
    const auto bytes = [&](const spec::Descriptor &descriptor) {
      return layout.read_blob(*Digest::parse(descriptor.digest)).value();
    };
    content.add_blob(bytes(image.manifest.config));
    for (const spec::Descriptor &layer : image.manifest.layers) {
      if (layer.urls.empty()) content.add_blob(bytes(layer));
    }
    content.add_manifest("1", std::string(spec::oci_manifest_type), bytes(image.descriptor));
    return content;
  }
  Result<spec::Descriptor> copy_words(const std::string &from, const std::string &to) {
    return copy(place(), parse_reference(from, Transport::store).value(), parse_reference(to, Transport::store).value(),
                {});
  }
};

// Who comes here waits until so many are here at once, or ten seconds have gone.
class Rendezvous {
 public:
  explicit Rendezvous(int wanted) : wanted_(wanted) {}
  void meet() {
    std::unique_lock lock(mutex_);
    met_ = met_ || ++here_ == wanted_;
    changed_.notify_all();
    (void)changed_.wait_for(lock, std::chrono::seconds(10), [&] { return met_; });
    --here_;
  }
  [[nodiscard]] bool met() {
    const std::lock_guard lock(mutex_);
    return met_;
  }

 private:
  int wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0;
  bool met_ = false;
};

TEST_F(FetchTest, PushSendsAsManyBlobsAtOnceAsTheConnectionsThatItMayHave) {
  const SampleImage image = add_image(layout_, {"one", "two", "three", "four", "five"});  // and the configuration
  ASSERT_TRUE(layout_.set_name("t", image.descriptor));
  Rendezvous rendezvous(6);
  const FaultyRegistry server([&](const Request &request) -> Answer {
    if (request.method == "HEAD") return error_answer(404, "BLOB_UNKNOWN", "no");
    if (request.method == "POST") {
      rendezvous.meet();
      return {.status = 202, .headers = {{"Location", "/v2/team/app/blobs/uploads/1"}}, .body = {}};
    }
    return {.status = 201, .headers = {}, .body = {}};
  });
  options_.parallel = 6;
  EXPECT_EQ(words(copy_words(oci_source() + ":t", "docker://" + server.host() + "/team/app:1")), "");
  EXPECT_TRUE(rendezvous.met());
}

TEST_F(FetchTest, AForeignLayerComesFromItsAddressAndIsNotPushed) {  // descriptor.md, "urls"
  const FaultyRegistry elsewhere([](const Request &) { return Answer{.headers = {}, .body = "foreign"}; });
  SampleImage image = add_image(layout_, {"own", "foreign"});
  image.manifest.layers[1].urls = {elsewhere.url("/layer.tar")};
  image.descriptor = add_blob(layout_, spec::oci_manifest_type, spec::print_image_manifest(image.manifest));
  const Content content = content_of(layout_, image);
  std::atomic<int> uploads = 0;
  const FaultyRegistry server([&](const Request &request) -> Answer {
    if (request.method == "POST") ++uploads;
    if (request.method == "PUT") return {.status = 201, .headers = {}, .body = {}};
    return serve_content(content, request);
  });
  const std::string name = server.host() + "/team/app:1";
  ASSERT_EQ(words(copy_words("docker://" + name, name)), "");
  const Layout store = Layout::open(place().store, LayoutAccess::read).value();
  EXPECT_TRUE(store.has_blob(*Digest::parse(image.manifest.layers[1].digest)).value());
  EXPECT_EQ(words(copy_words(name, "docker://" + server.host() + "/team/again:2")), "");
  EXPECT_EQ(uploads, 0) << "the registry has the others, and the foreign one stays where it is";
  EXPECT_EQ(server.count("HEAD /v2/team/again/blobs/" + image.manifest.layers[1].digest), 0U);
}

TEST_F(FetchTest, ALayoutMayLackAForeignLayerAndWhoWantsItIsTold) {  // image-layout.md, "Blobs"
  SampleImage image = add_image(layout_, {"own", "foreign"});
  image.manifest.layers[1].urls = {"https://example.invalid/layer.tar"};
  image.descriptor = add_blob(layout_, spec::oci_manifest_type, spec::print_image_manifest(image.manifest));
  const Content content = content_of(layout_, image);
  const FaultyRegistry server([&](const Request &request) { return serve_content(content, request); });
  const std::string target = directory_.path() + "/copied";
  ASSERT_EQ(words(copy_words("docker://" + server.host() + "/team/app:1", "oci:" + target + ":t")), "");
  const Layout copied = Layout::open(target, LayoutAccess::read).value();
  EXPECT_FALSE(copied.has_blob(*Digest::parse(image.manifest.layers[1].digest)).value());
  const std::string text = words(open_content(copied, image.manifest.layers[1]));
  EXPECT_NE(text.find("\"https://example.invalid/layer.tar\" alone"), std::string::npos) << text;
  EXPECT_NE(text.find("pull"), std::string::npos) << text;
}

}  // namespace
}  // namespace skiff::image::testing
