// The push side, discovery and management against a registry that misbehaves: distribution-spec 1.1.
#include <fmt/format.h>

#include "imgtool/push.h"
#include "spec/media_types.h"
#include "tests/imgtool/registry_rig.h"

namespace skiff::image::testing {
namespace {

constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";

// A registry that takes uploads as the specification has them; `wrap` may answer in its place.
class RegistryPush : public RegistryRig {
 protected:
  using Wrap = std::function<std::optional<Answer>(const Request &)>;
  std::unique_ptr<FaultyRegistry> serve(Wrap wrap = {}) {
    return std::make_unique<FaultyRegistry>([this, wrap](const Request &request) {
      const std::lock_guard lock(mutex_);
      std::optional<Answer> own = wrap ? wrap(request) : std::nullopt;
      return own ? *std::move(own) : take(request);
    });
  }

  Answer take(const Request &request) {
    const bool upload = request.target.find("/blobs/uploads/") != std::string::npos;
    if (upload && request.method == "POST") {
      uploaded_.clear();
      // Relative, and with a query that counts.
      return {.status = 202, .headers = {{"Location", "/v2/team/app/blobs/uploads/1?state=a%2Bb"}}, .body = {}};
    }
    if (upload && request.target.find("state=a%2Bb") == std::string::npos) return error_answer(400, "STATE", "lost");
    if (upload && request.method == "PATCH") return take_chunk(request);
    if (upload && request.method == "GET") {
      return {.status = 204, .headers = {{"Range", fmt::format("0-{}", uploaded_.size() - 1)}}, .body = {}};
    }
    if (upload && request.method == "PUT") {
      uploaded_ += request.body;
      const std::string digest = digest_of(uploaded_).text();
      if (request.target.find("digest=" + digest) == std::string::npos)
        return error_answer(400, "DIGEST_INVALID", "no");
      content_.blobs[digest] = uploaded_;
      return {.status = 201, .headers = {}, .body = {}};
    }
    if (request.method == "PUT") {
      content_.add_manifest(request.path().substr(request.path().rfind('/') + 1), request.header("content-type"),
                            request.body);
      return {.status = 201, .headers = {}, .body = {}};
    }
    if (request.method == "DELETE") {
      content_.manifests.erase(request.path().substr(request.path().rfind('/') + 1));
      return {.status = 202, .headers = {}, .body = {}};
    }
    return serve_content(content_, request);
  }

  Answer take_chunk(const Request &request) {
    if (request.header("content-range") !=
        fmt::format("{}-{}", uploaded_.size(), uploaded_.size() + request.body.size() - 1)) {
      return error_answer(416, "BLOB_UPLOAD_INVALID", "out of step");
    }
    uploaded_ += request.body;
    return {.status = 202,
            .headers = {{"Location", "/v2/team/app/blobs/uploads/1?state=a%2Bb"},
                        {"Range", fmt::format("0-{}", uploaded_.size() - 1)}},
            .body = {}};
  }

  // A file with these bytes.
  static kernel::Fd file_of(const std::string &bytes) {
    kernel::Fd file = kernel::memfd_create("blob", 0).value();
    EXPECT_EQ(words(kernel::pwrite_all(file, bytes, 0)), "");
    return file;
  }
  Status put(Registry &registry) {
    return registry.put_blob(describe(digest_, bytes_.size()), file_of(bytes_), nullptr);
  }

  std::mutex mutex_;
  Content content_;
  std::string uploaded_;
  std::string bytes_ = make_bytes(250'000);
  std::string digest_ = digest_of(bytes_).text();
};

// ---- blobs ----

TEST_F(RegistryPush, ASmallBlobGoesInOnePiece) {  // end-4a, end-6
  const auto server = serve();
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(content_.blobs[digest_], bytes_);
  EXPECT_EQ(server->lines(), (std::vector<std::string>{
                                 "POST /v2/team/app/blobs/uploads/",
                                 "PUT /v2/team/app/blobs/uploads/1?state=a%2Bb&digest=" + digest_,
                             }));
  EXPECT_EQ(server->requests()[1].header("content-type"), "application/octet-stream");
}

TEST_F(RegistryPush, ALargeBlobGoesInChunks) {  // end-5
  options_.chunk_size = 100'000;
  const auto server = serve();
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(content_.blobs[digest_], bytes_);
  ASSERT_EQ(server->count("PATCH"), 3U);
  EXPECT_EQ(server->requests()[1].header("content-range"), "0-99999");
  EXPECT_EQ(server->requests()[3].header("content-range"), "200000-249999");
}

TEST_F(RegistryPush, ChunksAreAsLargeAsTheRegistryWantsThem) {  // OCI-Chunk-Min-Length
  options_.chunk_size = 1000;
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "POST") return std::nullopt;
    Answer answer = take(request);
    answer.headers.emplace_back("OCI-Chunk-Min-Length", "200000");
    return answer;
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(server->requests()[1].header("content-range"), "0-199999");
}

TEST_F(RegistryPush, AChunkOutOfStepGoesOnWhereTheRegistryIs) {  // 416, end-13
  options_.chunk_size = 100'000;
  int count = 0;
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "PATCH" || ++count != 2) return std::nullopt;
    uploaded_ += request.body.substr(0, 40'000);  // part of it was kept, and the answer got lost
    return Answer{.status = 416, .headers = {}, .body = {}};
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(content_.blobs[digest_], bytes_);
  EXPECT_EQ(server->count("GET /v2/team/app/blobs/uploads/1"), 1U);
  EXPECT_EQ(server->requests()[4].header("content-range"), "140000-239999");
}

TEST_F(RegistryPush, AChunkWhoseConnectionBreaksIsResumed) {
  options_.chunk_size = 100'000;
  int count = 0;
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "PATCH" || ++count != 2) return std::nullopt;
    return Answer{.status = 202, .headers = {{"Content-Length", "10"}}, .body = "", .cut_after = 0};
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(content_.blobs[digest_], bytes_);
}

TEST_F(RegistryPush, WhereChunksAreRefusedTheBlobGoesInOnePiece) {
  options_.chunk_size = 100'000;
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "PATCH") return std::nullopt;
    return error_answer(405, "UNSUPPORTED", "no chunks");
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(content_.blobs[digest_], bytes_);
}

TEST_F(RegistryPush, AnUploadThatFailsForAWhileIsBegunAgain) {
  InTurn answers{error_answer(500, "UNKNOWN", "x"), error_answer(429, "TOOMANYREQUESTS", "x"),
                 Answer{.status = 0, .headers = {}, .body = {}}};
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "PUT") return std::nullopt;
    const Answer answer = answers.next();
    return answer.status == 0 ? std::nullopt : std::optional(answer);
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  EXPECT_EQ(server->count("POST"), 3U);
}

TEST_F(RegistryPush, AnUploadElsewhereGetsNoCredentials) {
  options_.login = Login{.user = "me", .password = "secret", .identity_token = {}};
  const auto storage = serve();
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.header("authorization").empty()) {
      return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}, .body = {}};
    }
    return Answer{.status = 202,
                  .headers = {{"Location", storage->url("/v2/x/blobs/uploads/1?state=a%2Bb", "localhost")}},
                  .body = {}};
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(put(registry)), "");
  ASSERT_EQ(storage->requests().size(), 1U);
  EXPECT_EQ(storage->requests()[0].header("authorization"), "");
}

TEST_F(RegistryPush, AFileOfAnotherSizeIsNotSent) {
  const auto server = serve();
  Registry registry = open(server->host());
  const Status status = registry.put_blob(describe(digest_, 7), file_of(bytes_), nullptr);
  EXPECT_NE(words(status).find("250000 bytes, its descriptor says 7"), std::string::npos) << words(status);
  EXPECT_TRUE(server->requests().empty());
}

TEST_F(RegistryPush, ABlobIsMountedOrTheUploadGivenUp) {  // end-11, end-14
  bool mounts = true;
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method == "POST" && mounts) return Answer{.status = 201, .headers = {}, .body = {}};
    return std::nullopt;
  });
  Registry registry = open(server->host());
  const Digest digest = Digest::parse(digest_).value();
  EXPECT_TRUE(registry.mount_blob(digest, "other/app").value());
  EXPECT_EQ(server->lines()[0], "POST /v2/team/app/blobs/uploads/?mount=" + digest_ + "&from=other/app");
  mounts = false;
  EXPECT_FALSE(registry.mount_blob(digest, "other/app").value());
  EXPECT_EQ(server->count("DELETE /v2/team/app/blobs/uploads/1"), 1U);
}

TEST_F(RegistryPush, WhatIsThereIsNotSentAndWhatIsElsewhereIsMounted) {
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.target.find("mount=" + digest_) == std::string::npos) return std::nullopt;
    return Answer{.status = 201, .headers = {}, .body = {}};
  });
  content_.add_blob("there");
  std::vector<spec::Descriptor> blobs;
  for (const std::string &bytes : {bytes_, std::string("there"), std::string("new"), std::string("new")}) {
    blobs.push_back(describe(layout_.write_blob(bytes).value().text(), bytes.size()));
  }
  spec::Descriptor foreign = describe(digest_of("foreign").text(), 7);
  foreign.urls = {"https://example.com/layer"};
  blobs.push_back(foreign);
  Registry registry = open(server->host());
  ASSERT_EQ(words(push_blobs(registry, layout_, blobs, {.parallel = 3, .mount_from = {"other/app"}}, progress_)), "");
  EXPECT_EQ(content_.blobs.size(), 2U);
  EXPECT_EQ(server->count("PUT"), 1U);
  EXPECT_EQ(server->count("HEAD"), 3U);
}

// ---- manifests, subject and referrers ----

constexpr std::string_view empty_config =
    R"({"mediaType":"application/vnd.oci.empty.v1+json","size":2,)"
    R"("digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"})";

std::string manifest_with(const std::string &subject, std::string_view artifact_type) {
  const std::string more = subject.empty() ? ""
                                           : fmt::format(R"(,"subject":{{"mediaType":"{}","size":5,"digest":"{}"}})",
                                                         manifest_type, subject);
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","artifactType":"{}","config":{},"layers":[{}]{}}})",
                     manifest_type, artifact_type, empty_config, empty_config, more);
}

const std::string subject_digest = digest_of("subject").text();
const std::string subject_tag = "sha256-" + subject_digest.substr(7);

TEST_F(RegistryPush, AManifestGoesVerbatimUnderItsType) {  // end-7
  const auto server = serve();
  Registry registry = open(server->host());
  const std::string bytes = manifest_with("", "a/b");
  ASSERT_EQ(words(registry.put_manifest("v1", bytes, manifest_type)), "");
  EXPECT_EQ(server->lines(), std::vector<std::string>{"PUT /v2/team/app/manifests/v1"});
  EXPECT_EQ(server->requests()[0].body, bytes);
  EXPECT_EQ(server->requests()[0].header("content-type"), manifest_type);
}

TEST_F(RegistryPush, AManifestWhoseBlobsAreMissingSaysSo) {
  const auto server = serve([](const Request &) { return error_answer(404, "MANIFEST_BLOB_UNKNOWN", "sha256:12"); });
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.put_manifest("v1", manifest_with("", "a/b"), manifest_type)).find("MANIFEST_BLOB_UNKNOWN"),
            std::string::npos);
}

TEST_F(RegistryPush, ASubjectThatTheRegistryHandlesNeedsNoTag) {  // OCI-Subject
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.method != "PUT") return std::nullopt;
    return Answer{.status = 201, .headers = {{"OCI-Subject", subject_digest}}, .body = {}};
  });
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.put_manifest("v1", manifest_with(subject_digest, "a/b"), manifest_type)), "");
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(RegistryPush, WithoutTheReferrersApiTheTagIsKeptUpAndCleared) {  // "Referrers Tag Schema"
  const auto server = serve();
  Registry registry = open(server->host());
  const std::string first = manifest_with(subject_digest, "a/signature");
  const std::string second = manifest_with(subject_digest, "a/sbom");
  for (const std::string &bytes : {first, second, first}) {
    ASSERT_EQ(words(registry.put_manifest(digest_of(bytes).text(), bytes, manifest_type)), "");
  }
  EXPECT_EQ(content_.manifests[subject_tag].media_type, spec::oci_index_type);
  const Digest subject = Digest::parse(subject_digest).value();
  const spec::ImageIndex all = registry.list_referrers(subject, "").value();
  ASSERT_EQ(all.manifests.size(), 2U);
  EXPECT_EQ(all.manifests[0].digest, digest_of(first).text());
  EXPECT_EQ(all.manifests[0].artifact_type, "a/signature");
  const spec::ImageIndex some = registry.list_referrers(subject, "a/sbom").value();
  ASSERT_EQ(some.manifests.size(), 1U);
  EXPECT_EQ(some.manifests[0].digest, digest_of(second).text());

  ASSERT_EQ(words(registry.delete_manifest(digest_of(first).text())), "");
  const spec::ImageIndex left = registry.list_referrers(subject, "").value();
  ASSERT_EQ(left.manifests.size(), 1U);
  EXPECT_EQ(left.manifests[0].digest, digest_of(second).text());
}

TEST_F(RegistryPush, ReferrersThatNobodyHasAreAnEmptyList) {
  const auto server = serve();
  Registry registry = open(server->host());
  EXPECT_TRUE(registry.list_referrers(Digest::parse(subject_digest).value(), "").value().manifests.empty());
}

TEST_F(RegistryPush, ReferrersComeInPagesAndAreFilteredWhateverTheRegistryDoes) {  // end-12b, OCI-Filters-Applied
  const auto entry = [](std::string_view type, std::string_view what) {
    return fmt::format(R"({{"mediaType":"{}","artifactType":"{}","size":3,"digest":"{}"}})", manifest_type, type,
                       digest_of(what).text());
  };
  const auto page = [](const std::string &entries) {
    return fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}})", spec::oci_index_type, entries);
  };
  const auto server = serve([&](const Request &request) -> std::optional<Answer> {
    if (request.target.find("page=2") != std::string::npos) {
      return Answer{.headers = {{"Content-Type", std::string(spec::oci_index_type)}}, .body = page(entry("a/b", "3"))};
    }
    return Answer{.headers = {{"Content-Type", std::string(spec::oci_index_type)}, {"Link", "<?page=2>; rel=\"next\""}},
                  .body = page(entry("a/b", "1") + "," + entry("c/d", "2"))};
  });
  Registry registry = open(server->host());
  const Result<spec::ImageIndex> found = registry.list_referrers(Digest::parse(subject_digest).value(), "a/b");
  ASSERT_EQ(words(found), "");
  ASSERT_EQ(found->manifests.size(), 2U);
  EXPECT_EQ(found->manifests[1].digest, digest_of("3").text());
  EXPECT_EQ(server->count("GET /v2/team/app/referrers/" + subject_digest + "?artifactType=a/b"), 1U);
}

// ---- tags and deleting ----

TEST_F(RegistryPush, TagsComeInPages) {  // end-8
  const auto server = serve([](const Request &request) -> std::optional<Answer> {
    if (request.target.find("last=b") != std::string::npos) {
      return Answer{.headers = {}, .body = R"({"name":"team/app","tags":["c"]})"};
    }
    return Answer{.headers = {{"Link", "</v2/team/app/tags/list?n=2&last=b>; rel=\"next\""}},
                  .body = R"({"name":"team/app","tags":["a","b"]})"};
  });
  Registry registry = open(server->host());
  EXPECT_EQ(registry.list_tags().value(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(RegistryPush, ALinkToAnotherHostOrInACircleIsNotFollowed) {
  std::string link;
  const auto server = serve([&](const Request &) -> std::optional<Answer> {
    return Answer{.headers = {{"Link", fmt::format("<{}>; rel=\"next\"", link)}}, .body = R"({"tags":["a"]})"};
  });
  Registry registry = open(server->host());
  link = "http://example.invalid/v2/";
  EXPECT_NE(words(registry.list_tags()).find("Link leads to another host"), std::string::npos);
  link = "/v2/team/app/tags/list?n=1000";
  EXPECT_NE(words(registry.list_tags()).find("Link leads in a circle"), std::string::npos);
}

TEST_F(RegistryPush, DeletingThatIsNotAllowedSaysSo) {  // end-9, end-10
  const auto server = serve([](const Request &request) -> std::optional<Answer> {
    return request.method == "DELETE" ? std::optional(error_answer(405, "UNSUPPORTED", "not here")) : std::nullopt;
  });
  Registry registry = open(server->host());
  const std::string text = words(registry.delete_blob(Digest::parse(digest_).value()));
  EXPECT_NE(text.find("DELETE /v2/team/app/blobs/" + digest_ + ": 405 UNSUPPORTED: not here"), std::string::npos)
      << text;
  EXPECT_FALSE(registry.delete_manifest("latest"));
}

}  // namespace
}  // namespace skiff::image::testing
