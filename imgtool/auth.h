// What a registry wants to see before it answers: Basic, or a token that a server of its choice gives for a scope.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/challenge.h"
#include "imgtool/credentials.h"
#include "imgtool/http.h"
#include "imgtool/url.h"

namespace skiff::image {

// "repository:library/alpine:pull", several for a mount from another repository.
using Scopes = std::vector<std::string>;

// The Authorization of one registry, kept for as long as the registry says. For several threads.
class Authorizer {
 public:
  struct Sources {
    std::function<Result<std::optional<Login>>()> find_login;             // asked at most once
    std::function<Result<TlsTrust>(const std::string &host)> load_trust;  // for the token server
    bool tls_verify = true;
  };
  Authorizer(Http &http, Sources sources) : http_(&http), sources_(std::move(sources)) {}

  // The field's value for these scopes, made before the registry asks where it has asked once; empty where it has not.
  [[nodiscard]] std::expected<std::string, HttpFailure> value(const Scopes &scopes, const WebOrigin &registry);
  // After a 401 to a request that carried `rejected` (may be empty). Empty where nothing new can be offered: the 401
  // stands.
  [[nodiscard]] std::expected<std::string, HttpFailure> answer(const std::vector<Challenge> &challenges,
                                                               const Scopes &scopes, const std::string &rejected,
                                                               const WebOrigin &registry);
  // Whether a login was found, once one was looked for.
  [[nodiscard]] bool has_login() const;

 private:
  struct Token {
    std::string value;
    std::chrono::steady_clock::time_point end;
  };
  [[nodiscard]] Result<std::optional<Login>> login();
  [[nodiscard]] std::expected<std::string, HttpFailure> make(const Scopes &scopes, const WebOrigin &registry);
  [[nodiscard]] std::expected<Token, HttpFailure> fetch_token(const Scopes &scopes, const WebOrigin &registry);

  Http *http_;
  Sources sources_;
  mutable std::mutex mutex_;
  std::optional<Challenge> challenge_;         // the one that is answered
  std::optional<std::optional<Login>> login_;  // once asked for
  std::map<std::string, Token> tokens_;        // by the scopes, a blank between them
};

// Whether a password may go to a token server: over TLS, or to the registry's own host where that speaks plain HTTP.
// The registry names that server over a verified connection, so that the host may be another (Docker's hub has one).
[[nodiscard]] bool may_have_password(const WebOrigin &realm, const WebOrigin &registry);

}  // namespace skiff::image
