#include "imgtool/auth.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgtool/registry_answer.h"
#include "imgtool/retry.h"
#include "spec/base64.h"
#include "spec/json.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

using Failure = std::unexpected<HttpFailure>;

Failure final_failure(Error error) {
  return Failure(HttpFailure{.error = std::move(error), .trouble = HttpTrouble::final});
}

std::string joined(const Scopes &scopes) {
  std::string text;
  for (const std::string &scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

std::string basic_of(const Login &login) { return "Basic " + spec::encode_base64(login.user + ":" + login.password); }

// What is asked for, and what the registry's challenge names besides: some have scopes that differ from the path.
Scopes with_asked(Scopes scopes, std::string_view asked) {
  while (!asked.empty()) {
    const std::string one(asked.substr(0, asked.find(' ')));
    asked.remove_prefix(std::min(one.size() + 1, asked.size()));
    if (!one.empty() && std::ranges::find(scopes, one) == scopes.end()) scopes.push_back(one);
  }
  return scopes;
}

HttpRequest ask_with_get(const Challenge &challenge, const Scopes &scopes, const std::optional<Login> &login) {
  HttpRequest request;
  request.url = challenge.parameter("realm");
  if (const auto service = challenge.parameter("service"); !service.empty()) {
    request.url = with_query(request.url, "service", service);
  }
  for (const std::string &scope : scopes) request.url = with_query(request.url, "scope", scope);
  if (login) {
    request.url = with_query(request.url, "account", login->user);
    request.headers.push_back("Authorization: " + basic_of(*login));
  }
  return request;
}

HttpRequest ask_with_post(const Challenge &challenge, const Scopes &scopes, const Login &login, std::string &form) {
  form = "grant_type=refresh_token&client_id=skiff-image&service=" + escape_query(challenge.parameter("service")) +
         "&scope=" + escape_query(joined(scopes)) + "&refresh_token=" + escape_query(login.identity_token);
  HttpRequest request;
  request.method = "POST";
  request.url = challenge.parameter("realm");
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = form;
  return request;
}

struct TokenAnswer {
  std::string token;
  std::uint64_t expires_in = 60;  // Docker's token specification: where it is missing
};

Result<TokenAnswer> parse_token(const HttpResponse &response) {
  const auto document = spec::json::Document::parse(response.body);
  if (!document || document->root().kind() != spec::json::Kind::object) {
    return fail(fmt::format("its answer is no JSON object ({})", describe_answer(response)));
  }
  TokenAnswer answer;
  for (const std::string_view name : {"token", "access_token"}) {
    const spec::json::Value value = document->root().member(name);
    if (answer.token.empty() && value && value.kind() == spec::json::Kind::string) answer.token = value.text();
  }
  const spec::json::Value seconds = document->root().member("expires_in");
  if (seconds && seconds.kind() == spec::json::Kind::natural) answer.expires_in = seconds.number();
  if (answer.token.empty()) return fail("its answer has no token");
  if (answer.token.find_first_of("\r\n") != std::string::npos) return fail("its token has a line end");
  return answer;
}

const Challenge *choose(const std::vector<Challenge> &challenges) {
  for (const std::string_view scheme : {"bearer", "basic"}) {
    const auto found = std::ranges::find(challenges, scheme, &Challenge::scheme);
    if (found != challenges.end()) return &*found;
  }
  return nullptr;
}

Failure not_answerable(const std::vector<Challenge> &challenges) {
  std::string schemes;
  for (const Challenge &challenge : challenges) schemes += (schemes.empty() ? "" : ", ") + challenge.scheme;
  return final_failure({.number = 0,
                        .text = schemes.empty() ? "401 without a WWW-Authenticate that can be read"
                                                : fmt::format("401 asks for {}", spec::quote(schemes)),
                        .remedy = "Bearer and Basic are what this tool answers"});
}

HttpFailure refused_by(const std::string &realm, const HttpResponse &response) {
  Error error{.number = 0,
              .text = fmt::format("token server {}: {}", without_query(realm), describe_answer(response)),
              .remedy = remedy_of(response)};
  if (response.status == 400 || response.status == 401 || response.status == 403) {
    error.remedy = "log in with `skiff-image login`, or check user and password";
  }
  return {.error = std::move(error),
          .trouble = is_passing_status(response.status) ? HttpTrouble::passing : HttpTrouble::final};
}

}  // namespace

bool may_have_password(const WebOrigin &realm, const WebOrigin &registry) {
  return realm.scheme == "https" || (registry.scheme == "http" && realm.host == registry.host);
}

Result<std::optional<Login>> Authorizer::login() {
  if (!login_) login_ = TRY(sources_.find_login());
  return *login_;
}

std::expected<Authorizer::Token, HttpFailure> Authorizer::fetch_token(const Scopes &scopes, const WebOrigin &registry) {
  const std::string realm(challenge_->parameter("realm"));
  const Result<WebOrigin> origin = origin_of(realm);
  if (!origin) return final_failure(in("realm of the token server", origin.error()));
  const Result<std::optional<Login>> found = login();
  if (!found) return final_failure(found.error());
  if (*found && sources_.tls_verify && !may_have_password(*origin, registry)) {
    return final_failure({.number = 0,
                          .text = fmt::format("token server {}: the password would go there without TLS", realm),
                          .remedy = "--tls-verify=false allows that"});
  }
  const Result<TlsTrust> trust = sources_.load_trust(authority_of(*origin));
  if (!trust) return final_failure(trust.error());
  const Scopes wanted = with_asked(scopes, challenge_->parameter("scope"));
  std::string form;
  HttpRequest request = *found && !(*found)->identity_token.empty() ? ask_with_post(*challenge_, wanted, **found, form)
                                                                    : ask_with_get(*challenge_, wanted, *found);
  request.trust = *trust;
  auto response = http_->send(request);
  if (!response) {
    response.error().error = in(fmt::format("token server {}", realm), std::move(response.error().error));
    return Failure(std::move(response.error()));
  }
  if (response->status != 200) return Failure(refused_by(realm, *response));
  const Result<TokenAnswer> answer = parse_token(*response);
  if (!answer) return final_failure(in(fmt::format("token server {}", realm), answer.error()));
  // A tenth less than it says: the request that carries it must still arrive in time.
  const std::uint64_t seconds = std::min<std::uint64_t>(answer->expires_in, 24ULL * 3600);
  return Token{.value = "Bearer " + answer->token,
               .end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds - seconds / 10)};
}

std::expected<std::string, HttpFailure> Authorizer::make(const Scopes &scopes, const WebOrigin &registry) {
  if (challenge_->scheme == "basic") {
    const Result<std::optional<Login>> found = login();
    if (!found) return final_failure(found.error());
    return *found ? basic_of(**found) : std::string();
  }
  auto token = fetch_token(scopes, registry);
  if (!token) return Failure(std::move(token.error()));
  Token &kept = tokens_[joined(scopes)];
  kept = *std::move(token);
  return kept.value;
}

bool Authorizer::has_login() const {
  const std::lock_guard lock(mutex_);
  return login_ && *login_;
}

std::expected<std::string, HttpFailure> Authorizer::value(const Scopes &scopes, const WebOrigin &registry) {
  const std::lock_guard lock(mutex_);
  if (!challenge_) return std::string();
  const auto found = tokens_.find(joined(scopes));
  if (found != tokens_.end() && found->second.end > std::chrono::steady_clock::now()) return found->second.value;
  return make(scopes, registry);
}

std::expected<std::string, HttpFailure> Authorizer::answer(const std::vector<Challenge> &challenges,
                                                           const Scopes &scopes, const std::string &rejected,
                                                           const WebOrigin &registry) {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(joined(scopes));
  if (found != tokens_.end() && found->second.value != rejected) return found->second.value;  // another thread's
  const Challenge *chosen = choose(challenges);
  if (chosen == nullptr) return not_answerable(challenges);
  challenge_ = *chosen;
  auto fresh = make(scopes, registry);
  if (fresh && *fresh == rejected) return std::string();
  return fresh;
}

}  // namespace skiff::image
