// New filesystems, detached: fsopen(2), its options, fsmount(2).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff {

struct Filesystem {
  std::string type;
  std::string source;                                        // what mountinfo shows, or the device; may be empty
  std::vector<std::pair<std::string, std::string>> options;  // an empty second is a flag
  std::uint64_t superblock_flags = 0;                        // MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME...
  std::uint64_t attributes = 0;                              // MOUNT_ATTR_* of the mount
  bool user_namespace = false;                               // says more about EPERM and EINVAL
};

// The detached root of the new filesystem. Errors name the option at fault where the kernel takes options one by one,
// and say what proc, sysfs, mqueue, devpts and cgroup need in a user namespace.
[[nodiscard]] Result<kernel::Fd> make_filesystem(const Filesystem &filesystem);

}  // namespace skiff
