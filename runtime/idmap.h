// User namespaces that exist for their id maps only: mount_setattr(2) takes one by its descriptor, MOUNT_ATTR_IDMAP.
#pragma once

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

// A user namespace with these maps; it lives as long as the descriptor or a mount that uses it. EPERM where the caller
// may not write such a map (user_namespaces(7)).
[[nodiscard]] Result<kernel::Fd> open_user_namespace(const IdMaps &maps, const kernel::Procfs &proc);

// The pid of a process in the pid namespace that a procfs shows, which may be another one than the caller's. ESRCH
// where it is not in that namespace.
[[nodiscard]] Result<pid_t> read_pid(kernel::FdView pidfd, const kernel::Procfs &proc);

// The lines of uid_map or gid_map: "containerID hostID size\n" each.
[[nodiscard]] std::string format_id_map(const std::vector<spec::IdMapping> &mappings);

// Gives a detached mount the maps of a user namespace. EINVAL where its filesystem cannot be id-mapped, EPERM where the
// caller does not own that filesystem.
[[nodiscard]] Status id_map_mount(kernel::FdView mount, kernel::FdView userns, bool recursive);

}  // namespace skiff
