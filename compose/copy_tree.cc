#include "compose/copy_tree.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "runtime/kernel/path.h"
#include "runtime/kernel/xattr.h"

namespace skiff::compose {
namespace {

class Copy {
 public:
  explicit Copy(kernel::FdView to) : top_(to) {}

  // `path` is where `to` stands below the top: "" or "a/b/".
  Status directory(kernel::FdView from, kernel::FdView to, const std::string &path);

 private:
  Status entry(kernel::FdView from, kernel::FdView to, const std::string &name, const std::string &path);
  static Status file(kernel::FdView from, kernel::FdView to, const std::string &name);
  Result<bool> link(kernel::FdView to, const std::string &name, const struct stat &about, const std::string &path);
  static Status other(kernel::FdView from, kernel::FdView to, const std::string &name, const struct stat &about);

  kernel::FdView top_;
  std::map<std::pair<dev_t, ino_t>, std::string> linked_;  // where a file with several names has gone
};

Status copy_attributes(kernel::FdView from, kernel::FdView to) {
  for (const std::string &name : TRY(kernel::flistxattr(from))) {
    const std::optional<std::string> value = TRY(kernel::fgetxattr(from, name));
    if (!value) continue;
    const Status set = kernel::fsetxattr(to, name, *value);
    // The volume's file system may know less than the image's.
    if (!set && set.error().number != EOPNOTSUPP) return set;
  }
  return {};
}

// The owner first: changing it takes set-user-id bits and capabilities away.
Status copy_metadata(kernel::FdView from, kernel::FdView to, const struct stat &about) {
  TRY(kernel::fchownat(to, "", about.st_uid, about.st_gid, AT_EMPTY_PATH));
  TRY(kernel::fchmod(to, about.st_mode & 07777U));
  TRY(copy_attributes(from, to));
  const timespec times[2] = {about.st_atim, about.st_mtim};
  return kernel::futimens(to, times);
}

Status Copy::directory(kernel::FdView from, kernel::FdView to, const std::string &path) {
  const struct stat about = TRY(kernel::fstat(from));
  for (const std::string &name : TRY(kernel::list_directory(from))) {
    TRY(in(path + name, entry(from, to, name, path)));
  }
  return copy_metadata(from, to, about);
}

Status Copy::entry(kernel::FdView from, kernel::FdView to, const std::string &name, const std::string &path) {
  const struct stat about = TRY(kernel::fstatat(from, name, AT_SYMLINK_NOFOLLOW));
  if (about.st_dev != TRY(kernel::fstat(from)).st_dev) return {};
  if (TRY(link(to, name, about, path))) return {};
  if (S_ISREG(about.st_mode)) return file(from, to, name);
  if (!S_ISDIR(about.st_mode)) return other(from, to, name, about);
  const kernel::Fd source = TRY(kernel::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(kernel::mkdirat(to, name, 0700));
  const kernel::Fd made = TRY(kernel::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return directory(source, made, path + name + "/");
}

Result<bool> Copy::link(kernel::FdView to, const std::string &name, const struct stat &about, const std::string &path) {
  if (S_ISDIR(about.st_mode) || about.st_nlink < 2) return false;
  const auto [place, first] = linked_.try_emplace({about.st_dev, about.st_ino}, path + name);
  if (first) return false;
  TRY(kernel::linkat(top_, place->second, to, name));
  return true;
}

Status Copy::file(kernel::FdView from, kernel::FdView to, const std::string &name) {
  // What was a file a moment ago may be a FIFO now, whose open would wait.
  const kernel::Fd source = TRY(kernel::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat about = TRY(kernel::fstat(source));
  if (!S_ISREG(about.st_mode)) return fail(ESTALE, "it is no file any more");
  const kernel::Fd made = TRY(kernel::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(kernel::sendfile_all(made, source));
  return copy_metadata(source, made, about);
}

Status Copy::other(kernel::FdView from, kernel::FdView to, const std::string &name, const struct stat &about) {
  if (S_ISLNK(about.st_mode)) {
    TRY(kernel::symlinkat(TRY(kernel::readlinkat(from, name)), to, name));
  } else {
    TRY(kernel::mknodat(to, name, about.st_mode, about.st_rdev));
    TRY(kernel::fchmodat_nofollow(to, name, about.st_mode & 07777U));
  }
  TRY(kernel::fchownat(to, name, about.st_uid, about.st_gid, AT_SYMLINK_NOFOLLOW));
  const timespec times[2] = {about.st_atim, about.st_mtim};
  return kernel::utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

Status copy_tree(kernel::FdView from, kernel::FdView to) { return Copy(to).directory(from, to, ""); }

}  // namespace skiff::compose
