// What a command prints on stdout.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::image {

// Writes all of it; 0, the exit code of a command that has done its work.
[[nodiscard]] Result<int> print(std::string_view text);

// Lines of cells in columns as wide as their widest; the last column is not filled. Control characters come as '?'.
[[nodiscard]] std::string table_text(const std::vector<std::vector<std::string>> &lines);

}  // namespace skiff::image
