// `skiff-conformance load`.
#pragma once

#include <span>

#include "spec/error.h"

namespace skiff::conformance {

// The exit status: 0 nothing was found, 1 something was.
[[nodiscard]] Result<int> run_load(std::span<const char *const> words);

}  // namespace skiff::conformance
