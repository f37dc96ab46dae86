// What the files of Registry share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/endpoint.h"
#include "imgtool/registry.h"

namespace skiff::image {

struct Registry::State {
  const RegistryOptions *options = nullptr;
  std::unique_ptr<Http> http;
  std::vector<std::unique_ptr<Endpoint>> endpoints;  // for pulling, in their order: mirrors, then the registry itself

  [[nodiscard]] Endpoint &origin() const { return *endpoints.back(); }
};

// ---- manifests ----

[[nodiscard]] Ask ask_for_manifest(const Endpoint &endpoint, std::string_view method, const std::string &selector);
// The manifest in an answer: its digest compared with the name's and the registry's.
[[nodiscard]] Result<FetchedManifest> take_manifest(HttpResponse response, const std::string &selector);
// Of one host; empty for 404.
[[nodiscard]] Result<std::optional<FetchedManifest>> get_manifest_from(Endpoint &endpoint, const std::string &selector);
[[nodiscard]] Status put_manifest_to(Endpoint &endpoint, const std::string &selector, std::string_view bytes,
                                     std::string_view media_type, bool &subject_handled);

// ---- referrers (distribution-spec, "Listing Referrers", "Pushing Manifests with Subject") ----

// sha256-<hex>
[[nodiscard]] std::string referrers_tag(const Digest &subject);
// The index under the tag; empty where there is none.
[[nodiscard]] Result<spec::ImageIndex> load_referrers_tag(Endpoint &endpoint, const Digest &subject);
[[nodiscard]] Status add_to_referrers_tag(Endpoint &endpoint, const Digest &subject, spec::Descriptor referrer);
[[nodiscard]] Status remove_from_referrers_tag(Endpoint &endpoint, const Digest &subject, const Digest &referrer);
// False where the registry answers 404 to end-12: the tag is what counts then.
[[nodiscard]] Result<bool> has_referrers_api(Endpoint &endpoint, const Digest &subject);

}  // namespace skiff::image
