// How much room text takes on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skiff::cli {

// Columns of UTF-8: East Asian and pictures count twice, marks that are put over a letter not at all. The locale does
// not matter. A byte that is no UTF-8 counts as one column.
[[nodiscard]] std::size_t width_of(std::string_view text);

// The text itself where it is no wider; else its beginning with `end` behind it, in at most that many columns.
[[nodiscard]] std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view end = "…");

// With blanks behind it up to that many columns, or in front of it.
[[nodiscard]] std::string pad_to_width(std::string_view text, std::size_t columns, bool right = false);

// Takes one letter from the front: its bytes.
[[nodiscard]] std::string_view take_letter(std::string_view &text);

}  // namespace skiff::cli
