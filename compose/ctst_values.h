// The small languages inside of .ctst's strings: sizes, durations, image URIs (CTST.md, "Lexical", "Image sources").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::compose::ctst {

struct Size {
  std::uint64_t bytes = 0;
  bool docker_suffix = false;  // k, m, g: what 1024 or 1000 is meant by, people disagree
};
// "512", "64MB" (decimal), "64MiB" (binary), "1.5GiB".
[[nodiscard]] std::optional<Size> parse_size(std::string_view text);

// "30s", "1m30s", "250ms", "2h", "30" (seconds): as compose.yaml has it.
[[nodiscard]] std::optional<std::string> parse_duration(std::string_view text);

// Cores are written with a point; whole numbers are shares.
struct Cpu {
  bool is_shares = false;
  std::string number;
};
[[nodiscard]] std::optional<Cpu> parse_cpu(std::string_view text);

[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view digits);

struct ImageSource {
  std::string image;   // a reference, or tar:// and https:// with what stands behind
  std::string rootfs;  // of file://, absolute
  bool local = false;  // image://: of the local store alone
};
// `folder` is what a relative path is relative to; empty: nothing is.
[[nodiscard]] Result<ImageSource> parse_image(std::string_view uri, const std::string &folder);

// The scheme that an image's name speaks of: "postgres:16" and "tar://db/postgres-16.tar" speak of postgres; "http"
// where it speaks of none (CTST.md, "CONNECT").
[[nodiscard]] std::string scheme_of(std::string_view image);

// An absolute path without "." and ".."; empty where it is relative and there is no folder.
[[nodiscard]] std::string absolute(std::string_view path, const std::string &folder);

}  // namespace skiff::compose::ctst
