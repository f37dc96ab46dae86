// A path in a tree that others change meanwhile, found once: what is done with it later is done by its descriptors.
#pragma once

#include <string>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

struct Located {
  kernel::Fd directory;  // the one that it is in, O_PATH
  std::string name;      // in it; "." of the root
  mode_t mode = 0;       // with the type; 0: nothing is there
  kernel::Fd self;       // of a directory, O_PATH
};

// Symbolic links on the way stay below the root (openat2, RESOLVE_IN_ROOT); the last component is followed where
// `follow` says so, as far as to a name that is missing. ENOENT where a directory on the way is.
[[nodiscard]] Result<Located> locate_in(kernel::FdView root, const std::string &path, bool follow);

}  // namespace skiff::compose
