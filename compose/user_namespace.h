// Working with a container's ids from outside of it: whoever reads and writes its files can do there what its own root
// can, and no more.
#pragma once

#include "compose/lower.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"

namespace skiff::compose {

// The maps of a process that waits in a new user namespace. An ordinary user's go by newuidmap and newgidmap, where
// they are more than himself.
[[nodiscard]] Status write_id_maps(const kernel::Procfs &proc, pid_t pid, const IdMaps &maps);

// A new namespace with these maps; it lives as long as its descriptor.
[[nodiscard]] Result<kernel::Fd> make_user_namespace(const kernel::Procfs &proc, const IdMaps &maps);

// This process becomes root of the namespace, which may be given by a pidfd; of the one that it is in without one.
[[nodiscard]] Status become_root_of(kernel::FdView user_namespace);

}  // namespace skiff::compose
