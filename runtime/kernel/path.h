// Paths that lead somewhere known: openat2(2), and what creates and removes files without following a symlink out.
//
// A rootfs is hostile: a concurrent container may exchange any of its directories for a symlink at any instant. So a
// path inside it exists only as the descriptor one of these functions returned, and later steps use the descriptor.
#pragma once

#include <linux/openat2.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// openat2(2) as it is, with RESOLVE_* flags. O_CLOEXEC is always added. EAGAIN (a rename went on in the tree) is tried
// again a bounded number of times, then returned. Errors: ENOSYS below Linux 5.6, EXDEV on an escape, ELOOP on a
// refused symlink.
[[nodiscard]] Result<Fd> openat2(FdView dir, CString path, int flags, mode_t mode, uint64_t resolve);

// Opens `path` as if `root` were "/": absolute symlinks and ".." stay inside (RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS).
// Where openat2 is missing (ENOSYS, or EPERM where a sandbox fakes it) or kept from its end by renames
// (EAGAIN), walk_in_root does it.
[[nodiscard]] Result<Fd> open_in_root(FdView root, CString path, int flags, mode_t mode = 0);
// The same for what may be missing (ENOENT): then the descriptor is invalid, and no text of an error is made.
[[nodiscard]] Result<Fd> find_in_root(FdView root, CString path, int flags);
// Opens `path` below `dir`; one that leads out fails with EXDEV (RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS). No fallback.
[[nodiscard]] Result<Fd> open_beneath(FdView dir, CString path, int flags, mode_t mode = 0);
// Opens `path` and refuses any symlink in it with ELOOP (RESOLVE_NO_SYMLINKS). No fallback.
[[nodiscard]] Result<Fd> open_no_symlinks(FdView dir, CString path, int flags, mode_t mode = 0);

// What open_in_root does, by hand: one O_PATH|O_NOFOLLOW component after the other, at most 40 symlinks (ELOOP), no
// magic link (ELOOP). ".." goes back to a descriptor that is held since the way down, never up in the kernel's tree, so
// a rename meanwhile cannot lead out. O_CREAT is refused (EINVAL).
[[nodiscard]] Result<Fd> walk_in_root(FdView root, CString path, int flags);

// mkdir -p inside the root; directories are made with `mode` (less the umask). Every symlink resolves in the root, and
// a dangling one gets its target made there: an image whose /var/run points to a /run it lacks is common. An
// O_PATH|O_DIRECTORY descriptor of the last. ENOTDIR where a component is something else.
[[nodiscard]] Result<Fd> make_directory_in_root(FdView root, CString path, mode_t mode);
// An empty regular file inside the root, with its parents (mode 0755). What is there already stays and is returned,
// whatever its type. A final symlink resolves in the root, a dangling one gets its target made there (an image's
// /etc/resolv.conf); the kernel itself never follows it. An O_PATH descriptor. EISDIR for a path that ends in '/'.
[[nodiscard]] Result<Fd> make_file_in_root(FdView root, CString path, mode_t mode);
// The parent of `path` inside the root (an O_PATH descriptor, made with `mode` where missing) and the last component,
// which is neither empty nor "." nor "..": EINVAL.
struct Place {
  Fd parent;
  std::string name;
};
[[nodiscard]] Result<Place> make_parent_in_root(FdView root, CString path, mode_t mode);

// The calls of the same name. `path` is followed as the kernel does: pass one component, or a trusted path.
[[nodiscard]] Status mkdirat(FdView dir, CString path, mode_t mode);
// mkdirat(2) of what may be there already, of whatever type: EEXIST is no error.
[[nodiscard]] Status make_directory(FdView dir, CString path, mode_t mode);
// Every directory in front of the last '/' of a trusted path on the host, where it is missing.
[[nodiscard]] Status make_parents(const std::string &path, mode_t mode);
// Where a program of this name lies by $PATH, as execvp(3) would find it; a name with a '/' is itself. Empty where
// there is none. Relative directories of $PATH do not count.
[[nodiscard]] std::string find_on_path(const std::string &name);
[[nodiscard]] Status mknodat(FdView dir, CString path, mode_t mode, dev_t device);
[[nodiscard]] Status symlinkat(CString target, FdView dir, CString path);
[[nodiscard]] Status unlinkat(FdView dir, CString path, int flags = 0);
[[nodiscard]] Status renameat2(FdView from_dir, CString from, FdView to_dir, CString to, unsigned flags = 0);
[[nodiscard]] Status linkat(FdView from_dir, CString from, FdView to_dir, CString to, int flags = 0);
// An empty path reads the link that an O_PATH|O_NOFOLLOW descriptor is.
[[nodiscard]] Result<std::string> readlinkat(FdView dir, CString path);
// An empty path with AT_EMPTY_PATH changes the descriptor itself, O_PATH or not.
[[nodiscard]] Status fchownat(FdView dir, CString path, uid_t uid, gid_t gid, int flags = 0);
// Follows a final symlink; the kernel has no other way before fchmodat2 (Linux 6.6).
[[nodiscard]] Status fchmodat(FdView dir, CString path, mode_t mode);
// fchmodat(2) with AT_SYMLINK_NOFOLLOW, which the C library does by /proc before Linux 6.6. EOPNOTSUPP for a symlink.
[[nodiscard]] Status fchmodat_nofollow(FdView dir, CString path, mode_t mode);
// fchmod(2); EBADF on an O_PATH descriptor: Procfs::reopen first.
[[nodiscard]] Status fchmod(FdView fd, mode_t mode);
[[nodiscard]] Status faccessat(FdView dir, CString path, int mode, int flags = 0);
[[nodiscard]] Result<struct stat> fstatat(FdView dir, CString path, int flags = 0);
// utimensat(2) with nanoseconds; AT_EMPTY_PATH is not for this call before Linux 5.8.
[[nodiscard]] Status utimensat(FdView dir, CString path, const timespec (&times)[2], int flags = 0);
// futimens(3); EBADF on an O_PATH descriptor.
[[nodiscard]] Status futimens(FdView fd, const timespec (&times)[2]);

// getcwd(2). A directory outside the process's root is an error (ENOENT): the kernel answers "(unreachable)/..." there,
// and a process that starts in such a directory has escaped its root (CVE-2024-21626).
[[nodiscard]] Result<std::string> getcwd();

// The names in a directory but "." and "..", in the kernel's order. The descriptor may be O_PATH.
[[nodiscard]] Result<std::vector<std::string>> list_directory(FdView dir);

// Removes `name` below `dir` with everything in it, over descriptors only: follows no symlink and does not enter
// another mount (EXDEV). What is gone already is no error.
[[nodiscard]] Status remove_tree_at(FdView dir, CString name);

}  // namespace skiff::kernel
