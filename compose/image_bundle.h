// An image unpacked by skiff-image into a container's bundle.
#pragma once

#include <string>

#include "compose/engine.h"
#include "compose/lower.h"
#include "spec/image.h"

namespace skiff::compose {

struct UnpackRequest {
  std::string image;        // a name, one of skiff-image's transports, or an archive (archive_source.h)
  std::string pull_policy;  // always, never, missing; empty: missing
  std::string platform;
  std::string bundle;
  IdMaps id_maps;
  bool overlay = true;  // what a user without privileges cannot mount
  // The user namespace whose root unpacks it, with its ids as the host ends of the maps.
  kernel::FdView inside = kernel::no_fd;
  bool quiet = false;
};

// BUNDLE/rootfs and BUNDLE/config.json; a missing image is pulled, its progress on stderr. ENOENT where there is none.
[[nodiscard]] Status unpack_image(const Engine &engine, const UnpackRequest &request);

struct BundleImage {
  std::string id;  // the digest of its configuration
  spec::ImageConfig config;
};
// Which image a bundle was unpacked from.
[[nodiscard]] Result<BundleImage> read_bundle_image(const std::string &bundle);

}  // namespace skiff::compose
