// The component walk behind path.h: resolves in a root without openat2, and can make what is missing on the way.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

enum class Missing { fail, make_directories, make_file };

struct WalkRequest {
  int flags = O_PATH;  // of the descriptor that is returned
  Missing missing = Missing::fail;
  mode_t directory_mode = 0755;
  mode_t file_mode = 0644;
};

// `path` as if `root` were "/". See walk_in_root, make_directory_in_root and make_file_in_root.
[[nodiscard]] Result<Fd> walk(FdView root, CString path, const WalkRequest &request);

}  // namespace skiff::kernel
