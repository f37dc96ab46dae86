#include "spec/media_types.h"

#include <algorithm>
#include <array>

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 12> layer_types = {
    oci_layer_type,
    oci_layer_gzip_type,
    oci_layer_zstd_type,
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    docker_layer_type,
    docker_layer_gzip_type,
    docker_layer_zstd_type,
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd",
};

}  // namespace

std::string_view without_parameters(std::string_view media_type) {
  media_type = media_type.substr(0, media_type.find(';'));
  while (media_type.ends_with(' ')) media_type.remove_suffix(1);
  return media_type;
}

bool is_index_type(std::string_view media_type) {
  const std::string_view type = without_parameters(media_type);
  return type == oci_index_type || type == docker_index_type;
}

bool is_manifest_type(std::string_view media_type) {
  const std::string_view type = without_parameters(media_type);
  return type == oci_manifest_type || type == docker_manifest_type;
}

bool is_layer_type(std::string_view media_type) {
  return std::ranges::find(layer_types, without_parameters(media_type)) != layer_types.end();
}

Compression compression_of(std::string_view media_type) {
  const std::string_view type = without_parameters(media_type);
  if (type.ends_with("+gzip") || type.ends_with(".gzip")) return Compression::gzip;
  if (type.ends_with("+zstd") || type.ends_with(".zstd")) return Compression::zstd;
  return Compression::none;
}

Compression compression_of_name(std::string_view name) {
  if (name == "gzip") return Compression::gzip;
  return name == "zstd" ? Compression::zstd : Compression::none;
}

}  // namespace skiff::spec
