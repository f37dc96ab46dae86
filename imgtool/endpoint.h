// One registry host and one repository on it: TLS or plain HTTP, authorization, redirects, another try.
//
// Credentials and tokens go to the registry's own origin (scheme, host and port) and to its token server, never to
// where a redirect, an upload's Location or a foreign layer's address leads. For several threads.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "imgtool/auth.h"
#include "imgtool/http.h"
#include "imgtool/progress.h"
#include "imgtool/registry.h"
#include "imgtool/retry.h"

namespace skiff::image {

// A request to the host, as distribution-spec has them.
struct Ask {
  HttpRequest request;     // its url is a path on the host ("/v2/..."), or an absolute one
  Scopes scopes;           // for the token server
  bool anonymous = false;  // a foreign layer's address: not the registry's
  // Where the answer came from after redirects: what its Location is relative to.
  std::string *answered_by = nullptr;
};

struct EndpointNames {
  std::string registry;  // as users write it: docker.io, localhost:5000; a mirror's host
  std::string repository;
  std::string origin;  // of a mirror: the registry that it mirrors, for ns=; else empty
};

class Endpoint {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Endpoint>> make(Http &http, EndpointNames names,
                                                              const RegistryOptions &options, Progress &progress);

  [[nodiscard]] const EndpointNames &names() const { return names_; }
  // "/v2/REPOSITORY/" and the rest
  [[nodiscard]] std::string path(std::string_view rest) const;
  [[nodiscard]] Scopes scopes(std::string_view actions) const;  // "pull", "pull,push"

  // One try. Every status is an answer, but a redirect that cannot be followed.
  [[nodiscard]] std::expected<HttpResponse, HttpFailure> send_once(const Ask &ask);
  // With the tries that the options allow, for a request whose body can be sent again and whose answer has no sink.
  [[nodiscard]] Result<HttpResponse> send(const Ask &ask, ProgressItem *shown = nullptr);

  // "docker.io/library/alpine: GET /v2/...: 404 MANIFEST_UNKNOWN: manifest unknown"
  [[nodiscard]] Error error_of(const Ask &ask, const HttpResponse &response) const;
  [[nodiscard]] Error error_of(const Ask &ask, Error error) const;
  // Whether another try may help: a connection is made anew only where one has worked before.
  [[nodiscard]] bool is_passing(const HttpFailure &failure) const;
  [[nodiscard]] const RetryPolicy &retry_policy() const { return retry_; }

 private:
  Endpoint(Http &http, EndpointNames names, const RegistryOptions &options, Progress &progress);
  [[nodiscard]] std::expected<HttpResponse, HttpFailure> send_to_host(const Ask &ask);
  [[nodiscard]] std::expected<HttpResponse, HttpFailure> follow(HttpRequest request, const Ask &ask, bool plain);
  [[nodiscard]] std::expected<HttpResponse, HttpFailure> authorized(HttpRequest &request, const Ask &ask,
                                                                    const WebOrigin &own);
  [[nodiscard]] Result<TlsTrust> trust_for(const std::string &host);
  [[nodiscard]] std::string whole_url(const std::string &scheme, const std::string &path) const;
  void show_warnings(const HttpResponse &response);

  Http *http_;
  EndpointNames names_;
  std::string host_;  // what is connected to: registry-1.docker.io
  const RegistryOptions *options_;
  Progress *progress_;
  RetryPolicy retry_;
  Authorizer authorizer_;
  std::atomic<bool> plain_ = false;    // it speaks HTTP without TLS
  std::atomic<bool> settled_ = false;  // and whether it does is known
  std::mutex mutex_;                   // of what follows
  std::map<std::string, TlsTrust> trust_;
  std::set<std::string, std::less<>> warnings_;  // shown already
};

}  // namespace skiff::image
