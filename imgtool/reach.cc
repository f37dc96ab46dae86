#include "imgtool/reach.h"

#include <fmt/format.h>

#include <optional>

#include "imgtool/layer_store.h"
#include "spec/media_types.h"

namespace skiff::image {
namespace {

using spec::Descriptor;

constexpr int deepest = 32;

enum class Need : std::uint8_t { required, may_lack };

class Walk {
 public:
  Walk(const Layout &layout, Reached &out) : layout_(layout), out_(out) {}

  Status follow(const Descriptor &descriptor, Need need, int depth);

 private:
  // Its digest where it is there with the right size and is looked at for the first time.
  Result<std::optional<Digest>> enter(const Descriptor &descriptor, Need need);
  Status follow_index(const spec::ImageIndex &index, int depth);
  Status follow_manifest(const spec::ImageManifest &manifest, int depth);
  Status follow_config(const spec::ImageManifest &manifest, const Digest &digest);
  Status take_chains(const spec::ImageManifest &manifest, const spec::ImageConfig &config);

  const Layout &layout_;
  Reached &out_;
};

Result<std::optional<Digest>> Walk::enter(const Descriptor &descriptor, Need need) {
  if (!out_.digests.insert(descriptor.digest).second) return std::nullopt;
  const Result<Digest> digest = Digest::parse(descriptor.digest);
  if (!digest) {
    out_.missing.push_back(digest.error());
    return std::nullopt;
  }
  const Result<kernel::Fd> file = layout_.open_blob(*digest, descriptor.size);
  if (file) {
    out_.sizes[digest->text()] = TRY(kernel::fstat(*file)).st_size;
    return *digest;
  }
  if (file.error().number != ENOENT && file.error().number != EBADMSG) return std::unexpected(file.error());
  // What comes from elsewhere (descriptor.md, "urls") is in no layout.
  const bool elsewhere = file.error().number == ENOENT && (need == Need::may_lack || !descriptor.urls.empty());
  if (!elsewhere) out_.missing.push_back(file.error());
  return std::nullopt;
}

Status Walk::take_chains(const spec::ImageManifest &manifest, const spec::ImageConfig &config) {
  const std::vector<std::string> &diff_ids = config.rootfs.diff_ids;
  for (const Digest &chain : TRY(chain_ids(diff_ids))) out_.chains.emplace(chain.hex());
  if (diff_ids.size() != manifest.layers.size()) {
    return fail(EBADMSG, fmt::format("{} layers, but {} diff ids", manifest.layers.size(), diff_ids.size()));
  }
  for (std::size_t i = 0; i < diff_ids.size(); ++i) out_.diff_ids[manifest.layers[i].digest].insert(diff_ids[i]);
  return {};
}

Status Walk::follow_config(const spec::ImageManifest &manifest, const Digest &digest) {
  const std::string &type = manifest.config.media_type;
  if (type != spec::oci_config_type && type != spec::docker_config_type) return {};
  const auto take = [&]() -> Status {
    return take_chains(manifest, TRY(spec::parse_image_config(TRY(layout_.read_blob(digest)))));
  };
  if (const Status taken = take(); !taken) {
    out_.unreadable.push_back(in(fmt::format("configuration {}", digest.text()), taken.error()));
  }
  return {};
}

Status Walk::follow_manifest(const spec::ImageManifest &manifest, int depth) {
  const std::optional<Digest> config = TRY(enter(manifest.config, Need::required));
  if (config) TRY(follow_config(manifest, *config));
  for (const Descriptor &layer : manifest.layers) TRY(enter(layer, Need::required));
  if (manifest.subject) TRY(follow(*manifest.subject, Need::may_lack, depth + 1));
  return {};
}

Status Walk::follow_index(const spec::ImageIndex &index, int depth) {
  for (const Descriptor &each : index.manifests) TRY(follow(each, Need::may_lack, depth + 1));
  if (index.subject) TRY(follow(*index.subject, Need::may_lack, depth + 1));
  return {};
}

Status Walk::follow(const Descriptor &descriptor, Need need, int depth) {
  const std::optional<Digest> digest = TRY(enter(descriptor, need));
  const bool document = spec::is_index_type(descriptor.media_type) || spec::is_manifest_type(descriptor.media_type);
  if (!digest || !document) return {};
  if (depth > deepest) {
    out_.unreadable.push_back(Error{0, fmt::format("{}: nested deeper than {}", digest->text(), deepest), {}});
    return {};
  }
  const auto read = [&]() -> Result<spec::ImageDocument> {
    return spec::parse_image_document(TRY(layout_.read_blob(*digest)), descriptor.media_type);
  };
  const Result<spec::ImageDocument> found = read();
  if (!found) {
    out_.unreadable.push_back(in(digest->text(), found.error()));
    return {};
  }
  return found->index ? follow_index(*found->index, depth) : follow_manifest(*found->manifest, depth);
}

}  // namespace

Status reach(const Layout &layout, const Descriptor &root, Reached &out) {
  return Walk(layout, out).follow(root, Need::required, 0);
}

}  // namespace skiff::image
