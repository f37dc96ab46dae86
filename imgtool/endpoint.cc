#include "imgtool/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "imgtool/header_field.h"
#include "imgtool/registry_answer.h"
#include "imgtool/tls_trust.h"
#include "imgtool/url.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

using Failure = std::unexpected<HttpFailure>;
constexpr std::size_t most_redirects = 10;
constexpr int most_challenges = 2;  // a token that has just ended, and the one after it

Failure final_failure(Error error) {
  return Failure(HttpFailure{.error = std::move(error), .trouble = HttpTrouble::final});
}

// Docker's hub is not where its name points to.
std::string host_of(const std::string &registry) {
  return registry == "docker.io" || registry == "index.docker.io" ? "registry-1.docker.io" : registry;
}

bool is_redirect(int status) {
  constexpr std::array redirects = {301, 302, 303, 307, 308};
  return std::ranges::find(redirects, status) != redirects.end();
}

// RFC 9110, 15.4: the others would turn a PUT into a GET.
bool keeps_method(int status, const std::string &method) {
  return method == "GET" || method == "HEAD" || status == 307 || status == 308;
}

std::vector<Challenge> challenges_of(const HttpResponse &response) {
  std::vector<Challenge> all;
  for (const std::string_view field : response.all("www-authenticate")) {
    for (Challenge &challenge : parse_challenges(field)) all.push_back(std::move(challenge));
  }
  return all;
}

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::make(Http &http, EndpointNames names, const RegistryOptions &options,
                                                 Progress &progress) {
  std::unique_ptr<Endpoint> endpoint(new Endpoint(http, std::move(names), options, progress));
  TRY(in(endpoint->names_.registry, origin_of(endpoint->whole_url("https", "/"))));
  return endpoint;
}

Endpoint::Endpoint(Http &http, EndpointNames names, const RegistryOptions &options, Progress &progress)
    : http_(&http),
      names_(std::move(names)),
      host_(host_of(names_.registry)),
      options_(&options),
      progress_(&progress),
      retry_{.retries = options.retries, .first_wait = options.first_wait, .longest_wait = std::chrono::seconds(60)},
      authorizer_(http, {.find_login = [this]() -> Result<std::optional<Login>> {
                           // What the command line gave is the origin's; a mirror has its own or none.
                           if (options_->login && names_.origin.empty()) return options_->login;
                           return find_login(options_->authfile, names_.registry, names_.repository);
                         },
                         .load_trust = [this](const std::string &host) { return trust_for(host); },
                         .tls_verify = options.tls_verify}) {}

std::string Endpoint::path(std::string_view rest) const {
  std::string whole = fmt::format("/v2/{}/{}", names_.repository, rest);
  return names_.origin.empty() ? whole : with_query(std::move(whole), "ns", names_.origin);
}

Scopes Endpoint::scopes(std::string_view actions) const {
  return {fmt::format("repository:{}:{}", names_.repository, actions)};
}

std::string Endpoint::whole_url(const std::string &scheme, const std::string &path) const {
  return scheme + "://" + host_ + path;
}

Result<TlsTrust> Endpoint::trust_for(const std::string &host) {
  const std::lock_guard lock(mutex_);
  const auto known = trust_.find(host);
  if (known != trust_.end()) return known->second;
  TlsTrust trust = TRY(load_trust(host, options_->cert_dir, options_->tls_verify, host == host_));
  trust_[host] = trust;
  return trust;
}

void Endpoint::show_warnings(const HttpResponse &response) {
  for (const std::string_view field : response.all("warning")) {
    const std::optional<std::string> text = parse_warning(field);
    if (!text) continue;
    {
      const std::lock_guard lock(mutex_);
      if (!warnings_.insert(*text).second) continue;
    }
    progress_->say(fmt::format("{} warns: {}", names_.registry, spec::quote(*text)));
  }
}

// One request to one address, with the registry's Authorization where that is the address's origin.
std::expected<HttpResponse, HttpFailure> Endpoint::authorized(HttpRequest &request, const Ask &ask,
                                                              const WebOrigin &own) {
  const Result<WebOrigin> origin = origin_of(request.url);
  if (!origin) return final_failure(origin.error());
  const Result<TlsTrust> trust = trust_for(*origin == own ? host_ : authority_of(*origin));
  if (!trust) return final_failure(trust.error());
  request.trust = *trust;
  if (ask.anonymous || *origin != own) return http_->send(request);
  auto value = authorizer_.value(ask.scopes, own);
  for (int round = 0;; ++round) {
    if (!value) return Failure(std::move(value.error()));
    HttpRequest signed_request = request;
    if (!value->empty()) signed_request.headers.push_back("Authorization: " + *value);
    auto response = http_->send(signed_request);
    if (!response || response->status != 401 || round == most_challenges) return response;
    auto fresh = authorizer_.answer(challenges_of(*response), ask.scopes, *value, own);
    if (fresh && fresh->empty()) return response;
    value = std::move(fresh);
  }
}

std::expected<HttpResponse, HttpFailure> Endpoint::follow(HttpRequest request, const Ask &ask, bool plain) {
  const Result<WebOrigin> own = origin_of(whole_url(plain ? "http" : "https", "/"));
  if (!own) return final_failure(own.error());
  std::set<std::string> seen;
  for (;;) {
    if (ask.answered_by != nullptr) *ask.answered_by = request.url;
    auto response = authorized(request, ask, *own);
    if (!response || !is_redirect(response->status)) return response;
    show_warnings(*response);
    const std::string location(response->header("location"));
    Result<std::string> target = location.empty() ? fail(fmt::format("{} without a Location", response->status))
                                                  : resolve_url(request.url, location);
    if (!target) return final_failure(target.error());
    if (!keeps_method(response->status, request.method)) {
      return final_failure({.number = 0,
                            .text = fmt::format("{} would turn {} into GET", response->status, request.method),
                            .remedy = {}});
    }
    if (!seen.insert(request.url).second || seen.contains(*target)) {
      return final_failure({.number = 0, .text = "redirected in a circle", .remedy = "the registry has a problem"});
    }
    if (seen.size() > most_redirects) {
      return final_failure({.number = 0, .text = fmt::format("more than {} redirects", most_redirects), .remedy = {}});
    }
    if (options_->tls_verify && request.url.starts_with("https:") && !target->starts_with("https:")) {
      return final_failure({.number = 0,
                            .text = fmt::format("redirected from TLS to plain HTTP ({})", without_query(*target)),
                            .remedy = "--tls-verify=false allows that"});
    }
    request.url = *std::move(target);
  }
}

std::expected<HttpResponse, HttpFailure> Endpoint::send_to_host(const Ask &ask) {
  HttpRequest request = ask.request;
  if (!request.url.starts_with('/')) return follow(std::move(request), ask, plain_);
  const std::string path = request.url;
  const bool plain = plain_;
  request.url = whole_url(plain ? "http" : "https", path);
  auto response = follow(request, ask, plain);
  if (response || plain) return response;
  // Docker's rule: loopback is plain HTTP's own ground; elsewhere it must be asked for. Once TLS has been spoken there
  // is no way down; another thread may have found the way meanwhile.
  const bool plain_allowed = !options_->tls_verify || is_loopback(host_);
  const HttpTrouble trouble = response.error().trouble;
  if (trouble == HttpTrouble::no_tls && !plain_allowed) {
    response.error().error.remedy = "where the registry speaks plain HTTP, --tls-verify=false";
  }
  if (trouble != HttpTrouble::no_tls && trouble != HttpTrouble::no_answer) return response;
  if (!plain_allowed || (settled_ && !plain_)) return response;
  request.url = whole_url("http", path);
  auto plainly = follow(std::move(request), ask, true);
  if (plainly) plain_ = true;
  return plainly;
}

std::expected<HttpResponse, HttpFailure> Endpoint::send_once(const Ask &ask) {
  auto response = send_to_host(ask);
  if (!response) return response;
  if (!ask.anonymous) settled_ = true;
  show_warnings(*response);
  return response;
}

bool Endpoint::is_passing(const HttpFailure &failure) const {
  return failure.trouble == HttpTrouble::passing || (failure.trouble == HttpTrouble::no_answer && settled_);
}

Result<HttpResponse> Endpoint::send(const Ask &ask, ProgressItem *shown) {
  Tries tries(retry_, shown);
  for (;;) {
    auto response = send_once(ask);
    if (response && !is_passing_status(response->status)) return *std::move(response);
    if (!response && !is_passing(response.error())) {
      return std::unexpected(error_of(ask, std::move(response.error().error)));
    }
    const auto wait =
        response ? parse_retry_after(response->header("retry-after"), std::chrono::system_clock::now()) : std::nullopt;
    if (tries.again(wait)) continue;
    if (!response) return std::unexpected(error_of(ask, std::move(response.error().error)));
    return *std::move(response);
  }
}

Error Endpoint::error_of(const Ask &ask, const HttpResponse &response) const {
  const bool refused = response.status == 401 && !is_html(response) && !ask.anonymous && authorizer_.has_login();
  return error_of(ask, Error{.number = 0,
                             .text = describe_answer(response),
                             .remedy = refused ? "the registry does not take this login: check user and password"
                                               : remedy_of(response)});
}

Error Endpoint::error_of(const Ask &ask, Error error) const {
  const std::string where = names_.repository.empty() ? names_.registry : names_.registry + "/" + names_.repository;
  return in(fmt::format("{}: {} {}", where, ask.request.method, without_query(ask.request.url)), std::move(error));
}

}  // namespace skiff::image
