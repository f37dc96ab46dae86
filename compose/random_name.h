// Names for containers that nobody has named.
#pragma once

#include <string>

#include "spec/error.h"

namespace skiff::compose {

// "calm_otter"
[[nodiscard]] Result<std::string> make_name();

}  // namespace skiff::compose
