// /etc/ld.so.cache, in the format that glibc has written since 2.2 ("glibc-ld.so.cache1.1"): which file a library's
// name stands for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::image {

struct LoaderCacheEntry {
  std::int32_t flags = 0;   // kind of library, and the machine
  std::uint64_t hwcap = 0;  // not 0: only for processors that can do more than the least
  std::string name;         // "libc.so.6"
  std::string path;         // "/lib/x86_64-linux-gnu/libc.so.6"

  friend bool operator==(const LoaderCacheEntry &, const LoaderCacheEntry &) = default;
};

// A cache of another format, or one whose offsets lead outside it, is an error.
[[nodiscard]] Result<std::vector<LoaderCacheEntry>> parse_loader_cache(std::string_view bytes);

// The cache of these entries, in the order that the loader's binary search expects.
[[nodiscard]] std::string print_loader_cache(std::vector<LoaderCacheEntry> entries, bool big_endian);

}  // namespace skiff::image
