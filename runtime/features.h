// What this build on this kernel supports, for `skiff features` (features.md).
#pragma once

#include "spec/features.h"

namespace skiff {

[[nodiscard]] spec::Features make_features();

}  // namespace skiff
