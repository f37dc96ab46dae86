// Basic and Bearer against a registry and a token server that a test tells what to answer.
#include <fmt/format.h>

#include "imgtool/auth.h"
#include "spec/base64.h"
#include "tests/imgtool/registry_rig.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::image::testing {
namespace {

const std::string good_basic = "Basic " + spec::encode_base64("me:secret");

class RegistryAuth : public RegistryRig {
 protected:
  void log_in(const std::string &host, std::string_view entry) const {
    kernel::testing::write_whole(options_.authfile, fmt::format(R"({{"auths": {{"{}": {}}}}})", host, entry));
  }
  void log_in(const std::string &host) const {
    log_in(host, fmt::format(R"({{"auth": "{}"}})", spec::encode_base64("me:secret")));
  }

  // A registry that wants a Bearer token of `realm`: each token says which scopes it is for.
  std::unique_ptr<FaultyRegistry> serve_bearer(const std::string &realm) {
    return std::make_unique<FaultyRegistry>([this, realm](const Request &request) {
      const std::lock_guard lock(mutex_);
      if (!valid_.contains(request.header("authorization"))) {
        Answer answer = error_answer(401, "UNAUTHORIZED", "authentication required");
        answer.headers.emplace_back(
            "WWW-Authenticate",
            fmt::format("Bearer realm=\"{}\",service=\"the registry\",scope=\"repository:team/app:pull\"", realm));
        return answer;
      }
      return serve_content(content_, request);
    });
  }
  Answer give_token(std::string_view more = {}) {
    const std::lock_guard lock(mutex_);
    const std::string token = fmt::format("token{}", ++tokens_);
    valid_.insert("Bearer " + token);
    return {.headers = {}, .body = fmt::format(R"({{"token": "{}"{}}})", token, more)};
  }

  std::mutex mutex_;
  std::set<std::string> valid_;
  int tokens_ = 0;
  Content content_;
  std::string manifest_ = content_.add_manifest("latest", "application/vnd.oci.image.manifest.v1+json", "{}");
  std::string blob_ = content_.add_blob("a blob");
};

TEST_F(RegistryAuth, BasicIsAnsweredWithTheLoginOfTheFile) {
  const FaultyRegistry server([&](const Request &request) {
    if (request.header("authorization") == good_basic) return serve_content(content_, request);
    return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"here\""}}, .body = {}};
  });
  log_in(server.host());
  Registry registry = open(server.host());
  EXPECT_EQ(words(registry.check_login()), "");
  EXPECT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(server.requests().size(), 3U) << "only the first is asked for credentials";
}

TEST_F(RegistryAuth, WithoutALoginTheErrorSaysToLogIn) {
  const FaultyRegistry server([](const Request &) {
    Answer answer = error_answer(401, "UNAUTHORIZED", "authentication required");
    answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"here\"");
    return answer;
  });
  Registry registry = open(server.host());
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_NE(text.find("401 UNAUTHORIZED: authentication required; log in"), std::string::npos) << text;
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(RegistryAuth, WrongCredentialsAreNotTriedForEver) {
  options_.login = Login{.user = "me", .password = "wrong", .identity_token = {}};
  const FaultyRegistry server([](const Request &) {
    return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"here\""}}, .body = {}};
  });
  Registry registry = open(server.host());
  EXPECT_FALSE(registry.check_login());
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(RegistryAuth, AChallengeOfAnUnknownSchemeIsNamed) {
  const FaultyRegistry server([](const Request &) {
    return Answer{.status = 401, .headers = {{"WWW-Authenticate", "Negotiate"}}, .body = {}};
  });
  Registry registry = open(server.host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("401 asks for \"negotiate\""), std::string::npos);
}

TEST_F(RegistryAuth, ATokenIsFetchedOnceForAScope) {  // Docker's token specification
  const FaultyRegistry tokens([&](const Request &) { return give_token(R"(, "expires_in": 300)"); });
  const auto server = serve_bearer(tokens.url("/token"));
  log_in(server->host());
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(fetch(registry, describe(blob_, 6)).bytes, "a blob");
  ASSERT_EQ(tokens.lines(), std::vector<std::string>{"GET /token?service=the%20registry&scope=repository:team/app:pull&"
                                                     "account=me"});
  EXPECT_EQ(tokens.requests()[0].header("authorization"), good_basic);
  EXPECT_EQ(server->requests().size(), 3U);
  // Another scope has a token of its own, which is fetched before the registry asks.
  EXPECT_TRUE(registry.has_blob(Digest::parse(blob_).value()).value());
  ASSERT_EQ(tokens.requests().size(), 2U);
  EXPECT_NE(tokens.lines()[1].find("scope=repository:team/app:pull,push"), std::string::npos);
  EXPECT_EQ(server->requests().size(), 4U);
  for (const Request &request : server->requests()) {
    EXPECT_EQ(request.header("authorization").find("Basic"), std::string::npos);
  }
}

TEST_F(RegistryAuth, WithoutALoginATokenIsAskedForAnonymously) {
  const FaultyRegistry tokens([&](const Request &) { return give_token(); });
  const auto server = serve_bearer(tokens.url("/token"));
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(tokens.requests()[0].header("authorization"), "");
}

TEST_F(RegistryAuth, ATokenThatHasEndedIsFetchedAgain) {
  const FaultyRegistry tokens([&](const Request &) { return give_token(R"(, "expires_in": 0)"); });
  const auto server = serve_bearer(tokens.url("/token"));
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(tokens.requests().size(), 2U);
}

TEST_F(RegistryAuth, ATokenThatTheRegistryDropsIsFetchedAgain) {
  const FaultyRegistry tokens([&](const Request &) { return give_token(R"(, "expires_in": 300)"); });
  const auto server = serve_bearer(tokens.url("/token"));
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  {
    const std::lock_guard lock(mutex_);
    valid_.clear();
  }
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(tokens.requests().size(), 2U);
}

TEST_F(RegistryAuth, AnIdentityTokenIsExchangedByPost) {  // oauth2
  const FaultyRegistry tokens([&](const Request &) { return give_token(); });
  const auto server = serve_bearer(tokens.url("/token"));
  log_in(server->host(), R"({"identitytoken": "long lived"})");
  Registry registry = open(server->host());
  ASSERT_EQ(words(registry.get_manifest("latest")), "");
  EXPECT_EQ(tokens.lines(), std::vector<std::string>{"POST /token"});
  EXPECT_EQ(tokens.requests()[0].body,
            "grant_type=refresh_token&client_id=skiff-image&service=the%20registry&scope=repository:team/app:pull&"
            "refresh_token=long%20lived");
}

TEST_F(RegistryAuth, AMountAsksForBothRepositories) {
  const FaultyRegistry tokens([&](const Request &) { return give_token(); });
  const auto server = serve_bearer(tokens.url("/token"));
  Registry registry = open(server->host());
  EXPECT_FALSE(registry.mount_blob(Digest::parse(blob_).value(), "other/app").value());
  EXPECT_NE(tokens.lines()[0].find("scope=repository:team/app:pull,push&scope=repository:other/app:pull"),
            std::string::npos)
      << tokens.lines()[0];
}

TEST_F(RegistryAuth, ARefusalOfTheTokenServerIsToldWithItsWords) {
  const FaultyRegistry tokens([](const Request &) {
    return Answer{.status = 401, .headers = {}, .body = R"({"details": "incorrect username or password"})"};
  });
  const auto server = serve_bearer(tokens.url("/token"));
  log_in(server->host());
  Registry registry = open(server->host());
  const std::string text = words(registry.get_manifest("latest"));
  EXPECT_NE(text.find("token server " + tokens.url("/token") + ": 401 incorrect username or password; log in"),
            std::string::npos)
      << text;
}

TEST_F(RegistryAuth, ATokenServerThatFailsForAWhileIsAskedAgain) {
  InTurn answers{error_answer(503, "x", "y"), Answer{.status = 0, .headers = {}, .body = {}}};
  const FaultyRegistry tokens([&](const Request &) {
    const Answer answer = answers.next();
    return answer.status == 0 ? give_token() : answer;
  });
  const auto server = serve_bearer(tokens.url("/token"));
  Registry registry = open(server->host());
  EXPECT_EQ(words(registry.get_manifest("latest")), "");
}

TEST_F(RegistryAuth, AnAnswerThatIsNoTokenIsAnError) {
  for (const char *body : {"", "<html>", "[]", "{}", R"({"token": "a\r\nX: y"})"}) {
    const FaultyRegistry tokens([&](const Request &) { return Answer{.headers = {}, .body = body}; });
    const auto server = serve_bearer(tokens.url("/token"));
    Registry registry = open(server->host());
    EXPECT_NE(words(registry.get_manifest("latest")).find("token server"), std::string::npos) << body;
  }
}

TEST_F(RegistryAuth, APasswordDoesNotGoToAnotherHostInTheClear) {  // FIELD: WWW-Authenticate realm on another host
  const FaultyRegistry tokens([&](const Request &) { return give_token(); });
  const auto server = serve_bearer(tokens.url("/token", "localhost"));
  log_in(server->host());
  Registry registry = open(server->host());
  EXPECT_NE(words(registry.get_manifest("latest")).find("without TLS"), std::string::npos);
  EXPECT_TRUE(tokens.requests().empty());
}

TEST(MayHavePassword, OverTlsOrToTheRegistrysOwnHost) {
  const WebOrigin https = origin_of("https://registry.example").value();
  const WebOrigin http = origin_of("http://registry.example:5000").value();
  EXPECT_TRUE(may_have_password(origin_of("https://auth.example").value(), https));
  EXPECT_FALSE(may_have_password(origin_of("http://auth.example").value(), https));
  EXPECT_FALSE(may_have_password(origin_of("http://registry.example").value(), https));
  EXPECT_TRUE(may_have_password(origin_of("http://registry.example:5001").value(), http));
  EXPECT_FALSE(may_have_password(origin_of("http://auth.example").value(), http));
}

}  // namespace
}  // namespace skiff::image::testing
