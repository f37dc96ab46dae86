// Columns of text for people.
#pragma once

#include <string>
#include <vector>

namespace skiff::cli {

// Lines of cells in columns as wide as their widest; the last column is not filled. Control characters come as '?'.
[[nodiscard]] std::string table_text(const std::vector<std::vector<std::string>> &lines);

}  // namespace skiff::cli
