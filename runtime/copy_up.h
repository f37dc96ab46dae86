// tmpcopyup: a tmpfs that starts with the contents of the directory it covers.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff {

// Copies everything below `from` (O_PATH will do) into the empty directory `to`, and the owner, mode and times of
// `from` itself: files, directories, symbolic links, device nodes, fifos, extended attributes where the filesystem
// takes them. Follows no symbolic link and enters no other mount. Hard links become files of their own. Memory: one
// directory's names at each level; descriptors: two at each level.
[[nodiscard]] Status copy_up(kernel::FdView from, kernel::FdView to);

}  // namespace skiff
