// Attributes and propagation of a mount that is held by its descriptor, on kernels with mount_setattr(2) (Linux 5.12)
// and without it.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

// The MOUNT_ATTR_* that are in force on a mount. No bit of MOUNT_ATTR__ATIME is relatime.
[[nodiscard]] Result<std::uint64_t> read_attributes(kernel::FdView mount);
// As the mount options of config.json write them: "nosuid,nodev".
[[nodiscard]] std::string attribute_names(std::uint64_t attributes);

// mount_setattr(2) on a mount, attached or not. ENOSYS below Linux 5.12. EPERM where a flag is locked
// (mount_namespaces(7), "locked"): the text then names it.
[[nodiscard]] Status change_attributes(kernel::FdView mount, const MountAttributes &attributes,
                                       kernel::Recursive recursive = kernel::Recursive::no);
// The same for this one mount, by MS_REMOUNT|MS_BIND where mount_setattr is missing: the mount must be attached, and
// flags that are not named stay as they are.
[[nodiscard]] Status change_attached_attributes(kernel::FdView mount, const MountAttributes &attributes,
                                                const kernel::Procfs &proc);
// MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, with MS_REC for everything below. The mount must be attached.
[[nodiscard]] Status change_propagation(kernel::FdView mount, std::uint64_t propagation, const kernel::Procfs &proc);

}  // namespace skiff
