// What a process is allowed to do and how it runs, applied by init and by the process of an exec just before it becomes
// the user's program. Each function is one step of the plan; capabilities(7), credentials(7), config.md "Process".
#pragma once

#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

[[nodiscard]] Status apply(const SetRlimit &step);
[[nodiscard]] Status apply(const SetScheduler &step);
[[nodiscard]] Status apply(const SetIoPriority &step);
[[nodiscard]] Status apply(const SetMemoryPolicy &step);
[[nodiscard]] Status apply(const SetPersonality &step);
[[nodiscard]] Status apply(const SetUmask &step);
[[nodiscard]] Status apply(const SetApparmorProfile &step, const kernel::Procfs &proc);
[[nodiscard]] Status apply(const SetSelinuxLabel &step, const kernel::Procfs &proc);
[[nodiscard]] Status apply(const DropBounding &step);
// Also gives stdin, stdout and stderr to the user, so that /dev/stdout can be opened again.
// Groups that nobody may set (setgroups denied in a user namespace around ours, user_namespaces(7)) stay as they are
// where none are asked for.
[[nodiscard]] Status apply(const SetUser &step, const kernel::Procfs &proc);
[[nodiscard]] Status apply(const SetCapabilities &step);
// Refuses a directory that lies outside the root (CVE-2024-21626), whatever name led there.
[[nodiscard]] Status apply(const ChangeDirectory &step, const kernel::Fd &root);
[[nodiscard]] Status apply(const NoNewPrivileges &step);
[[nodiscard]] Status apply(const JoinSessionKeyring &step, const kernel::Procfs &proc);
// The listener's descriptor where the step asks for one.
[[nodiscard]] Result<kernel::Fd> apply(const LoadSeccomp &step);

// The processors of a list such as "0-3,7".
[[nodiscard]] Result<std::vector<unsigned>> parse_cpu_list(std::string_view list);

}  // namespace skiff
