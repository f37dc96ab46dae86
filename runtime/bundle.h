// A bundle: a directory with config.json and a root filesystem (bundle.md).
#pragma once

#include <string>

#include "spec/config.h"

namespace skiff {

struct Bundle {
  std::string path;  // absolute, without a symbolic link
  std::string json;  // config.json as it was read
  spec::Config config;
};

// The largest config.json that is read.
inline constexpr std::size_t max_config_bytes = 16 << 20;

// Reads, parses and checks config.json; an empty path is the working directory. Errors: a missing directory or file, a
// file above max_config_bytes, and all findings of parse_config and spec::check together.
[[nodiscard]] Result<Bundle> load_bundle(std::string_view path);

// The rootfs's absolute path (config.md, "Root": relative to the bundle).
[[nodiscard]] std::string rootfs_path(const Bundle &bundle);

// Writes a new config.json; an empty path is the working directory. EEXIST where there is one.
[[nodiscard]] Status write_config(std::string_view bundle, const spec::Config &config);

// A JSON document given on the command line: a path, or - for stdin. At most max_config_bytes.
[[nodiscard]] Result<std::string> read_document(const std::string &path);

}  // namespace skiff
