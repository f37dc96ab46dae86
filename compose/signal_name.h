// Signals by the names that people give them.
#pragma once

#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::compose {

// A number from 1 to 64, or a name with or without SIG in any case: TERM, sigkill, RTMIN+3.
[[nodiscard]] Result<int> parse_signal(std::string_view text);

}  // namespace skiff::compose
