// User and group ids, as system calls on this thread: glibc's own would signal every thread first.
#pragma once

#include <span>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// EPERM in a user namespace whose /proc/PID/setgroups says deny (user_namespaces(7)).
[[nodiscard]] Status setgroups(std::span<const gid_t> groups);
[[nodiscard]] Result<std::vector<gid_t>> getgroups();
// Real, effective and saved id at once. EINVAL where the user namespace does not map it.
[[nodiscard]] Status setresuid(uid_t uid);
[[nodiscard]] Status setresgid(gid_t gid);
[[nodiscard]] uid_t geteuid();
[[nodiscard]] gid_t getegid();
[[nodiscard]] uid_t getuid();
[[nodiscard]] gid_t getgid();

}  // namespace skiff::kernel
