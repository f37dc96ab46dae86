// What is mounted in this mount namespace: proc_pid_mountinfo(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/proc.h"

namespace skiff {

struct MountInfo {
  std::string root;         // which directory of the filesystem: "/" is all of it
  std::string mount_point;  // as seen from the process's root
  std::string type;
  std::string super_options;
};

// Lines that do not read as the man page says are left out; \040 and its like are decoded.
[[nodiscard]] std::vector<MountInfo> parse_mount_info(std::string_view text);
// self/mountinfo.
[[nodiscard]] Result<std::vector<MountInfo>> read_mount_info(const kernel::Procfs &proc);

}  // namespace skiff
