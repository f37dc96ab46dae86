// What one process of this program tells another over a socket: its answer, or its error whole.
#pragma once

#include <string>

#include "spec/error.h"

namespace skiff::compose {

inline constexpr std::size_t longest_answer = std::size_t{64} << 10U;

// Cut where it is longer.
[[nodiscard]] std::string print_answer(const Result<std::string> &result);
[[nodiscard]] Result<std::string> read_answer(const std::string &text);

}  // namespace skiff::compose
