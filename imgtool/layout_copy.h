// An image into a layout, from another one or from whatever holds its blobs by digest, bytes unchanged: every digest
// stays what it is.
#pragma once

#include <functional>

#include "imgtool/bytes.h"
#include "imgtool/layout.h"
#include "imgtool/platform.h"
#include "imgtool/progress.h"

namespace skiff::image {

// What of an index is meant.
struct Selection {
  bool all = false;  // every platform, and the index itself
  PlatformRequest platform = host_platform();
  // Layers that are to be had elsewhere (descriptor.md, "urls") are fetched from there; off, they stay there.
  bool foreign_layers = true;
};

// The bytes of a manifest or an index, verified, and what they say.
struct Document {
  std::string bytes;
  spec::ImageDocument content;
};
// Verifies the digest of bytes that come from elsewhere.
[[nodiscard]] Result<Document> make_document(std::string bytes, const spec::Descriptor &descriptor);
[[nodiscard]] Result<Document> load_document(const Layout &layout, const spec::Descriptor &descriptor);
[[nodiscard]] bool is_document(const spec::Descriptor &descriptor);

// A blob by its descriptor; where the layout lacks a layer that is to be had elsewhere (`urls`), ENOENT says so.
[[nodiscard]] Result<kernel::Fd> open_content(const Layout &layout, const spec::Descriptor &descriptor);

// What holds an image: its blobs by digest. ENOENT where one is missing.
struct Holder {
  std::function<Result<std::string>(const spec::Descriptor &)> read_document;
  std::function<Result<ReadBytes>(const spec::Descriptor &)> open_blob;
};
// The layout must outlive it, and only one blob is read at a time.
[[nodiscard]] Holder hold(const Layout &layout);

// The manifest that the platform means: `root` itself where it is one, else of the index or an index in it. ENOENT
// names the platforms that there are.
[[nodiscard]] Result<spec::Descriptor> select_manifest(const Holder &holder, const spec::Descriptor &root,
                                                       const PlatformRequest &platform);
[[nodiscard]] Result<spec::Descriptor> select_manifest(const Layout &layout, const spec::Descriptor &root,
                                                       const PlatformRequest &platform);

// Everything below `root`, itself included, leaves first and each digest once. A layer that is fetched from elsewhere
// (`urls`) may be missing where it is opened.
using Visit = std::function<Status(const spec::Descriptor &descriptor, bool is_document)>;
[[nodiscard]] Status walk_image(const Holder &holder, const spec::Descriptor &root, const Visit &visit);

// Returns what was copied: `root`, or the one manifest that was selected.
[[nodiscard]] Result<spec::Descriptor> copy_image(const Holder &from, const spec::Descriptor &root, const Layout &into,
                                                  const Selection &selection, Progress &progress);
[[nodiscard]] Result<spec::Descriptor> copy_image(const Layout &from, const spec::Descriptor &root, const Layout &into,
                                                  const Selection &selection, Progress &progress);

}  // namespace skiff::image
