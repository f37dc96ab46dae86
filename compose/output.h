// What a command prints on stdout.
#pragma once

#include <string_view>

#include "spec/error.h"

namespace skiff::compose {

// Writes all of it; 0, the exit code of a command that has done its work.
[[nodiscard]] Result<int> print(std::string_view text);

}  // namespace skiff::compose
