// The mount of type "cgroup": the container's cgroups as a container sees them on this host.
#pragma once

#include "runtime/plan.h"
#include "runtime/rootfs.h"

namespace skiff {

// cgroup v2: a new cgroup2 mount, or (EPERM, EBUSY) a bind of the container's own directory. cgroup v1 and hybrid: a
// tmpfs with one mount for each hierarchy, and a link for each controller of a shared one (cpu -> cpu,cpuacct). In a
// user namespace without a cgroup namespace the mount is read-only whatever the step says: what is shown then belongs
// to the runtime's user, and so to the container's root (CVE-2023-25809).
[[nodiscard]] Status mount_cgroup(const MountStep &step, Rootfs &rootfs);

}  // namespace skiff
