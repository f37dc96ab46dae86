#include <fmt/format.h>

#include "imgtool/fetch.h"

namespace skiff::image {
namespace {

Status send_blob(Registry &registry, const Layout &from, const spec::Descriptor &descriptor, Progress &progress) {
  const Digest digest = TRY(Digest::parse(descriptor.digest));
  if (!descriptor.urls.empty() && !TRY(from.has_blob(digest))) return {};
  ProgressItem item = progress.begin(digest.short_hex(), "Pushing", static_cast<std::uint64_t>(descriptor.size));
  if (TRY(registry.has_blob(digest))) {
    item.done("Already exists");
    return {};
  }
  const kernel::Fd file = TRY(from.open_blob(digest, descriptor.size));
  TRY(registry.put_blob(descriptor, file, &item));
  item.done("Pushed");
  return {};
}

}  // namespace

Status send_image(Registry &registry, const ImageName &name, const Layout &from, const spec::Descriptor &root,
                  Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  std::vector<spec::Descriptor> blobs;
  std::vector<spec::Descriptor> documents;
  TRY(walk_image(hold(from), root, [&](const spec::Descriptor &descriptor, bool is_document) -> Status {
    (is_document ? documents : blobs).push_back(descriptor);
    return {};
  }));
  for (const spec::Descriptor &blob : blobs) TRY(in(name.familiar(), send_blob(registry, from, blob, progress)));
  for (const spec::Descriptor &document : documents) {
    const Document content = TRY(load_document(from, document));
    const std::string target = document.digest == root.digest ? name.selector() : document.digest;
    TRY(in(name.familiar(), registry.put_manifest(target, content.bytes, document.media_type)));
  }
  return {};
}

}  // namespace skiff::image
