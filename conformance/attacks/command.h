// `skiff-conformance attacks`.
#pragma once

#include <span>

#include "spec/error.h"

namespace skiff::conformance {

// The exit status: 0 none succeeded, 1 one did or could not be tried.
[[nodiscard]] Result<int> run_attacks(std::span<const char *const> words);

}  // namespace skiff::conformance
