// The detached clones that mounts are made of: what init opens by itself, and what its parent had to open for it.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/kernel/fd.h"
#include "runtime/plan.h"
#include "runtime/rootfs.h"

namespace skiff {

// Whether the mount is to have other id maps than its filesystem.
[[nodiscard]] bool is_id_mapped(const MountStep &step);

// The descriptor the parent opened for the step that is applied now, or an invalid one.
[[nodiscard]] kernel::Fd take_source(Rootfs &rootfs);

// Whether the source lies below the rootfs: it is what the mounts before it have made there, which only init sees.
[[nodiscard]] bool is_source_inside(const MountStep &step, const Plan &plan);

// open_tree(2) of a bind's source as the step asks for it: recursive, of the link itself, id-mapped. In init it has the
// step's id maps only where no user namespace stands in the way: EPERM otherwise.
[[nodiscard]] Result<kernel::Fd> open_source(const MountStep &step, const Plan &plan, const kernel::Procfs &proc);

// A detached clone of a host's mount becomes its slave where the container has no mount namespace (host_mounts.h).
[[nodiscard]] Status separate_from_host(kernel::FdView clone, const Plan &plan);

// Gives a detached clone of a bind's source the id maps that the step has, if any. Who calls it must control the
// source's filesystem: EPERM in init where a user namespace stands in the way.
[[nodiscard]] Status id_map_source(const MountStep &step, kernel::FdView source, const Plan &plan,
                                   const kernel::Procfs &proc);

// The same maps for a filesystem that was made anew, before it is attached; nothing where the step has none, or where
// it was made in the container's user namespace whose maps it is to have.
[[nodiscard]] Status id_map_new(const MountStep &step, const kernel::Fd &mount, const Plan &plan,
                                const kernel::Procfs &proc);

// The rootfs directory, O_PATH. ENOENT, ELOOP (a symbolic link) and ENOTDIR come with what to change.
[[nodiscard]] Result<kernel::Fd> open_rootfs(const std::string &path);

// Whether init is root of another user namespace than the runtime.
[[nodiscard]] bool has_user_namespace(const Plan &plan);
// The propagation that "/" gets in the new mount namespace, or 0: that of the plan's SetPropagation.
[[nodiscard]] std::uint64_t host_propagation(const Plan &plan);
// Whether the container has a cgroup namespace of its own.
[[nodiscard]] bool has_cgroup_namespace(const Plan &plan);

}  // namespace skiff
