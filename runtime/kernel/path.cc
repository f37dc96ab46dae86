#include "runtime/kernel/path.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>

#include "runtime/kernel/call.h"
#include "runtime/kernel/walk.h"

namespace skiff::kernel {
namespace {

// A lookup with ".." fails with EAGAIN for any rename on the machine meanwhile; an attacker can keep renaming.
constexpr int most_tries = 128;

int openat2_again(FdView dir, CString path, const open_how &how) {
  for (int tries = 0;; ++tries) {
    const int fd = static_cast<int>(::syscall(SYS_openat2, dir.get(), path.c_str(), &how, sizeof(how)));
    if (fd >= 0 || (errno != EINTR && (errno != EAGAIN || tries >= most_tries))) return fd;
  }
}

// openat2 refuses (EINVAL) a mode where nothing is created.
open_how make_how(int flags, mode_t mode, uint64_t resolve) {
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return {.flags = static_cast<uint64_t>(flags | O_CLOEXEC), .mode = creates ? mode : 0, .resolve = resolve};
}

// The usual case of something missing: its parent is there, and nothing, no dangling link either, has its name. An
// invalid descriptor means that it is another case, or that somebody exchanges it meanwhile: for walk() to sort out.
template <class Make>
Fd make_in_parent(FdView root, CString path, mode_t type, Make make) {
  const std::string_view text = path.view();
  const size_t slash = text.rfind('/');
  std::string name(slash == text.npos ? text : text.substr(slash + 1));
  if (name.empty() || name == "." || name == "..") return {};
  const std::string above(slash == text.npos ? "." : text.substr(0, slash + 1));
  const int flags = O_PATH | O_DIRECTORY;
  const Fd parent(openat2_again(root, above, make_how(flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)));
  if (!parent.valid() || make(parent, name) != 0) return {};
  Fd made(::openat(parent.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!made.valid() || ::fstat(made.get(), &status) != 0 || (status.st_mode & S_IFMT) != type) return {};
  return made;
}

bool openat2_is_missing(int number) { return number == ENOSYS || number == EPERM || number == EAGAIN; }

}  // namespace

Result<Fd> openat2(FdView dir, CString path, int flags, mode_t mode, uint64_t resolve) {
  const int fd = openat2_again(dir, path, make_how(flags, mode, resolve));
  if (fd >= 0) return Fd(fd);
  return call_failed("openat2", {dir, path, Argument::open_flags(flags), Argument::flags(resolve, resolve_flag_names)});
}

Result<Fd> open_in_root(FdView root, CString path, int flags, mode_t mode) {
  Result<Fd> found = openat2(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (found || !openat2_is_missing(found.error().number) || (flags & O_CREAT) != 0) return found;
  return walk_in_root(root, path, flags);
}

Result<Fd> find_in_root(FdView root, CString path, int flags) {
  const int fd = openat2_again(root, path, make_how(flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS));
  if (fd >= 0) return Fd(fd);
  if (errno == ENOENT) return Fd();
  Result<Fd> found = open_in_root(root, path, flags);
  if (!found && found.error().number == ENOENT) return Fd();
  return found;
}

Result<Fd> open_beneath(FdView dir, CString path, int flags, mode_t mode) {
  return openat2(dir, path, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> open_no_symlinks(FdView dir, CString path, int flags, mode_t mode) {
  return openat2(dir, path, flags, mode, RESOLVE_NO_SYMLINKS);
}

Result<Fd> walk_in_root(FdView root, CString path, int flags) { return walk(root, path, {.flags = flags}); }

Result<Fd> make_directory_in_root(FdView root, CString path, mode_t mode) {
  const int flags = O_PATH | O_DIRECTORY;
  if (path.empty()) return open_in_root(root, path, flags);
  Fd found = TRY(find_in_root(root, path, flags));
  if (found.valid()) return found;
  found = make_in_parent(root, path, S_IFDIR,
                         [&](FdView parent, CString name) { return ::mkdirat(parent.get(), name.c_str(), mode); });
  if (found.valid()) return found;
  return walk(root, path, {.flags = flags, .missing = Missing::make_directories, .directory_mode = mode});
}

Result<Fd> make_file_in_root(FdView root, CString path, mode_t mode) {
  if (path.empty()) return open_in_root(root, path, O_PATH);
  Fd found = TRY(find_in_root(root, path, O_PATH));
  if (found.valid()) return found;
  if (path.view().ends_with('/')) return call_failed(EISDIR, "mknodat", {root, path});
  found = make_in_parent(root, path, S_IFREG, [&](FdView parent, CString name) {
    return ::mknodat(parent.get(), name.c_str(), S_IFREG | mode, 0);
  });
  if (found.valid()) return found;
  return walk(root, path, {.flags = O_PATH, .missing = Missing::make_file, .file_mode = mode});
}

Result<Place> make_parent_in_root(FdView root, CString path, mode_t mode) {
  const std::string_view text = path.view();
  const size_t slash = text.rfind('/');
  const std::string_view name = slash == text.npos ? text : text.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return call_failed(EINVAL, "openat", {root, path});
  std::string parent(slash == text.npos ? "." : text.substr(0, slash + 1));
  return Place{.parent = TRY(make_directory_in_root(root, parent, mode)), .name = std::string(name)};
}

Status mkdirat(FdView dir, CString path, mode_t mode) {
  if (::mkdirat(dir.get(), path.c_str(), mode) == 0) return {};
  return call_failed("mkdirat", {dir, path, Argument::octal(mode)});
}

Status make_directory(FdView dir, CString path, mode_t mode) {
  if (::mkdirat(dir.get(), path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return call_failed("mkdirat", {dir, path, Argument::octal(mode)});
}

Status make_parents(const std::string &path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    TRY(make_directory(cwd, path.substr(0, slash), mode));
  }
  return {};
}

std::string find_on_path(const std::string &name) {
  if (name.find('/') != std::string::npos) return name;
  const char *path = ::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path; !rest.empty();) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(directory.size() + 1, rest.size()));
    if (!directory.starts_with('/')) continue;
    std::string candidate = std::string(directory) + "/" + name;
    struct stat found{};
    if (::stat(candidate.c_str(), &found) == 0 && S_ISREG(found.st_mode) && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
  }
  return {};
}

Status mknodat(FdView dir, CString path, mode_t mode, dev_t device) {
  if (::mknodat(dir.get(), path.c_str(), mode, device) == 0) return {};
  return call_failed("mknodat", {dir, path, Argument::octal(mode), device});
}

Status symlinkat(CString target, FdView dir, CString path) {
  if (::symlinkat(target.c_str(), dir.get(), path.c_str()) == 0) return {};
  return call_failed("symlinkat", {target, dir, path});
}

Status unlinkat(FdView dir, CString path, int flags) {
  if (::unlinkat(dir.get(), path.c_str(), flags) == 0) return {};
  return call_failed("unlinkat", {dir, path, Argument::word((flags & AT_REMOVEDIR) != 0 ? "AT_REMOVEDIR" : "0")});
}

Status renameat2(FdView from_dir, CString from, FdView to_dir, CString to, unsigned flags) {
  if (::syscall(SYS_renameat2, from_dir.get(), from.c_str(), to_dir.get(), to.c_str(), flags) == 0) return {};
  return call_failed("renameat2", {from_dir, from, to_dir, to, flags});
}

Status linkat(FdView from_dir, CString from, FdView to_dir, CString to, int flags) {
  if (::linkat(from_dir.get(), from.c_str(), to_dir.get(), to.c_str(), flags) == 0) return {};
  return call_failed("linkat", {from_dir, from, to_dir, to, flags});
}

Result<std::string> readlinkat(FdView dir, CString path) {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlinkat(dir.get(), path.c_str(), target.data(), target.size());
  if (size < 0) return call_failed("readlinkat", {dir, path});
  return std::string(target.data(), static_cast<size_t>(size));
}

Status fchownat(FdView dir, CString path, uid_t uid, gid_t gid, int flags) {
  if (::fchownat(dir.get(), path.c_str(), uid, gid, flags) == 0) return {};
  return call_failed("fchownat", {dir, path, uid, gid});
}

Status fchmodat(FdView dir, CString path, mode_t mode) {
  if (::fchmodat(dir.get(), path.c_str(), mode, 0) == 0) return {};
  return call_failed("fchmodat", {dir, path, Argument::octal(mode)});
}

Status fchmodat_nofollow(FdView dir, CString path, mode_t mode) {
  if (::fchmodat(dir.get(), path.c_str(), mode, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return call_failed("fchmodat", {dir, path, Argument::octal(mode), Argument::word("AT_SYMLINK_NOFOLLOW")});
}

Status fchmod(FdView fd, mode_t mode) {
  if (::fchmod(fd.get(), mode) == 0) return {};
  return call_failed("fchmod", {fd, Argument::octal(mode)});
}

Status faccessat(FdView dir, CString path, int mode, int flags) {
  // glibc emulates flags where faccessat2 (Linux 5.8) is missing.
  if (::faccessat(dir.get(), path.c_str(), mode, flags) == 0) return {};
  return call_failed("faccessat", {dir, path, mode});
}

Result<struct stat> fstatat(FdView dir, CString path, int flags) {
  struct stat status{};
  if (::fstatat(dir.get(), path.c_str(), &status, flags) != 0) return call_failed("fstatat", {dir, path});
  return status;
}

Status utimensat(FdView dir, CString path, const timespec (&times)[2], int flags) {
  if (::utimensat(dir.get(), path.c_str(), times, flags) == 0) return {};
  return call_failed("utimensat", {dir, path});
}

Status futimens(FdView fd, const timespec (&times)[2]) {
  if (::futimens(fd.get(), times) == 0) return {};
  return call_failed("futimens", {fd});
}

Result<std::string> getcwd() {
  std::array<char, PATH_MAX> path;
  const long size = ::syscall(SYS_getcwd, path.data(), path.size());
  if (size < 0) return call_failed("getcwd", {});
  const std::string_view text(path.data(), static_cast<size_t>(size) - 1);
  if (!text.starts_with('/')) return in(text, Result<std::string>(call_failed(ENOENT, "getcwd", {})));
  return std::string(text);
}

}  // namespace skiff::kernel
