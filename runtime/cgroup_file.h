// The small files of a cgroup directory. Each read and each write is one system call on a file opened for it: the
// kernel takes a value whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff {

// The text without the line end. ENOENT where the file is not there; ENODEV where the cgroup was removed.
[[nodiscard]] Result<std::string> read_cgroup_file(kernel::FdView dir, kernel::CString file);
// The number in it; "max" is UINT64_MAX.
[[nodiscard]] Result<std::uint64_t> read_cgroup_number(kernel::FdView dir, kernel::CString file);
[[nodiscard]] Status write_cgroup_file(kernel::FdView dir, kernel::CString file, std::string_view value);

// The text as a number; "max" is UINT64_MAX. Empty where it is neither.
[[nodiscard]] std::optional<std::uint64_t> parse_cgroup_number(std::string_view text);
// The number behind a key in lines of "key number".
[[nodiscard]] std::optional<std::uint64_t> find_key(std::string_view text, std::string_view key);
// The next line of `text`, which it is taken from; empty optional at the end.
std::optional<std::string_view> next_line(std::string_view &text);
// The next word of `line`, which it is taken from; empty at the end.
std::string_view next_word(std::string_view &line);

// The file or the cgroup is not there (any more).
[[nodiscard]] inline bool is_missing(const Error &error) { return error.number == ENOENT || error.number == ENODEV; }
// The kernel does not let this process do it.
[[nodiscard]] inline bool is_refused(const Error &error) {
  return error.number == EACCES || error.number == EPERM || error.number == EROFS;
}

}  // namespace skiff
