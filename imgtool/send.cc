#include "imgtool/fetch.h"

namespace skiff::image {

Status send_image(Registry &registry, const ImageName &name, const Layout &from, const spec::Descriptor &root,
                  const PushOptions &options, Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  std::vector<spec::Descriptor> blobs;
  std::vector<spec::Descriptor> documents;
  TRY(walk_image(hold(from), root, [&](const spec::Descriptor &descriptor, bool is_document) -> Status {
    (is_document ? documents : blobs).push_back(descriptor);
    return {};
  }));
  TRY(in(name.familiar(), push_blobs(registry, from, blobs, options, progress)));
  for (const spec::Descriptor &document : documents) {
    const Document content = TRY(load_document(from, document));
    const std::string target = document.digest == root.digest ? name.selector() : document.digest;
    TRY(in(name.familiar(), registry.put_manifest(target, content.bytes, document.media_type)));
  }
  return {};
}

}  // namespace skiff::image
