#include "runtime/copy_up.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <string>
#include <vector>

#include "runtime/kernel/call.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

constexpr std::size_t max_attribute = 65536;  // XATTR_SIZE_MAX and XATTR_LIST_MAX

Result<std::string> list_attributes(kernel::FdView file) {
  std::string names(max_attribute, '\0');
  const ssize_t length = flistxattr(file.get(), names.data(), names.size());
  if (length < 0 && errno == ENOTSUP) return std::string();
  if (length < 0) return kernel::call_failed("flistxattr", {file});
  names.resize(static_cast<std::size_t>(length));
  return names;
}

Status copy_attribute(kernel::FdView from, kernel::FdView to, const char *name) {
  std::string value(max_attribute, '\0');
  const ssize_t length = fgetxattr(from.get(), name, value.data(), value.size());
  if (length < 0 && (errno == ENODATA || errno == ENOTSUP)) return {};
  if (length < 0) return kernel::call_failed("fgetxattr", {from, kernel::CString(name)});
  if (fsetxattr(to.get(), name, value.data(), static_cast<std::size_t>(length), 0) == 0) return {};
  // tmpfs has user.* since Linux 6.6, and security.* and trusted.* are not for root of a user namespace.
  if (errno == ENOTSUP || errno == EPERM) return {};
  return kernel::call_failed("fsetxattr", {to, kernel::CString(name)});
}

Status copy_attributes(kernel::FdView from, kernel::FdView to) {
  const std::string names = TRY(list_attributes(from));
  for (std::size_t at = 0; at < names.size(); at += names.find('\0', at) - at + 1) {
    TRY(copy_attribute(from, to, names.c_str() + at));
  }
  return {};
}

// An owner that the user namespace does not map shows as the overflow id, which cannot be given: it stays root's.
Status copy_owner(const struct stat &from, kernel::FdView dir, kernel::CString name, int flags) {
  auto changed = kernel::fchownat(dir, name, from.st_uid, from.st_gid, flags);
  constexpr uid_t overflow_id = 65534;
  const bool unmapped = from.st_uid == overflow_id || from.st_gid == overflow_id;
  if (!changed && unmapped && (changed.error().number == EINVAL || changed.error().number == EPERM)) return {};
  return changed;
}

// Owner before mode, which a change of owner would strip of its set-user-ID bit; times last.
Status copy_metadata(kernel::FdView from, const struct stat &status, kernel::FdView to) {
  TRY(copy_owner(status, to, "", AT_EMPTY_PATH));
  TRY(kernel::fchmod(to, status.st_mode & 07777));
  return copy_attributes(from, to);
}

Status copy_times(const struct stat &status, kernel::FdView dir, kernel::CString name) {
  const timespec times[2] = {status.st_atim, status.st_mtim};
  return kernel::utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

Status copy_file(kernel::FdView from, kernel::FdView to, const std::string &name, const struct stat &status) {
  // A fifo in its place now would block the open; the type is asked again of what was opened.
  const auto source = TRY(kernel::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (!S_ISREG(TRY(kernel::fstat(source)).st_mode)) return fail(ESTALE, "the file was exchanged while it was copied");
  const auto copy = TRY(kernel::openat(to, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(kernel::sendfile_all(copy, source));
  TRY(copy_metadata(source, status, copy));
  return {};
}

Status copy_directory(kernel::FdView from, kernel::FdView to, dev_t device);

Status copy_subdirectory(kernel::FdView from, kernel::FdView to, const std::string &name, const struct stat &status) {
  const auto source = TRY(kernel::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(kernel::mkdirat(to, name, 0700));
  const auto copy = TRY(kernel::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(copy_directory(source, copy, status.st_dev));
  return copy_metadata(source, status, copy);
}

Status copy_link(kernel::FdView from, kernel::FdView to, const std::string &name, const struct stat &status) {
  const std::string text = TRY(kernel::readlinkat(from, name));
  TRY(kernel::symlinkat(text, to, name));
  return copy_owner(status, to, name, AT_SYMLINK_NOFOLLOW);
}

Status copy_special(kernel::FdView to, const std::string &name, const struct stat &status) {
  auto made = kernel::mknodat(to, name, (status.st_mode & S_IFMT) | 0600, status.st_rdev);
  // No device can be made in a user namespace, and none could be used that was.
  const bool device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
  if (!made && device && made.error().number == EPERM) return {};
  TRY(std::move(made));
  TRY(copy_owner(status, to, name, AT_SYMLINK_NOFOLLOW));
  TRY(kernel::fchmodat(to, name, status.st_mode & 07777));
  return copy_times(status, to, name);
}

Status copy_entry(kernel::FdView from, kernel::FdView to, const std::string &name, dev_t device) {
  const auto status = TRY(kernel::fstatat(from, name, AT_SYMLINK_NOFOLLOW));
  if (status.st_dev != device) return {};  // another mount shows its own contents when it is bound itself
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      TRY(copy_file(from, to, name, status));
      break;
    case S_IFDIR:
      TRY(copy_subdirectory(from, to, name, status));
      break;
    case S_IFLNK:
      TRY(copy_link(from, to, name, status));
      break;
    default:
      return copy_special(to, name, status);
  }
  return copy_times(status, to, name);
}

Status copy_directory(kernel::FdView from, kernel::FdView to, dev_t device) {
  for (const std::string &name : TRY(kernel::list_directory(from))) {
    TRY(in(name, copy_entry(from, to, name, device)));
  }
  return {};
}

}  // namespace

Status copy_up(kernel::FdView from, kernel::FdView to) {
  const auto source = TRY(kernel::openat(from, ".", O_RDONLY | O_DIRECTORY));
  const auto copy = TRY(kernel::openat(to, ".", O_RDONLY | O_DIRECTORY));
  const auto status = TRY(kernel::fstat(source));
  TRY(copy_directory(source, copy, status.st_dev));
  TRY(copy_attributes(source, copy));
  TRY(copy_owner(status, copy, "", AT_EMPTY_PATH));
  return copy_times(status, copy, ".");
}

}  // namespace skiff
