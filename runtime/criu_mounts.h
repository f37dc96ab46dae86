// The filesystem side of a checkpoint and a restore: where mounts really are, and what a rootfs needs before CRIU can
// mount there.
#pragma once

#include <string>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

// The path of a mount's destination with the symbolic links on its way followed inside `root`, which is how CRIU and
// the kernel name it. What is missing at its end is kept as it is.
[[nodiscard]] Result<std::string> resolve_destination(const kernel::Fd &root, const std::string &destination,
                                                      const kernel::Procfs &proc);

// Makes the mount points, devices and links that the rootfs lacks, as a create does: by mounting everything, in a mount
// namespace that ends with the process that this forks. What a create would have made below a mount that CRIU restores
// itself goes with it.
[[nodiscard]] Status make_mount_points(const Plan &plan, const kernel::Procfs &proc);

// In a mount namespace of its own: the rootfs once more at `place`, as CRIU asks for it: a mount, whose parent nothing
// covers. No mount of this namespace is seen by the host.
[[nodiscard]] Status mount_criu_root(const std::string &rootfs, const std::string &place);

}  // namespace skiff
