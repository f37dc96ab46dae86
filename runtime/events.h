// The stream of `events`: statistics at an interval, and a line each time that the kernel kills for lack of memory.
#pragma once

#include <chrono>
#include <string>

#include "runtime/cgroup.h"

namespace skiff {

// One line of statistics on stdout.
[[nodiscard]] Status print_statistics(const std::string &id, const Cgroup &cgroup);
// Lines on stdout until the container's init (a pidfd) has ended or its cgroup is gone.
[[nodiscard]] Status follow_events(const std::string &id, const Cgroup &cgroup, const kernel::Fd &init,
                                   std::chrono::milliseconds interval);

}  // namespace skiff
