// A bundle out of an image: rootfs, config.json and the record for repack, whole or not at all.
#pragma once

#include <string>

#include "imgtool/bundle_record.h"
#include "imgtool/interrupts.h"
#include "imgtool/runtime_config.h"
#include "imgtool/unpack.h"

namespace skiff::image {

struct BundleRequest {
  std::string path;
  bool overlay = false;      // the layers in the store, mounted at rootfs with BUNDLE/diff on top
  bool rootfs_only = false;  // `path` becomes the root filesystem itself
  bool user_xattr = false;
  ApplyOptions apply;
  RuntimeOptions runtime;
};

// What is unpacked. Its blobs may still be on their way into `blobs`.
struct BundleSource {
  std::string name;  // in full; may be empty
  const Layout &blobs;
  const LoadedImage &image;
  OpenLayer open;
};

// `store` keeps an overlay's layers. The path must not exist, or be an empty directory. Returns what of the image was
// left out, and why.
[[nodiscard]] Result<std::vector<std::string>> make_bundle(const BundleRequest &request, const BundleSource &source,
                                                           const Layout &store, Progress &progress,
                                                           Interrupts &interrupts);

}  // namespace skiff::image
