// Tags, referrers and deleting: end-8, end-9, end-10, end-12, and the referrers tag where a registry has no end-12.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "imgtool/header_field.h"
#include "imgtool/registry_answer.h"
#include "imgtool/registry_state.h"
#include "imgtool/url.h"
#include "spec/json.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

using spec::json::Kind;
using spec::json::Value;

constexpr std::size_t most_pages = 10'000;

// A list that comes in pages, each with a Link to the next one. `take` reads a page.
template <class Take>
Status read_pages(Endpoint &endpoint, Ask ask, Take take) {
  std::set<std::string> seen;
  for (;;) {
    std::string from;
    ask.answered_by = &from;
    const HttpResponse response = TRY(endpoint.send(ask));
    if (response.status != 200 || is_html(response)) return std::unexpected(endpoint.error_of(ask, response));
    if (const Status taken = take(response); !taken) return std::unexpected(endpoint.error_of(ask, taken.error()));
    const std::optional<std::string> link = parse_next_link(response.header("link"));
    if (!link) return {};
    const Result<std::string> next = resolve_url(from, *link);
    if (!next) return std::unexpected(endpoint.error_of(ask, next.error()));
    const Result<WebOrigin> here = origin_of(from);
    const Result<WebOrigin> there = origin_of(*next);
    if (!here || !there || *here != *there) {
      return std::unexpected(
          endpoint.error_of(ask, Error{.number = 0,
                                       .text = fmt::format("Link leads to another host ({})", without_query(*next)),
                                       .remedy = {}}));
    }
    if (!seen.insert(*next).second || seen.size() > most_pages) {
      return std::unexpected(
          endpoint.error_of(ask, Error{.number = 0, .text = "Link leads in a circle", .remedy = {}}));
    }
    ask.request.url = *next;
  }
}

Status take_tags(const HttpResponse &response, std::vector<std::string> &tags) {
  const auto document = spec::json::Document::parse(response.body);
  if (!document || document->root().kind() != Kind::object) return fail("its answer is no JSON object");
  const Value list = document->root().member("tags");
  if (!list) return {};  // null: none
  if (list.kind() != Kind::array) return fail("/tags: not an array");
  list.each([&](Value tag) {
    if (tag.kind() == Kind::string) tags.emplace_back(tag.text());
  });
  return {};
}

Result<spec::ImageIndex> parse_index(std::string_view bytes) {
  spec::ImageDocument document = TRY(spec::parse_image_document(bytes, spec::oci_index_type));
  if (!document.index) return fail("not an index");
  return *std::move(document.index);
}

void keep_type(spec::ImageIndex &index, const std::string &artifact_type) {
  if (artifact_type.empty()) return;
  std::erase_if(index.manifests,
                [&](const spec::Descriptor &referrer) { return referrer.artifact_type != artifact_type; });
}

spec::ImageIndex empty_index() {
  spec::ImageIndex index;
  index.media_type = spec::oci_index_type;
  return index;
}

// "Pushing Manifests with Subject": an image's artifactType is its config's media type.
spec::Descriptor describe_referrer(const spec::ImageDocument &document, std::string_view bytes) {
  spec::Descriptor referrer;
  referrer.digest = digest_of(bytes).text();
  referrer.size = static_cast<std::int64_t>(bytes.size());
  if (document.manifest) {
    referrer.media_type =
        document.manifest->media_type.empty() ? std::string(spec::oci_manifest_type) : document.manifest->media_type;
    referrer.artifact_type = document.manifest->artifact_type.empty() ? document.manifest->config.media_type
                                                                      : document.manifest->artifact_type;
    referrer.annotations = document.manifest->annotations;
  } else {
    referrer.media_type = spec::oci_index_type;
    referrer.artifact_type = document.index->artifact_type;
    referrer.annotations = document.index->annotations;
  }
  return referrer;
}

const spec::Descriptor *subject_of(const spec::ImageDocument &document) {
  const auto &subject = document.manifest ? document.manifest->subject : document.index->subject;
  return subject ? &*subject : nullptr;
}

Status put_index(Endpoint &endpoint, const Digest &subject, const spec::ImageIndex &index) {
  bool handled = false;
  return put_manifest_to(endpoint, referrers_tag(subject), spec::print_image_index(index), spec::oci_index_type,
                         handled);
}

Status delete_at(Endpoint &endpoint, const std::string &rest) {
  Ask ask;
  ask.request.method = "DELETE";
  ask.request.url = endpoint.path(rest);
  ask.scopes = endpoint.scopes("delete");
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 202 || response.status == 200 || response.status == 204) return {};
  return std::unexpected(endpoint.error_of(ask, response));
}

Ask ask_for_referrers(const Endpoint &endpoint, const Digest &subject) {
  Ask ask;
  ask.request.url = endpoint.path("referrers/" + subject.text());
  ask.request.headers = {fmt::format("Accept: {}", spec::oci_index_type)};
  ask.scopes = endpoint.scopes("pull");
  return ask;
}

}  // namespace

std::string referrers_tag(const Digest &subject) {
  return fmt::format("{}-{}", subject.algorithm(), subject.hex()).substr(0, 128);
}

Result<spec::ImageIndex> load_referrers_tag(Endpoint &endpoint, const Digest &subject) {
  const std::string tag = referrers_tag(subject);
  const auto manifest = TRY(get_manifest_from(endpoint, tag));
  if (!manifest) return empty_index();
  Result<spec::ImageIndex> index = parse_index(manifest->bytes);
  if (!index) return std::unexpected(endpoint.error_of(ask_for_manifest(endpoint, "GET", tag), index.error()));
  return index;
}

Status add_to_referrers_tag(Endpoint &endpoint, const Digest &subject, spec::Descriptor referrer) {
  spec::ImageIndex index = TRY(load_referrers_tag(endpoint, subject));
  const bool there = std::ranges::any_of(
      index.manifests, [&](const spec::Descriptor &known) { return known.digest == referrer.digest; });
  if (there) return {};
  index.manifests.push_back(std::move(referrer));
  return put_index(endpoint, subject, index);
}

Status remove_from_referrers_tag(Endpoint &endpoint, const Digest &subject, const Digest &referrer) {
  spec::ImageIndex index = TRY(load_referrers_tag(endpoint, subject));
  const auto removed =
      std::erase_if(index.manifests, [&](const spec::Descriptor &known) { return known.digest == referrer.text(); });
  if (removed == 0) return {};
  return put_index(endpoint, subject, index);
}

Result<bool> has_referrers_api(Endpoint &endpoint, const Digest &subject) {
  const Ask ask = ask_for_referrers(endpoint, subject);
  const HttpResponse response = TRY(endpoint.send(ask));
  if (response.status == 200 && !is_html(response)) return true;
  if (response.status == 404) return false;
  return std::unexpected(endpoint.error_of(ask, response));
}

Result<std::vector<std::string>> Registry::list_tags() {
  Endpoint &endpoint = state_->origin();
  Ask ask;
  ask.request.url = with_query(endpoint.path("tags/list"), "n", "1000");
  ask.scopes = endpoint.scopes("pull");
  std::vector<std::string> tags;
  TRY(read_pages(endpoint, std::move(ask), [&](const HttpResponse &page) { return take_tags(page, tags); }));
  return tags;
}

Result<spec::ImageIndex> Registry::list_referrers(const Digest &subject, const std::string &artifact_type) {
  Endpoint &endpoint = state_->origin();
  spec::ImageIndex all = empty_index();
  if (!TRY(has_referrers_api(endpoint, subject))) {
    all = TRY(load_referrers_tag(endpoint, subject));
    keep_type(all, artifact_type);
    return all;
  }
  Ask ask = ask_for_referrers(endpoint, subject);
  if (!artifact_type.empty()) ask.request.url = with_query(ask.request.url, "artifactType", artifact_type);
  TRY(read_pages(endpoint, std::move(ask), [&](const HttpResponse &page) -> Status {
    spec::ImageIndex index = TRY(parse_index(page.body));
    std::ranges::move(index.manifests, std::back_inserter(all.manifests));
    return {};
  }));
  // Whatever OCI-Filters-Applied says: a registry need not know the filter.
  keep_type(all, artifact_type);
  return all;
}

Status Registry::put_manifest(const std::string &tag_or_digest, std::string_view bytes, std::string_view media_type) {
  Endpoint &endpoint = state_->origin();
  bool subject_handled = false;
  TRY(put_manifest_to(endpoint, tag_or_digest, bytes, media_type, subject_handled));
  if (subject_handled) return {};
  const Result<spec::ImageDocument> document = spec::parse_image_document(bytes, media_type);
  if (!document || (!document->manifest && !document->index)) return {};  // what has no subject that could be known
  const spec::Descriptor *subject = subject_of(*document);
  if (subject == nullptr) return {};
  const Digest digest = TRY(Digest::parse(subject->digest));
  // "the registry does not support the referrers API": it would have answered with OCI-Subject.
  return add_to_referrers_tag(endpoint, digest, describe_referrer(*document, bytes));
}

Status Registry::delete_manifest(const std::string &tag_or_digest) {
  Endpoint &endpoint = state_->origin();
  const auto manifest = TRY(get_manifest_from(endpoint, tag_or_digest));
  TRY(delete_at(endpoint, "manifests/" + tag_or_digest));
  const bool by_digest = Digest::parse(tag_or_digest).has_value();
  if (!manifest || !by_digest) return {};
  const Result<spec::ImageDocument> document = spec::parse_image_document(manifest->bytes, manifest->media_type);
  if (!document || (!document->manifest && !document->index)) return {};
  const spec::Descriptor *subject = subject_of(*document);
  if (subject == nullptr) return {};
  const Digest digest = TRY(Digest::parse(subject->digest));
  if (TRY(has_referrers_api(endpoint, digest))) return {};
  return remove_from_referrers_tag(endpoint, digest, manifest->digest);
}

Status Registry::delete_blob(const Digest &digest) { return delete_at(state_->origin(), "blobs/" + digest.text()); }

}  // namespace skiff::image
