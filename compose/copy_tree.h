// Copying a directory of an image, which may be hostile, into a new one of ours.
#pragma once

#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff::compose {

// Everything in `from` into `to`, which is empty, and owner, mode, times and extended attributes of `from` itself. By
// descriptors: no symbolic link is followed, and another mount is not entered. Hard links within the tree stay such.
[[nodiscard]] Status copy_tree(kernel::FdView from, kernel::FdView to);

}  // namespace skiff::compose
