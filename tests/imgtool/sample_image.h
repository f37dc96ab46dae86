// A small image in a layout: layers, configuration and manifest that fit each other.
#pragma once

#include <string>
#include <vector>

#include "imgtool/layer.h"
#include "imgtool/layout.h"
#include "spec/media_types.h"

namespace skiff::image {

inline spec::Descriptor describe(std::string_view type, std::string_view bytes) {
  spec::Descriptor descriptor;
  descriptor.media_type = type;
  descriptor.digest = digest_of(bytes).text();
  descriptor.size = static_cast<std::int64_t>(bytes.size());
  return descriptor;
}

// Writes the bytes too.
inline spec::Descriptor add_blob(const Layout &layout, std::string_view type, std::string_view bytes) {
  const auto written = layout.write_blob(bytes);
  return written ? describe(type, bytes) : spec::Descriptor{};
}

struct SampleImage {
  spec::ImageManifest manifest;
  spec::ImageConfig config;
  spec::Descriptor descriptor;  // of the manifest
};

// Each text is the content of an uncompressed layer.
inline SampleImage add_image(const Layout &layout, const std::vector<std::string> &layers) {
  SampleImage image;
  image.config.os = "linux";
  image.config.architecture = "amd64";
  image.config.rootfs.type = "layers";
  for (const std::string &text : layers) {
    image.manifest.layers.push_back(add_blob(layout, spec::oci_layer_type, text));
    image.config.rootfs.diff_ids.push_back(digest_of(text).text());
  }
  image.manifest.media_type = spec::oci_manifest_type;
  image.manifest.config = add_blob(layout, spec::oci_config_type, spec::print_image_config(image.config));
  image.descriptor = add_blob(layout, spec::oci_manifest_type, spec::print_image_manifest(image.manifest));
  return image;
}

// An index over these, without a name yet.
inline spec::Descriptor add_index(const Layout &layout, std::vector<spec::Descriptor> manifests) {
  spec::ImageIndex index;
  index.media_type = spec::oci_index_type;
  index.manifests = std::move(manifests);
  return add_blob(layout, spec::oci_index_type, spec::print_image_index(index));
}

// What unpacking a layer came to.
inline AppliedLayer sample_applied(std::uint64_t bytes) {
  AppliedLayer applied;
  applied.diff_id = digest_of("diff");
  applied.bytes = bytes;
  applied.entries = 1;
  return applied;
}

}  // namespace skiff::image
