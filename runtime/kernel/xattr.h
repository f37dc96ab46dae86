// Extended attributes: xattr(7), and the calls of the same name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// Of an open file or directory; EBADF on an O_PATH descriptor.
[[nodiscard]] Status fsetxattr(FdView fd, CString name, std::string_view value);
// No value where there is none of that name (ENODATA), or the filesystem has no attributes (EOPNOTSUPP).
[[nodiscard]] Result<std::optional<std::string>> fgetxattr(FdView fd, CString name);
[[nodiscard]] Status fremovexattr(FdView fd, CString name);
// The names; none where the filesystem has no attributes.
[[nodiscard]] Result<std::vector<std::string>> flistxattr(FdView fd);

// Of what cannot be opened: `name` is one component below `dir`, and is not followed. They go by /proc/self/fd, for
// setxattrat(2) is there since Linux 6.13 only: not for a process that is inside a container.
[[nodiscard]] Status lsetxattr_at(FdView dir, CString name, CString attribute, std::string_view value);
[[nodiscard]] Result<std::optional<std::string>> lgetxattr_at(FdView dir, CString name, CString attribute);
[[nodiscard]] Result<std::vector<std::string>> llistxattr_at(FdView dir, CString name);

}  // namespace skiff::kernel
