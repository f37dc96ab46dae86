// Documents for the parts: what `skiff spec` writes, and one of the size that Docker hands to a runtime.
#pragma once

#include "spec/config.h"

namespace skiff::bench {

// The default config without a terminal.
[[nodiscard]] spec::Config default_config();
// Forty bind mounts, a hundred variables, hooks, annotations and a seccomp profile of some 300 names: about 25 KB.
[[nodiscard]] spec::Config large_config();

}  // namespace skiff::bench
