// An image of the store: found by what a user types, and read.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layout_copy.h"
#include "imgtool/reference.h"

namespace skiff::image {

struct StoredImage {
  std::string name;  // in full; empty for one without
  spec::Descriptor root;
};

// By its name, or by the first four or more digits of its digest or its configuration's (Docker's image id). ENOENT
// names the image that was probably meant.
[[nodiscard]] Result<StoredImage> find_stored(const Layout &store, std::string_view text);
[[nodiscard]] Result<std::vector<StoredImage>> list_stored(const Layout &store);

struct LoadedImage {
  spec::Descriptor descriptor;  // of the manifest
  std::string manifest_bytes;
  spec::ImageManifest manifest;
  std::string config_bytes;
  spec::ImageConfig config;
};
// `manifest` must be one. An image has as many diff_ids as layers; anything else is no image (EBADMSG).
[[nodiscard]] Result<LoadedImage> load_image(const Layout &layout, const spec::Descriptor &manifest);

// "1.4GB", in powers of 1000 as registries and Docker count.
[[nodiscard]] std::string size_text(std::int64_t bytes);
// "3 weeks ago"; what is no time (RFC 3339) stays as it is.
[[nodiscard]] std::string age_text(const std::string &time);

}  // namespace skiff::image
