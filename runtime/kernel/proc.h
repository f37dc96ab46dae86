// The one way to /proc: a descriptor of a procfs that was checked once, and lookups that cannot leave it.
//
// A container can put anything over /proc/self/attr or /proc/sys while the runtime works in its mount namespace
// (CVE-2019-16884, CVE-2025-52881). Nothing in the runtime opens a string that starts with /proc.
#pragma once

#include <cstdint>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// What PID/stat says of a process: proc_pid_stat(5) fields 3, 4 and 22.
struct ProcessStat {
  char state = 0;  // R S D T t Z X I ...
  pid_t ppid = 0;
  uint64_t start_time = 0;  // clock ticks since boot: with the pid it names one process for good
};

// The text of PID/stat. The name in it may hold blanks and parentheses, so the fields count from the last ')'.
[[nodiscard]] Result<ProcessStat> parse_process_stat(std::string_view text);

class Procfs {
 public:
  // The host's /proc: a procfs by its magic number and by the inode number of its root (1), or an error (EXDEV).
  // What is mounted over a part of it is refused when it is opened (RESOLVE_NO_XDEV).
  static Result<Procfs> open_host();

  enum class Subset { all, pid };
  // A procfs of one's own that is attached nowhere, so that nobody can mount over it: fsopen(2), Linux 5.2. It shows
  // the caller's pid namespace. `pid` leaves out everything but the processes (subset=pid, Linux 5.8). EPERM where the
  // caller may not mount procfs: open_host is next best.
  static Result<Procfs> open_private(Subset subset);

  // Another descriptor of the same procfs.
  [[nodiscard]] Result<Procfs> duplicate() const;

  // Opens `path` relative to the procfs: no symlink out, no magic link, nothing that is mounted over. "self/..." works.
  // EXDEV or ELOOP is an attack or an overmount.
  [[nodiscard]] Result<Fd> open_at(CString path, int flags) const;

  // The same file as `fd`, opened anew with these flags: turns O_PATH into a readable or writable descriptor. The one
  // magic link that is followed on purpose (self/fd/N).
  [[nodiscard]] Result<Fd> reopen(FdView fd, int flags) const;

  // The whole of a file, up to max_bytes.
  [[nodiscard]] Result<std::string> read_file(CString path, size_t max_bytes = 1 << 20) const;
  // One write(2) of the whole value, as sysctls, uid_map and attr/exec demand it.
  [[nodiscard]] Status write_file(CString path, std::string_view value) const;

  // ESRCH where no such process is.
  [[nodiscard]] Result<ProcessStat> read_stat(pid_t pid) const;
  [[nodiscard]] Result<uint64_t> read_start_time(pid_t pid) const;

  [[nodiscard]] const Fd &root() const { return root_; }

 private:
  explicit Procfs(Fd root) : root_(std::move(root)) {}
  Fd root_;
};

// The text of a regular file inside a hostile root, up to max_bytes (EFBIG); empty where there is none. What is a
// symlink, a FIFO or a device at the end of the path is never opened: an error that says so.
[[nodiscard]] Result<std::string> read_regular_in_root(FdView root, CString path, size_t max_bytes);

}  // namespace skiff::kernel
