// The media types of image-spec 1.1.1 and of Docker's schema 2.
#pragma once

#include <cstdint>
#include <string_view>

namespace skiff::spec {

inline constexpr std::string_view oci_index_type = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_manifest_type = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_config_type = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_empty_type = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view oci_layer_type = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip_type = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd_type = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view docker_index_type = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_manifest_type = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_config_type = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer_type = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view docker_layer_gzip_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view docker_layer_zstd_type = "application/vnd.docker.image.rootfs.diff.tar.zstd";

// RFC 6838: what follows ';' is a parameter, not the type.
[[nodiscard]] std::string_view without_parameters(std::string_view media_type);
[[nodiscard]] bool is_index_type(std::string_view media_type);
[[nodiscard]] bool is_manifest_type(std::string_view media_type);
// Layers, the non-distributable and foreign ones too.
[[nodiscard]] bool is_layer_type(std::string_view media_type);

enum class Compression : std::uint8_t { none, gzip, zstd };
// Of a layer's media type. What its bytes really are is read from their first four: registries hold wrong types.
[[nodiscard]] Compression compression_of(std::string_view media_type);
// "gzip", "zstd"; anything else is none.
[[nodiscard]] Compression compression_of_name(std::string_view name);

}  // namespace skiff::spec
