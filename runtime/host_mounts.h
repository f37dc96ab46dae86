// A container without a mount namespace: its mounts are made in the one it is started in, all of them below one mount
// of its rootfs over itself. They outlive its processes, so that mount is put down in the record and detached with it.
//
// Nothing beyond the rootfs may change. So the propagation of "/" and of the rootfs's parent stays; the mount of the
// rootfs is private; every clone of a host's mount is its slave, because detaching a clone that still shares with its
// origin would detach what is mounted below the origin, too (mount_namespaces(7)).
#pragma once

#include <cstdint>
#include <string>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"

namespace skiff {

// The detached mount that is to lie over the rootfs, private with all below it. ENOSYS below Linux 5.12.
[[nodiscard]] Result<kernel::Fd> open_host_rootfs(const std::string &path);

// Detaches it with all that is mounted below: nothing where `mount_id` is 0 or it is not there any more. An error where
// it is covered by another mount; everything stays then.
[[nodiscard]] Status detach_host_rootfs(const std::string &path, std::uint64_t mount_id, const kernel::Procfs &proc);

}  // namespace skiff
