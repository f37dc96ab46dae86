#include "imgtool/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "imgtool/blob_fetch.h"
#include "imgtool/header_field.h"
#include "imgtool/registry_answer.h"
#include "imgtool/registry_state.h"
#include "imgtool/url.h"
#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

// end-3 of an index or a manifest, OCI's or Docker's; the last for what else a registry may hold.
constexpr std::string_view accepted =
    "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1";
constexpr std::size_t largest_manifest = std::size_t{16} << 20U;

Status compare_digest(std::string_view bytes, std::string_view stated, std::string_view by) {
  const Digest expected = TRY(in(by, Digest::parse(stated)));
  const Digest computed = digest_of(bytes, expected.algorithm());
  if (computed == expected) return {};
  return fail(EBADMSG, fmt::format("the manifest has the digest {}, {} says {}", computed.text(), by, expected.text()));
}

// A digest of an algorithm that is not computed here says nothing (distribution-spec, "Pulling manifests").
bool is_known_digest(std::string_view text) { return text.starts_with("sha256:") || text.starts_with("sha512:"); }

spec::Descriptor describe(std::string media_type, const Digest &digest, std::int64_t size) {
  spec::Descriptor descriptor;
  descriptor.media_type = std::move(media_type);
  descriptor.digest = digest.text();
  descriptor.size = size;
  return descriptor;
}

}  // namespace

Registry::Registry(std::unique_ptr<State> state) : state_(std::move(state)) {}
Registry::Registry(Registry &&) noexcept = default;
Registry &Registry::operator=(Registry &&) noexcept = default;
Registry::~Registry() = default;

Result<Registry> Registry::open(const ImageName &name, const RegistryOptions &options, Progress &progress) {
  auto state = std::make_unique<State>();
  state->options = &options;
  HttpOptions http;
  http.offline = options.offline;
  http.parallel = options.parallel;
  http.stall_timeout = options.stall_timeout;
  state->http = TRY(Http::make(http));
  for (const std::string &mirror : options.mirrors) {
    EndpointNames names{.registry = mirror, .repository = name.repository, .origin = name.registry};
    state->endpoints.push_back(TRY(Endpoint::make(*state->http, std::move(names), options, progress)));
  }
  EndpointNames names{.registry = name.registry, .repository = name.repository, .origin = {}};
  state->endpoints.push_back(TRY(Endpoint::make(*state->http, std::move(names), options, progress)));
  return Registry(std::move(state));
}

Ask ask_for_manifest(const Endpoint &endpoint, std::string_view method, const std::string &selector) {
  Ask ask;
  ask.request.method = method;
  ask.request.url = endpoint.path("manifests/" + selector);
  ask.request.headers = {std::string(accepted)};
  ask.request.body_limit = largest_manifest;
  ask.scopes = endpoint.scopes("pull");
  return ask;
}

Result<FetchedManifest> take_manifest(HttpResponse response, const std::string &selector) {
  if (is_html(response)) return fail(describe_answer(response), remedy_of(response));
  if (is_known_digest(selector)) TRY(compare_digest(response.body, selector, "its name"));
  const std::string_view stated = response.header("docker-content-digest");
  if (is_known_digest(stated)) TRY(compare_digest(response.body, stated, "Docker-Content-Digest"));
  FetchedManifest manifest;
  manifest.media_type = media_type_of(response.header("content-type"));
  if (is_known_digest(selector)) {
    manifest.digest = TRY(Digest::parse(selector));
  } else if (is_known_digest(stated)) {
    manifest.digest = TRY(Digest::parse(stated));
  } else {
    manifest.digest = digest_of(response.body);
  }
  manifest.bytes = std::move(response.body);
  return manifest;
}

Result<std::optional<FetchedManifest>> get_manifest_from(Endpoint &endpoint, const std::string &selector) {
  const Ask ask = ask_for_manifest(endpoint, "GET", selector);
  HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 404 && !is_html(response)) return std::nullopt;
  if (response.status != 200) return std::unexpected(endpoint.error_of(ask, response));
  Result<FetchedManifest> manifest = take_manifest(std::move(response), selector);
  if (!manifest) return std::unexpected(endpoint.error_of(ask, manifest.error()));
  return *std::move(manifest);
}

Result<std::optional<FetchedManifest>> Registry::get_manifest(const std::string &tag_or_digest) {
  for (const auto &endpoint : state_->endpoints) {
    auto manifest = get_manifest_from(*endpoint, tag_or_digest);
    const bool last = endpoint == state_->endpoints.back();
    if (last || (manifest && *manifest)) return manifest;
  }
  return std::nullopt;
}

Result<std::optional<spec::Descriptor>> Registry::head_manifest(const std::string &tag_or_digest) {
  Endpoint &endpoint = state_->origin();
  const Ask ask = ask_for_manifest(endpoint, "HEAD", tag_or_digest);
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) return std::unexpected(endpoint.error_of(ask, response));
  const std::string_view stated = response.header("docker-content-digest");
  const std::string size(response.header("content-length"));
  // Both are "SHOULD" for a registry: without them the manifest itself tells.
  if (!is_known_digest(stated) || size.empty()) {
    const auto manifest = TRY(get_manifest_from(endpoint, tag_or_digest));
    if (!manifest) return std::nullopt;
    return describe(manifest->media_type, manifest->digest, static_cast<std::int64_t>(manifest->bytes.size()));
  }
  const Result<Digest> digest = Digest::parse(stated);
  if (!digest) return std::unexpected(endpoint.error_of(ask, digest.error()));
  if (is_known_digest(tag_or_digest) && tag_or_digest.starts_with(digest->algorithm()) &&
      digest->text() != tag_or_digest) {
    return std::unexpected(endpoint.error_of(
        ask,
        Error{.number = EBADMSG, .text = fmt::format("Docker-Content-Digest says {}", digest->text()), .remedy = {}}));
  }
  return describe(media_type_of(response.header("content-type")), *digest, std::strtoll(size.c_str(), nullptr, 10));
}

Status Registry::get_blobs(std::vector<BlobFetch> blobs, const std::stop_token &stop) {
  return fetch_blobs(state_->endpoints, *state_->options, blobs, stop);
}

Result<bool> Registry::has_blob(const Digest &digest) {
  Endpoint &endpoint = state_->origin();
  Ask ask;
  ask.request.method = "HEAD";
  ask.request.url = endpoint.path("blobs/" + digest.text());
  // What is pushed next asks for the same scope: one token serves both.
  ask.scopes = endpoint.scopes("pull,push");
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 404) return false;
  if (response.status != 200) return std::unexpected(endpoint.error_of(ask, response));
  return true;
}

Status Registry::check_login() {
  Endpoint &endpoint = state_->origin();
  Ask ask;
  ask.request.url = "/v2/";
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 200 && !is_html(response)) return {};
  return std::unexpected(endpoint.error_of(ask, response));
}

}  // namespace skiff::image
