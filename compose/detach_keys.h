// The keys that leave an attached container running.
#pragma once

#include <string>
#include <string_view>

#include "spec/error.h"

namespace skiff::compose {

// The bytes of "ctrl-p,ctrl-q", which empty means, or "a,ctrl-@".
[[nodiscard]] Result<std::string> parse_detach_keys(std::string_view text);

}  // namespace skiff::compose
