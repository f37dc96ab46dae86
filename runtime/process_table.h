// The processes of a container as ps(1) of the host shows them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/proc.h"
#include "spec/error.h"

namespace skiff {

// Runs ps with these options (-ef where there are none) and keeps the heading and the lines of these pids, which are
// sorted. Errors: ps is not installed, refuses the options, or prints no column PID.
[[nodiscard]] Result<std::string> process_table(const std::vector<std::string_view> &options,
                                                const std::vector<pid_t> &pids);

// The processes in init's pid namespace, sorted: those of a container that has no cgroup to ask. One that made a pid
// namespace of its own is not among them. Init alone where it shares the runtime's.
[[nodiscard]] Result<std::vector<pid_t>> processes_beside(const kernel::Procfs &proc, pid_t init);

// The heading and the lines of `text` that belong to these pids. Pure.
[[nodiscard]] Result<std::string> select_processes(std::string_view text, const std::vector<pid_t> &pids);

}  // namespace skiff
