// image-spec 1.1.1: descriptor, manifest, index and image configuration as typed values, their JSON names in
// snake_case. Docker's schema 2 differs in media types alone, and is read by the same types.
//
// Values only. What is unknown is ignored (considerations.md, "Extensibility"); to copy an image without a change its
// bytes are kept, never printed anew.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::spec {

// image-index.md, "platform"
struct Platform {
  std::string architecture;  // GOARCH: amd64, arm64
  std::string os;            // GOOS: linux
  std::string os_version;
  std::vector<std::string> os_features;
  std::string variant;  // v8, v2
};

// descriptor.md
struct Descriptor {
  std::string media_type;
  std::string digest;     // "sha256:<64 hex>"; checked by parse_*, never used in a path or URL unchecked
  std::int64_t size = 0;  // bytes; a negative one is a finding
  std::vector<std::string> urls;
  StringMap annotations;
  std::optional<std::string> data;  // base64 of the whole content
  std::optional<Platform> platform;
  std::string artifact_type;
};

// manifest.md
struct ImageManifest {
  std::uint32_t schema_version = 2;
  std::string media_type;
  std::string artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;  // the base first
  std::optional<Descriptor> subject;
  StringMap annotations;
};

// image-index.md
struct ImageIndex {
  std::uint32_t schema_version = 2;
  std::string media_type;
  std::string artifact_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  StringMap annotations;
};

// ---- config.md ----

struct Nothing {};
using NameSet = std::map<std::string, Nothing>;  // {"80/tcp": {}}

// Docker's, outside the specification; times in nanoseconds, 0 means inherit.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval = 0;
  std::int64_t timeout = 0;
  std::int64_t start_period = 0;
  std::int64_t start_interval = 0;
  std::int64_t retries = 0;
};

// "config": what a container of this image starts with.
struct ImageDefaults {
  std::string user;
  NameSet exposed_ports;
  std::vector<std::string> env;  // NAME=VALUE
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  NameSet volumes;
  std::string working_dir;
  StringMap labels;
  std::string stop_signal;
  bool args_escaped = false;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> shell;     // Docker's
  std::vector<std::string> on_build;  // Docker's
};

struct ImageRootfs {
  std::string type;                   // "layers"
  std::vector<std::string> diff_ids;  // of the uncompressed layers, the base first
};

struct ImageHistory {
  std::string created;
  std::string author;
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
};

struct ImageConfig {
  std::string created;
  std::string author;
  std::string architecture;
  std::string os;
  std::string os_version;
  std::vector<std::string> os_features;
  std::string variant;
  ImageDefaults config;
  ImageRootfs rootfs;
  std::vector<ImageHistory> history;
};

// A manifest or an index, whichever the document is.
struct ImageDocument {
  std::string media_type;  // of the document, else told by its members
  std::optional<ImageManifest> manifest;
  std::optional<ImageIndex> index;
};

// Errors name the JSON pointer and the clause; all findings stand in one error. A document with both `layers` and
// `manifests`, or whose mediaType says other than `media_type` (the Content-Type or the descriptor's, empty for
// unknown), is refused: CVE-2021-41190. Digests and sizes of every descriptor are checked.
[[nodiscard]] Result<ImageDocument> parse_image_document(std::string_view json, std::string_view media_type);
[[nodiscard]] Result<ImageConfig> parse_image_config(std::string_view json);
// The same bytes for the same value: members in the order of the specification, no white space.
[[nodiscard]] std::string print_image_manifest(const ImageManifest &manifest);
[[nodiscard]] std::string print_image_index(const ImageIndex &index);
[[nodiscard]] std::string print_image_config(const ImageConfig &config);

// "sha256:" + 64 or "sha512:" + 128 lower-case hexadecimal digits, the algorithms that this tool can compute
// (descriptor.md, "Registered algorithms"): what may stand in a path or a URL.
[[nodiscard]] bool is_digest(std::string_view text);

}  // namespace skiff::spec
