// The client against Debian's docker-registry: the whole way of an image there and back.
#include "tests/imgtool/debian_registry.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "imgtool/push.h"
#include "spec/media_types.h"
#include "tests/imgtool/certificate.h"
#include "tests/imgtool/registry_rig.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::image::testing {
namespace {

using kernel::testing::write_whole;

// Of the password "secret", as htpasswd -B writes it.
constexpr std::string_view password_line = "me:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";

class WithDebianRegistry : public RegistryRig {
 protected:
  void SetUp() override {
    if (!DebianRegistry::is_installed()) GTEST_SKIP() << "docker-registry is not installed";
    options_.range_size = 1U << 20U;
    options_.chunk_size = 2U << 20U;
  }

  // An image of two layers in the layout.
  void make_image() {
    for (const std::string &bytes : {make_bytes(5'000'000), std::string("a small layer")}) {
      layers_.push_back(describe(layout_.write_blob(bytes).value().text(), bytes.size()));
    }
    const std::string config = R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
    spec::ImageManifest manifest;
    manifest.media_type = spec::oci_manifest_type;
    manifest.config = describe(layout_.write_blob(config).value().text(), config.size());
    manifest.config.media_type = spec::oci_config_type;
    manifest.layers = layers_;
    blobs_ = layers_;
    blobs_.push_back(manifest.config);
    manifest_ = spec::print_image_manifest(manifest);
  }

  Status push(Registry &registry, const PushOptions &push_options = {}) {
    Status status = push_blobs(registry, layout_, blobs_, push_options, progress_);
    return status ? registry.put_manifest("v1", manifest_, spec::oci_manifest_type) : status;
  }

  // All of it into another layout.
  void expect_pull(Registry &registry) {
    const auto manifest = registry.get_manifest("v1");
    ASSERT_EQ(words(manifest), "");
    ASSERT_TRUE(*manifest);
    EXPECT_EQ((*manifest)->bytes, manifest_);
    EXPECT_EQ((*manifest)->media_type, spec::oci_manifest_type);
    const Layout source = std::move(layout_);
    layout_ = Layout::open(directory_.path() + "/second", LayoutAccess::write).value();
    for (const spec::Descriptor &blob : blobs_) {
      const Fetched fetched = fetch(registry, blob);
      EXPECT_EQ(words(fetched.status), "");
      EXPECT_EQ(fetched.bytes,
                kernel::read_all(source.open_blob(Digest::parse(blob.digest).value()).value(), 1U << 30U).value());
    }
  }

  std::vector<spec::Descriptor> layers_;
  std::vector<spec::Descriptor> blobs_;
  std::string manifest_;
};

TEST_F(WithDebianRegistry, AnImageGoesThereAndBack) {
  const DebianRegistry server;
  make_image();
  Registry registry = open(server.host());
  ASSERT_EQ(words(registry.check_login()), "");
  ASSERT_EQ(words(push(registry)), "");
  EXPECT_EQ(registry.list_tags().value(), std::vector<std::string>{"v1"});
  const auto head = registry.head_manifest("v1");
  ASSERT_EQ(words(head), "");
  EXPECT_EQ((*head)->digest, digest_of(manifest_).text());
  EXPECT_EQ((*head)->size, static_cast<std::int64_t>(manifest_.size()));
  expect_pull(registry);
}

TEST_F(WithDebianRegistry, ABlobOfAnotherRepositoryIsMounted) {  // end-11
  const DebianRegistry server;
  make_image();
  Registry first = open(server.host(), "team/first");
  ASSERT_EQ(words(push(first)), "");
  Registry second = open(server.host(), "team/second");
  const Digest digest = Digest::parse(layers_[0].digest).value();
  EXPECT_FALSE(second.has_blob(digest).value());
  EXPECT_TRUE(second.mount_blob(digest, "team/first").value());
  EXPECT_TRUE(second.has_blob(digest).value());
  EXPECT_FALSE(second.mount_blob(digest_of("nowhere"), "team/first").value());
  ASSERT_EQ(words(push(second, {.parallel = 2, .mount_from = {"team/first"}})), "");
}

TEST_F(WithDebianRegistry, AManifestWithoutItsBlobsIsRefused) {
  const DebianRegistry server;
  make_image();
  Registry registry = open(server.host());
  const std::string text = words(registry.put_manifest("v1", manifest_, spec::oci_manifest_type));
  EXPECT_NE(text.find("MANIFEST_BLOB_UNKNOWN"), std::string::npos) << text;
}

TEST_F(WithDebianRegistry, ManifestsAndBlobsAreDeleted) {  // end-9, end-10
  const DebianRegistry server;
  make_image();
  Registry registry = open(server.host());
  ASSERT_EQ(words(push(registry)), "");
  ASSERT_EQ(words(registry.delete_manifest(digest_of(manifest_).text())), "");
  EXPECT_FALSE(registry.get_manifest("v1").value());
  const Digest digest = Digest::parse(layers_[1].digest).value();
  ASSERT_EQ(words(registry.delete_blob(digest)), "");
  EXPECT_FALSE(registry.has_blob(digest).value());
  const std::string text = words(registry.delete_blob(digest));
  EXPECT_NE(text.find("404 BLOB_UNKNOWN"), std::string::npos) << text;
}

TEST_F(WithDebianRegistry, ReferrersAreKeptUnderTheirTag) {  // this registry has no end-12
  const DebianRegistry server;
  make_image();
  Registry registry = open(server.host());
  ASSERT_EQ(words(push(registry)), "");
  spec::ImageManifest signature;
  signature.media_type = spec::oci_manifest_type;
  signature.artifact_type = "application/vnd.example.signature";
  signature.config = blobs_.back();
  signature.layers = {layers_[1]};
  signature.subject = describe(digest_of(manifest_).text(), manifest_.size());
  signature.subject->media_type = spec::oci_manifest_type;
  const std::string bytes = spec::print_image_manifest(signature);
  ASSERT_EQ(words(registry.put_manifest(digest_of(bytes).text(), bytes, spec::oci_manifest_type)), "");
  const Result<spec::ImageIndex> referrers = registry.list_referrers(digest_of(manifest_), "");
  ASSERT_EQ(words(referrers), "");
  ASSERT_EQ(referrers->manifests.size(), 1U);
  EXPECT_EQ(referrers->manifests[0].digest, digest_of(bytes).text());
  EXPECT_EQ(referrers->manifests[0].artifact_type, "application/vnd.example.signature");
  ASSERT_EQ(words(registry.delete_manifest(digest_of(bytes).text())), "");
  EXPECT_TRUE(registry.list_referrers(digest_of(manifest_), "").value().manifests.empty());
}

TEST_F(WithDebianRegistry, APasswordOpensIt) {
  write_whole(directory_.path() + "/htpasswd", std::string(password_line));
  const DebianRegistry server(
      fmt::format("auth: {{htpasswd: {{realm: here, path: {}/htpasswd}}}}\n", directory_.path()));
  make_image();
  Registry closed = open(server.host());
  const std::string text = words(closed.check_login());
  EXPECT_NE(text.find("401 UNAUTHORIZED"), std::string::npos) << text;
  EXPECT_NE(text.find("log in"), std::string::npos) << text;
  options_.login = Login{.user = "me", .password = "wrong", .identity_token = {}};
  Registry wrong = open(server.host());
  EXPECT_FALSE(wrong.check_login());
  options_.login = Login{.user = "me", .password = "secret", .identity_token = {}};
  Registry registry = open(server.host());
  ASSERT_EQ(words(registry.check_login()), "");
  ASSERT_EQ(words(push(registry)), "");
  expect_pull(registry);
}

// "repository:NAME:ACTION,ACTION" of a query as the claim that a token makes.
std::string access_of(const Request &request) {
  std::string access;
  for (std::size_t at = 0; (at = request.target.find("scope=repository:", at)) != std::string::npos;) {
    at += std::string_view("scope=repository:").size();
    const std::size_t colon = request.target.find(':', at);
    const std::string name = request.target.substr(at, colon - at);
    const std::size_t end = std::min(request.target.find('&', colon), request.target.size());
    std::string actions = "\"";
    for (const char letter : request.target.substr(colon + 1, end - colon - 1)) {
      actions += letter == ',' ? "\",\"" : std::string(1, letter);
    }
    access += fmt::format(R"({}{{"type":"repository","name":"{}","actions":[{}"]}})", access.empty() ? "" : ",", name,
                          actions);
  }
  return access;
}

TEST_F(WithDebianRegistry, ATokenOfOurServerOpensIt) {  // Docker's token specification
  const Certificate signer;
  const FaultyRegistry tokens([&](const Request &request) {
    const auto now = static_cast<long>(::time(nullptr));
    const std::string claims = fmt::format(
        R"({{"iss":"tester","sub":"me","aud":"registry","exp":{},"nbf":{},"iat":{},"jti":"1","access":[{}]}})",
        now + 300, now - 60, now, access_of(request));
    return Answer{.headers = {},
                  .body = fmt::format(R"({{"token":"{}","expires_in":300}})", make_token(signer, claims))};
  });
  write_whole(directory_.path() + "/roots.pem", signer.certificate_pem());
  const DebianRegistry server(fmt::format(
      "auth: {{token: {{realm: \"{}\", service: registry, issuer: tester, rootcertbundle: {}/roots.pem}}}}\n",
      tokens.url("/token"), directory_.path()));
  make_image();
  Registry registry = open(server.host());
  ASSERT_EQ(words(registry.check_login()), "");
  ASSERT_EQ(words(push(registry)), "");
  expect_pull(registry);
  // One for the root, one to push, one to pull.
  EXPECT_EQ(tokens.requests().size(), 3U);
  ASSERT_EQ(words(registry.delete_manifest(digest_of(manifest_).text())), "");
}

TEST_F(WithDebianRegistry, TlsIsVerifiedUnlessItIsSwitchedOff) {
  const Certificate certificate;
  write_whole(directory_.path() + "/server.pem", certificate.certificate_pem());
  write_whole(directory_.path() + "/server.key", certificate.key_pem());
  const DebianRegistry server(
      "", fmt::format("  tls: {{certificate: {0}/server.pem, key: {0}/server.key}}\n", directory_.path()));
  Registry unknown = open(server.host());
  const std::string text = words(unknown.check_login());
  EXPECT_NE(text.find("certificate"), std::string::npos) << text;
  EXPECT_NE(text.find("--cert-dir"), std::string::npos) << text;
  options_.tls_verify = false;
  EXPECT_EQ(words(open(server.host()).check_login()), "");
  options_.tls_verify = true;
  options_.cert_dir = directory_.path() + "/certs";
  ASSERT_EQ(::mkdir(options_.cert_dir.c_str(), 0755), 0);
  write_whole(options_.cert_dir + "/ca.crt", certificate.certificate_pem());
  make_image();
  Registry registry = open(server.host());
  ASSERT_EQ(words(push(registry)), "");
  expect_pull(registry);
}

TEST_F(WithDebianRegistry, AClientsCertificateNeedsItsKey) {
  options_.cert_dir = directory_.path() + "/certs";
  ASSERT_EQ(::mkdir(options_.cert_dir.c_str(), 0755), 0);
  write_whole(options_.cert_dir + "/me.cert", "x");
  Registry registry = open("localhost:1");
  EXPECT_NE(words(registry.check_login()).find("me.cert: its key me.key is missing"), std::string::npos);
}

}  // namespace
}  // namespace skiff::image::testing
