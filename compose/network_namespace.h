// A network namespace that no process holds: it lives while it is bind-mounted on a file.
#pragma once

#include <sys/types.h>

#include <string>

#include "spec/error.h"

namespace skiff::compose {

// Makes a new one at the path, with its loopback up. What was mounted there is unmounted first.
[[nodiscard]] Status make_network_namespace(const std::string &path);
// The same with the one that a process has.
[[nodiscard]] Status keep_network_namespace(const std::string &path, pid_t pid);
[[nodiscard]] bool is_network_namespace(const std::string &path);
// It goes, with all its interfaces, when its last process is gone. None there is no error.
[[nodiscard]] Status remove_network_namespace(const std::string &path);

}  // namespace skiff::compose
