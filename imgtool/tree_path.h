// Paths in a tree, as values: taken apart, put together, and freed of symlinks inside a root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image {

// Without empty parts and ".".
[[nodiscard]] std::vector<std::string> path_parts(std::string_view path);
// "a/b" and "c" to "a/b/c"; an empty directory is the root of relative paths.
[[nodiscard]] std::string join_path(std::string_view directory, std::string_view name);

// `path` as if `root` were "/", absolute and without symlinks; the last component is followed too. What is missing is
// kept as it is written, when `missing` is given, and its directories are added there, the outermost first; else it is
// an error (ENOENT). ELOOP after 40 links.
[[nodiscard]] Result<std::string> real_path(kernel::FdView root, std::string_view path,
                                            std::vector<std::string> *missing = nullptr);

}  // namespace skiff::image
