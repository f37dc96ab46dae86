#include "imgtool/layout_copy.h"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "imgtool/take_in.h"
#include "spec/media_types.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

// An index may hold indexes (image-index.md); one that goes deeper means harm.
constexpr int deepest = 8;

class Walk {
 public:
  Walk(const Holder &holder, const Visit &visit) : holder_(holder), visit_(visit) {}

  Status descend(const spec::Descriptor &descriptor, int depth) {
    if (depth > deepest) return fail(fmt::format("{}: indexes in indexes, {} deep", descriptor.digest, depth));
    if (!seen_.insert(descriptor.digest).second) return {};
    if (!is_document(descriptor)) return visit_(descriptor, false);
    const Document document = TRY(make_document(TRY(holder_.read_document(descriptor)), descriptor));
    if (document.content.index) {
      for (const spec::Descriptor &child : document.content.index->manifests) TRY(descend(child, depth + 1));
    } else {
      TRY(leaf(document.content.manifest->config));
      for (const spec::Descriptor &layer : document.content.manifest->layers) TRY(leaf(layer));
    }
    return visit_(descriptor, true);
  }

 private:
  Status leaf(const spec::Descriptor &descriptor) {
    if (!seen_.insert(descriptor.digest).second) return {};
    return visit_(descriptor, false);
  }

  const Holder &holder_;
  const Visit &visit_;
  std::set<std::string> seen_;
};

Status copy_one(const Holder &from, const spec::Descriptor &descriptor, bool is_document, const Layout &into,
                Progress &progress) {
  const Digest digest = TRY(Digest::parse(descriptor.digest));
  if (is_document) {
    const std::string bytes = TRY(from.read_document(descriptor));
    TRY(take_in(into, read_text(bytes), descriptor));
    return {};
  }
  ProgressItem item = progress.begin(digest.short_hex(), "Copying", static_cast<std::uint64_t>(descriptor.size));
  const Result<spec::Descriptor> taken =
      take_in(into, OpenBytes([&] { return from.open_blob(descriptor); }), descriptor, &item);
  if (!taken && taken.error().number == ENOENT && !descriptor.urls.empty()) {
    item.done("Left where it is");
    return {};
  }
  TRY(taken);
  return {};
}

}  // namespace

bool is_document(const spec::Descriptor &descriptor) {
  return spec::is_index_type(descriptor.media_type) || spec::is_manifest_type(descriptor.media_type);
}

Result<Document> make_document(std::string bytes, const spec::Descriptor &descriptor) {
  const Digest digest = TRY(Digest::parse(descriptor.digest));
  if (digest_of(bytes, digest.algorithm()) != digest) {
    return fail(EBADMSG, fmt::format("{}: the content has another digest", digest.text()));
  }
  Document document{.bytes = std::move(bytes), .content = {}};
  document.content = TRY(in(digest.text(), spec::parse_image_document(document.bytes, descriptor.media_type)));
  return document;
}

Result<Document> load_document(const Layout &layout, const spec::Descriptor &descriptor) {
  return make_document(TRY(layout.read_blob(TRY(in(layout.path(), Digest::parse(descriptor.digest))))), descriptor);
}

Result<kernel::Fd> open_content(const Layout &layout, const spec::Descriptor &descriptor) {
  const Digest digest = TRY(Digest::parse(descriptor.digest));
  Result<kernel::Fd> file = layout.open_blob(digest, descriptor.size);
  if (file || file.error().number != ENOENT || descriptor.urls.empty()) return file;
  return fail(ENOENT,
              fmt::format("{}: blob {}, which is to be had from {} alone", layout.path(), digest.text(),
                          spec::quote(descriptor.urls.front())),
              "pull the image into the store: that fetches such layers too");
}

Holder hold(const Layout &layout) {
  const auto file = std::make_shared<kernel::Fd>();
  return {.read_document = [&layout](const spec::Descriptor &descriptor) -> Result<std::string> {
            return layout.read_blob(TRY(Digest::parse(descriptor.digest)));
          },
          .open_blob = [&layout, file](const spec::Descriptor &descriptor) -> Result<ReadBytes> {
            *file = TRY(open_content(layout, descriptor));
            return read_stream(*file);
          }};
}

Result<spec::Descriptor> select_manifest(const Holder &holder, const spec::Descriptor &root,
                                         const PlatformRequest &platform) {
  if (!spec::is_index_type(root.media_type)) return root;
  const LoadIndex load = [&](const spec::Descriptor &index) -> Result<spec::ImageIndex> {
    Document document = TRY(make_document(TRY(holder.read_document(index)), index));
    if (!document.content.index) return fail(fmt::format("{}: no index", index.digest));
    return std::move(*document.content.index);
  };
  return in(root.digest, choose_manifest(TRY(load(root)), platform, load));
}

Result<spec::Descriptor> select_manifest(const Layout &layout, const spec::Descriptor &root,
                                         const PlatformRequest &platform) {
  return select_manifest(hold(layout), root, platform);
}

Status walk_image(const Holder &holder, const spec::Descriptor &root, const Visit &visit) {
  return Walk(holder, visit).descend(root, 0);
}

Result<spec::Descriptor> copy_image(const Holder &from, const spec::Descriptor &root, const Layout &into,
                                    const Selection &selection, Progress &progress) {
  const kernel::Fd writing = TRY(into.lock_shared());
  spec::Descriptor chosen = selection.all ? root : TRY(select_manifest(from, root, selection.platform));
  TRY(walk_image(from, chosen, [&](const spec::Descriptor &descriptor, bool is_document) {
    return copy_one(from, descriptor, is_document, into, progress);
  }));
  return chosen;
}

Result<spec::Descriptor> copy_image(const Layout &from, const spec::Descriptor &root, const Layout &into,
                                    const Selection &selection, Progress &progress) {
  const kernel::Fd reading = TRY(from.lock_shared());
  return copy_image(hold(from), root, into, selection, progress);
}

}  // namespace skiff::image
