// Documents to measure with: what `skiff spec` writes, and one of the size that Docker hands to a runtime.
#pragma once

#include "spec/config.h"

namespace skiff::bench {

// The default config without a terminal.
[[nodiscard]] spec::Config default_config();
// What engines give a container by default: some 370 system calls allowed on three architectures, clone(2) without new
// namespaces, clone3(2) answered with ENOSYS, all others with EPERM.
[[nodiscard]] spec::Seccomp engine_seccomp();
// Forty bind mounts, a hundred variables, hooks, annotations and a seccomp profile of some 300 names: about 25 KB.
[[nodiscard]] spec::Config large_config();

}  // namespace skiff::bench
