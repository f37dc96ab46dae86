// seccomp(2): installs a filter that was made elsewhere.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_*. The descriptor is the listener where
// SECCOMP_FILTER_FLAG_NEW_LISTENER is among them, otherwise invalid. With TSYNC and NEW_LISTENER together,
// SECCOMP_FILTER_FLAG_TSYNC_ESRCH is added, without which the kernel refuses the pair (Linux 5.7). EACCES without
// no_new_privs and without CAP_SYS_ADMIN; EINVAL for a program or a flag the kernel does not take. The descriptor of a
// listener has CLOEXEC from the kernel.
[[nodiscard]] Result<Fd> seccomp_set_mode_filter(unsigned flags, std::span<const sock_filter> program);
// SECCOMP_GET_ACTION_AVAIL: whether the kernel knows this SECCOMP_RET_* action.
[[nodiscard]] Result<bool> seccomp_get_action_avail(uint32_t action);
// SECCOMP_GET_NOTIF_SIZES: EINVAL below Linux 5.0.
[[nodiscard]] Result<seccomp_notif_sizes> seccomp_get_notif_sizes();
// Whether the kernel takes this set of SECCOMP_FILTER_FLAG_*: asks with a null program, which installs nothing.
[[nodiscard]] bool seccomp_has_flags(unsigned flags);

}  // namespace skiff::kernel
