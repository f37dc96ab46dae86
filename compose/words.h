// Text in lines and words, as the kernel and resolv.conf(5) write it.
#pragma once

#include <string_view>
#include <vector>

namespace skiff::compose {

// Without their ends; the last one may lack its '\n'.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
// Parted by spaces and tabs, of which any number counts as one.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view line);

}  // namespace skiff::compose
