// The pull side against a registry that misbehaves: distribution-spec 1.1, "Pull".
#include <fmt/format.h>
#include <sys/resource.h>

#include "runtime/kernel/path.h"
#include "tests/imgtool/registry_rig.h"

namespace skiff::image::testing {
namespace {

using ::testing::Test;

constexpr std::string_view manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr std::size_t range = std::size_t{1} << 20U;

class RegistryPull : public RegistryRig {
 protected:
  // A registry with a manifest "latest" and a blob; `wrap` sees each request and its usual answer.
  using Wrap = std::function<Answer(const Request &, Answer)>;
  std::unique_ptr<FaultyRegistry> serve(Wrap wrap = {}) {
    return std::make_unique<FaultyRegistry>([this, wrap](const Request &request) {
      Answer answer = serve_content(content_, request);
      return wrap ? wrap(request, std::move(answer)) : answer;
    });
  }
  // The same for requests of the blob alone.
  std::unique_ptr<FaultyRegistry> serve_blob(Wrap wrap) {
    return serve([wrap](const Request &request, Answer answer) {
      return request.target.find("/blobs/") == std::string::npos ? answer : wrap(request, std::move(answer));
    });
  }
  [[nodiscard]] spec::Descriptor blob() const { return describe(digest_, bytes_.size()); }

  Content content_;
  std::string bytes_ = make_bytes(5 * range + 1234);
  std::string digest_ = content_.add_blob(bytes_);
  std::string manifest_ = content_.add_manifest("latest", std::string(manifest_type), R"({"schemaVersion": 2 })");
};

// ---- manifests ----

TEST_F(RegistryPull, AManifestComesVerbatimWithItsTypeAndDigest) {  // "Pulling manifests", end-3
  const auto server = serve();
  Registry registry = open(server->host());
  const auto manifest = registry.get_manifest("latest");
  ASSERT_EQ(words(manifest), "");
  ASSERT_TRUE(*manifest);
  EXPECT_EQ((*manifest)->bytes, R"({"schemaVersion": 2 })");
  EXPECT_EQ((*manifest)->media_type, manifest_type);
  EXPECT_EQ((*manifest)->digest.text(), manifest_);
  const Request request = server->requests().back();
  EXPECT_EQ(request.line(), "GET /v2/team/app/manifests/latest");
  for (const std::string_view type : {"vnd.oci.image.index.v1+json", "vnd.oci.image.manifest.v1+json",
                                      "docker.distribution.manifest.v2+json", "manifest.list.v2+json"}) {
    EXPECT_NE(request.header("accept").find(type), std::string::npos) << type;
  }
}

TEST_F(RegistryPull, AMissingManifestIsNone) {
  const auto server = serve();
  Registry registry = open(server->host());
  const auto manifest = registry.get_manifest("other");
  ASSERT_EQ(words(manifest), "");
  EXPECT_FALSE(*manifest);
  const auto head = registry.head_manifest("other");
  ASSERT_EQ(words(head), "");
  EXPECT_FALSE(*head);
}

TEST_F(RegistryPull, HeadTellsTheDescriptor) {
  const auto server = serve();
  Registry registry = open(server->host());
  const auto head = registry.head_manifest("latest");
  ASSERT_EQ(words(head), "");
  EXPECT_EQ((*head)->digest, manifest_);
  EXPECT_EQ((*head)->size, 21);
  EXPECT_EQ((*head)->media_type, manifest_type);
}

TEST_F(RegistryPull, AManifestOfAnotherDigestThanItsNameIsRefused) {
  const auto server = serve([](const Request &, Answer answer) {
    answer.body += " ";
    answer.headers.clear();
    return answer;
  });
  Registry registry = open(server->host());
  const auto manifest = registry.get_manifest(manifest_);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().number, EBADMSG);
  EXPECT_NE(words(manifest).find("its name says " + manifest_), std::string::npos) << words(manifest);
}

TEST_F(RegistryPull, ADockerContentDigestThatIsWrongIsRefusedOneOfAnUnknownAlgorithmIgnored) {
  std::string stated = "sha256:" + std::string(64, 'a');
  const auto server = serve([&](const Request &, Answer answer) {
    answer.headers = {{"Content-Type", std::string(manifest_type)}, {"Docker-Content-Digest", stated}};
    return answer;
  });
  Registry registry = open(server->host());
  const auto wrong = registry.get_manifest("latest");
  ASSERT_FALSE(wrong);
  EXPECT_NE(words(wrong).find("Docker-Content-Digest says"), std::string::npos) << words(wrong);
  stated = "blake3:" + std::string(64, 'a');
  const auto unknown = registry.get_manifest("latest");
  ASSERT_EQ(words(unknown), "");
  EXPECT_EQ((*unknown)->digest.text(), manifest_);
}

TEST_F(RegistryPull, AManifestWithoutEndIsCutOff) {
  content_.add_manifest("huge", std::string(manifest_type), std::string(std::size_t{17} << 20U, ' '));
  const auto server = serve();
  Registry registry = open(server->host());
  const auto manifest = registry.get_manifest("huge");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().number, EFBIG);
}

// ---- answers ----

TEST_F(RegistryPull, AnErrorHasThePlaceTheCodeTheMessageAndARemedy) {  // "Error Codes"
  const auto server = serve([](const Request &, Answer) { return error_answer(403, "DENIED", "not for you"); });
  Registry registry = open(server->host());
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_EQ(text, fmt::format("{}/team/app: GET /v2/team/app/manifests/latest: 403 DENIED: not for you; this login has "
                              "not the right to do that",
                              server->host()));
}

TEST_F(RegistryPull, AnHtmlPageIsCalledOne) {
  const auto server = serve([](const Request &, Answer) {
    return Answer{.headers = {{"Content-Type", "text/html"}}, .body = "<html><title>Log in here</title></html>"};
  });
  Registry registry = open(server->host());
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_NE(text.find("an HTML page (\"Log in here\")"), std::string::npos) << text;
  EXPECT_NE(words(fetch(registry, blob()).status).find("an HTML page in place of the blob"), std::string::npos);
  EXPECT_NE(words(registry.check_login()).find("an HTML page"), std::string::npos);
}

TEST_F(RegistryPull, WhatCanPassIsTriedAgainAndTheRestIsNot) {
  InTurn answers{error_answer(429, "TOOMANYREQUESTS", "slowly"), error_answer(500, "UNKNOWN", "oh"),
                 error_answer(503, "UNAVAILABLE", "later"), error_answer(404, "MANIFEST_UNKNOWN", "none")};
  const auto server = serve([&](const Request &, Answer) { return answers.next(); });
  Registry registry = open(server->host());
  const auto manifest = registry.get_manifest("latest");
  ASSERT_EQ(words(manifest), "");
  EXPECT_FALSE(*manifest);
  EXPECT_EQ(server->requests().size(), 4U);
}

TEST_F(RegistryPull, TheTriesEnd) {
  options_.retries = 2;
  const auto server = serve([](const Request &, Answer) { return error_answer(502, "UNKNOWN", "gone"); });
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("502 UNKNOWN: gone"), std::string::npos);
  EXPECT_EQ(server->requests().size(), 3U);
}

TEST_F(RegistryPull, ARetryAfterThatIsTooLongIsToldAndNotWaitedFor) {
  const auto server = serve([](const Request &, Answer) {
    Answer answer = error_answer(429, "TOOMANYREQUESTS", "pull rate limit");
    answer.headers.emplace_back("Retry-After", "3600");
    return answer;
  });
  Registry registry = open(server->host());
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_NE(text.find("429 TOOMANYREQUESTS: pull rate limit; wait 3600s"), std::string::npos) << text;
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(RegistryPull, AWarningIsShownOnce) {  // "Warnings"
  const kernel::Fd shown = kernel::memfd_create("progress", 0).value();
  Progress progress(ProgressMode::plain, shown);
  const auto server = serve([](const Request &, Answer answer) {
    answer.headers.emplace_back("Warning", "299 - \"this repository goes away\"");
    return answer;
  });
  ImageName name;
  name.registry = server->host();
  name.repository = "team/app";
  Registry registry = Registry::open(name, options_, progress).value();
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  std::string text(1000, '\0');
  text.resize(kernel::pread_some(shown, text, 0).value());
  EXPECT_EQ(text, server->host() + " warns: \"this repository goes away\"\n");
}

TEST_F(RegistryPull, OfflineRefusesBeforeAnySocket) {
  const auto server = serve();
  options_.offline = true;
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("--offline"), std::string::npos);
  EXPECT_NE(words(fetch(registry, blob()).status).find("--offline"), std::string::npos);
  EXPECT_TRUE(server->requests().empty());
}

TEST_F(RegistryPull, AHostThatIsNotThereIsToldAtOnce) {
  std::string host;
  {
    const auto server = serve();
    host = server->host();
  }
  Registry registry = open(host);
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_NE(text.find("Failed to connect"), std::string::npos) << text;
  EXPECT_NE(text.find("connect: connection refused"), std::string::npos) << text;
  // Where there is no descriptor for a socket, curl's words would be the same.
  const int next = kernel::open("/dev/null", O_RDONLY)->get();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string told = words(registry.get_manifest("latest"));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(told.find("socket: too many open files"), std::string::npos) << told;
}

// ---- redirects ----

Answer redirect(int status, std::string to) {
  return {.status = status, .headers = {{"Location", std::move(to)}}, .body = {}};
}

TEST_F(RegistryPull, ARedirectIsFollowedWithoutCredentialsToAnotherHost) {  // "MUST NOT forward Authorization"
  options_.login = Login{.user = "me", .password = "secret", .identity_token = {}};
  const auto storage = serve();
  const auto server = serve_blob([&](const Request &request, Answer answer) {
    if (request.header("authorization").empty()) {
      return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}, .body = {}};
    }
    return answer.status < 300 ? redirect(307, storage->url(request.target, "localhost")) : answer;
  });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_EQ(fetched.bytes, bytes_);
  ASSERT_FALSE(storage->requests().empty());
  for (const Request &request : storage->requests()) EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(RegistryPull, RedirectsInACircleEnd) {
  const auto server = serve([](const Request &request, Answer) {
    return redirect(302,
                    request.target.ends_with("latest") ? "/v2/team/app/manifests/b" : "/v2/team/app/manifests/latest");
  });
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("redirected in a circle"), std::string::npos);
  EXPECT_LE(server->requests().size(), 3U);
}

TEST_F(RegistryPull, RedirectsWithoutEndEnd) {
  std::atomic<int> count = 0;
  const auto server =
      serve([&](const Request &, Answer) { return redirect(302, fmt::format("/v2/next/{}", ++count)); });
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("more than 10 redirects"), std::string::npos);
}

TEST_F(RegistryPull, ARedirectToAnotherProtocolIsRefused) {
  const auto server = serve([](const Request &, Answer) { return redirect(302, "file:///etc/passwd"); });
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("not http or https"), std::string::npos);
}

// ---- blobs ----

TEST_F(RegistryPull, ALargeBlobComesInRangesAtOnce) {
  options_.range_size = range;
  const auto server = serve();
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_EQ(words(fetched.arrived), "");
  EXPECT_EQ(fetched.bytes, bytes_);
  EXPECT_EQ(server->count("GET /v2/team/app/blobs/" + digest_), 6U);
  EXPECT_EQ(server->requests().front().header("range"), fmt::format("bytes=0-{}", range - 1));
}

TEST_F(RegistryPull, ABlobThatStopsInTheMiddleGoesOnWhereItStopped) {
  std::atomic<int> count = 0;
  const auto server = serve_blob([&](const Request &, Answer answer) {
    if (count++ < 2) answer.cut_after = 100'000;
    return answer;
  });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_EQ(fetched.bytes, bytes_);
  ASSERT_EQ(server->requests().size(), 3U);
  EXPECT_EQ(server->requests()[1].header("range"), fmt::format("bytes=100000-{}", bytes_.size() - 1));
  EXPECT_EQ(server->requests()[2].header("range"), fmt::format("bytes=200000-{}", bytes_.size() - 1));
}

TEST_F(RegistryPull, RangesThatStopGoOnToo) {
  options_.range_size = range;
  std::atomic<int> count = 0;
  const auto server = serve_blob([&](const Request &, Answer answer) {
    if (count++ % 2 == 0) answer.cut_after = 300'000;
    return answer;
  });
  Registry registry = open(server->host());
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
}

TEST_F(RegistryPull, WhatAnEarlierTryLeftIsNotFetchedAgain) {  // "Range" (RFC 9110): a registry SHOULD
  leave_partial(digest_, std::string_view(bytes_).substr(0, 2 * range + 17));
  const auto server = serve();
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_EQ(fetched.bytes, bytes_);
  ASSERT_EQ(server->requests().size(), 1U);
  EXPECT_EQ(server->requests()[0].header("range"), fmt::format("bytes={}-{}", 2 * range + 17, bytes_.size() - 1));
}

TEST_F(RegistryPull, AGapThatAKilledTryLeftIsFilled) {
  {
    const Incoming incoming = layout_.begin_blob(Digest::parse(digest_).value()).value();
    ASSERT_EQ(words(kernel::pwrite_all(incoming.file, std::string_view(bytes_).substr(0, range), 0)), "");
    ASSERT_EQ(words(kernel::pwrite_all(incoming.file, std::string_view(bytes_).substr(3 * range, range), 3 * range)),
              "");
  }
  const auto server = serve();
  Registry registry = open(server->host());
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
  EXPECT_EQ(server->requests()[0].header("range"), fmt::format("bytes={}-{}", range, bytes_.size() - 1));
}

TEST_F(RegistryPull, ARangeThatIsIgnoredIsTakenFromTheWhole) {
  options_.range_size = range;
  leave_partial(digest_, std::string_view(bytes_).substr(0, 4321));
  const auto server = serve_blob([&](const Request &, Answer) { return Answer{.headers = {}, .body = bytes_}; });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_EQ(fetched.bytes, bytes_);
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(RegistryPull, ARangeThatIsRefusedIsDoneWithout) {
  leave_partial(digest_, std::string_view(bytes_).substr(0, 4321));
  const auto server = serve_blob([&](const Request &request, Answer answer) {
    return request.header("range").empty() ? answer : Answer{.status = 416, .headers = {}, .body = {}};
  });
  Registry registry = open(server->host());
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
}

TEST_F(RegistryPull, AnotherRangeThanTheOneAskedForIsRefused) {
  leave_partial(digest_, std::string_view(bytes_).substr(0, 4321));
  const auto server = serve_blob([&](const Request &, Answer answer) {
    answer.headers = {{"Content-Range", fmt::format("bytes 0-{}/{}", bytes_.size() - 1, bytes_.size())}};
    return answer;
  });
  Registry registry = open(server->host());
  EXPECT_NE(words(fetch(registry, blob()).status).find("206 with the range bytes 0-"), std::string::npos);
}

TEST_F(RegistryPull, ASizeOtherThanTheManifestsIsRefusedBeforeAnyByte) {
  const auto server = serve();
  Registry registry = open(server->host());
  for (const std::size_t size : {bytes_.size() - 1, bytes_.size() + 1}) {
    const Fetched fetched = fetch(registry, describe(digest_, size));
    ASSERT_FALSE(fetched.status);
    EXPECT_EQ(fetched.status.error().number, EBADMSG);
    EXPECT_NE(
        words(fetched.status).find(fmt::format("the registry has {} bytes, the manifest says {}", bytes_.size(), size)),
        std::string::npos)
        << words(fetched.status);
    EXPECT_EQ(words(fetched.arrived).empty(), false);
    EXPECT_EQ(fetched.bytes, "");
  }
}

TEST_F(RegistryPull, MoreBytesThanTheManifestSaysAreCutOff) {
  const auto server = serve_blob([&](const Request &, Answer) {
    return Answer{.headers = {{"Transfer-Encoding", "chunked"}},
                  .body = fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", bytes_.size() + 5, bytes_ + "extra")};
  });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_NE(words(fetched.status).find("sends more than"), std::string::npos) << words(fetched.status);
}

TEST_F(RegistryPull, FewerBytesThanTheManifestSaysAreToldAfterTheTries) {
  const auto server = serve_blob([&](const Request &, Answer) {
    return Answer{.headers = {{"Transfer-Encoding", "chunked"}}, .body = "5\r\nbytes\r\n0\r\n\r\n"};
  });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  EXPECT_NE(words(fetched.status).find("bytes end at 5, the manifest says"), std::string::npos)
      << words(fetched.status);
}

TEST_F(RegistryPull, OtherBytesThanTheDigestsAreRefusedAndTheNextTryBeginsAnew) {
  std::atomic<bool> wrong = true;
  const auto server = serve_blob([&](const Request &, Answer answer) {
    if (wrong) answer.body[77] = static_cast<char>(answer.body[77] + 1);
    return answer;
  });
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, blob());
  ASSERT_FALSE(fetched.status);
  EXPECT_EQ(fetched.status.error().number, EBADMSG);
  EXPECT_NE(words(fetched.status).find("not " + digest_), std::string::npos);
  EXPECT_FALSE(fetched.arrived);
  EXPECT_FALSE(*layout_.has_blob(Digest::parse(digest_).value()));
  wrong = false;
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
}

TEST_F(RegistryPull, AConnectionThatStallsIsMadeAnew) {
  options_.stall_timeout = std::chrono::seconds(1);
  std::atomic<int> count = 0;
  const auto server = serve_blob([&](const Request &, Answer answer) {
    if (count++ == 0) {
      answer.cut_after = 1000;
      answer.stall = true;
    }
    return answer;
  });
  Registry registry = open(server->host());
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(RegistryPull, AnEmptyBlobNeedsNoRequest) {
  const auto server = serve();
  Registry registry = open(server->host());
  const Fetched fetched = fetch(registry, describe(digest_of("").text(), 0));
  EXPECT_EQ(words(fetched.status), "");
  EXPECT_TRUE(server->requests().empty());
}

TEST_F(RegistryPull, EmbeddedContentNeedsNoRequestAndMustBeRight) {  // descriptor.md, "Embedded Content"
  const auto server = serve();
  Registry registry = open(server->host());
  spec::Descriptor config = describe(digest_of("{}").text(), 2);
  config.data = "e30=";
  EXPECT_EQ(fetch(registry, config).bytes, "{}");
  config = describe(digest_of("{ }").text(), 3);
  config.data = "e30=";
  EXPECT_NE(words(fetch(registry, config).status).find("the descriptor's data"), std::string::npos);
  EXPECT_TRUE(server->requests().empty());
}

TEST_F(RegistryPull, ANegativeSizeIsRefused) {
  const auto server = serve();
  Registry registry = open(server->host());
  spec::Descriptor negative = blob();
  negative.size = -1;
  EXPECT_NE(words(fetch(registry, negative).status).find("size -1"), std::string::npos);
}

TEST_F(RegistryPull, OneBlobsErrorDoesNotKeepTheOthersFromComing) {
  const std::string other = content_.add_blob("another blob");
  const auto server = serve();
  Registry registry = open(server->host());
  const std::string missing = digest_of("missing").text();
  Incoming first = layout_.begin_blob(Digest::parse(missing).value()).value();
  Incoming second = layout_.begin_blob(Digest::parse(other).value()).value();
  bool came = false;
  std::vector<BlobFetch> blobs(2);
  blobs[0].descriptor = describe(missing, 7);
  blobs[0].incoming = &first;
  blobs[1].descriptor = describe(other, 12);
  blobs[1].incoming = &second;
  blobs[1].ended = [&](const Status &verified) { came = verified.has_value(); };
  const Status status = registry.get_blobs(std::move(blobs));
  EXPECT_NE(words(status).find("404 BLOB_UNKNOWN"), std::string::npos) << words(status);
  EXPECT_NE(words(status).find(missing), std::string::npos);
  EXPECT_TRUE(came);
}

TEST_F(RegistryPull, AForeignLayersAddressGetsNoCredentials) {  // CVE-2020-15157
  options_.login = Login{.user = "me", .password = "secret", .identity_token = {}};
  const auto elsewhere = serve([&](const Request &request, Answer) {
    return request.header("authorization").empty() ? Answer{.headers = {}, .body = bytes_}
                                                   : error_answer(400, "UNKNOWN", "credentials");
  });
  const auto server = serve([](const Request &request, Answer) {
    if (request.header("authorization").empty()) {
      return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}, .body = {}};
    }
    return error_answer(404, "BLOB_UNKNOWN", "foreign");
  });
  Registry registry = open(server->host());
  spec::Descriptor foreign = blob();
  foreign.urls = {elsewhere->url("/layer.tar")};
  EXPECT_EQ(fetch(registry, foreign).bytes, bytes_);
  EXPECT_EQ(elsewhere->requests().size(), 1U);
}

// ---- mirrors ----

TEST_F(RegistryPull, AMirrorIsAskedFirstWithoutTheRegistrysCredentials) {
  options_.login = Login{.user = "me", .password = "secret", .identity_token = {}};
  const auto mirror = serve([](const Request &request, Answer answer) {
    if (request.target.find("/blobs/") != std::string::npos) return answer;
    return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"r\""}}, .body = {}};
  });
  const auto server = serve();
  options_.mirrors = {mirror->host("localhost")};
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
  EXPECT_EQ(server->lines(), std::vector<std::string>{"GET /v2/team/app/manifests/latest"});
  ASSERT_EQ(mirror->requests().size(), 2U);
  for (const Request &request : mirror->requests()) {
    EXPECT_EQ(request.header("authorization"), "");
    EXPECT_NE(request.target.find("?ns=" + server->host()), std::string::npos) << request.target;
  }
}

TEST_F(RegistryPull, WhereTheMirrorFailsTheRegistryServes) {
  options_.retries = 0;
  const auto mirror = serve([](const Request &, Answer) { return error_answer(500, "UNKNOWN", "broken"); });
  const auto server = serve();
  options_.mirrors = {mirror->host("localhost")};
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(fetch(registry, blob()).bytes, bytes_);
}

}  // namespace
}  // namespace skiff::image::testing
