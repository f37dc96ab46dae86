// Paths as text: what they come to without looking at a file system. Nothing here follows a symbolic link.
#pragma once

#include <string>
#include <string_view>

namespace skiff::spec {

// The path without "." and "..", double or final slashes; ".." stops at "/". Relative paths start at "/" (config.md,
// "Mounts", destination).
[[nodiscard]] std::string clean_path(std::string_view path);
// The same without the '/' in front; "" for "/".
[[nodiscard]] std::string clean_relative_path(std::string_view path);

}  // namespace skiff::spec
