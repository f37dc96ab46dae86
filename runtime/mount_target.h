// Where a mount goes: a place inside the rootfs, held by a descriptor, and the places that nothing may cover.
#pragma once

#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"
#include "runtime/rootfs.h"

namespace skiff {

enum class Follow { no, yes };

// The target of a mount, O_PATH, made where it is missing: a directory (0755), or an empty file (0644). With Follow::no
// a symbolic link at the last component is itself the target.
[[nodiscard]] Result<kernel::Fd> open_target(const Rootfs &rootfs, std::string_view destination, bool directory,
                                             Follow follow = Follow::yes);

// The half of it that makes what is missing.
[[nodiscard]] Result<kernel::Fd> make_target(const Rootfs &rootfs, const std::string &path, bool directory);

// The target of a procfs or sysfs: a real directory, reached without any symbolic link. A link there has let container
// content stand in for /proc (CVE-2019-19921, CVE-2023-27561).
[[nodiscard]] Result<kernel::Fd> open_plain_target(const Rootfs &rootfs, std::string_view destination);

// Attaches a mount on an open target. Refuses the rootfs itself, a target of the other shape (directory or file), and
// everything over /proc but a procfs, and inside it but the files that lxcfs emulates.
[[nodiscard]] Status attach_to(kernel::FdView mount, kernel::FdView target, const Rootfs &rootfs);

// The path of a descriptor as self/fd shows it.
[[nodiscard]] Result<std::string> read_path(kernel::FdView fd, const kernel::Procfs &proc);

}  // namespace skiff
