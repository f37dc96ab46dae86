// Signals for a container: their names on the command line, and sending them.
#pragma once

#include <string_view>

#include "runtime/container.h"

namespace skiff {

// "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3": the number. signal(7).
[[nodiscard]] Result<int> parse_signal(std::string_view text);

// To init by its pidfd, or to every process of the cgroup. Without `all`, one that has ended is "container not
// running"; with it that is no error. SIGKILL for an init that shares its pid namespace goes to every process.
[[nodiscard]] Status signal_container(const Container &container, int number, bool all);

// SIGKILL for init and everything in the cgroup, and waits until init is gone; nothing to do where it has ended.
[[nodiscard]] Status kill_init(const Container &container);

}  // namespace skiff
