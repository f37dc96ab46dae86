#include "imgtool/tree_removal.h"

#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

Status open_up(kernel::FdView parent, const std::string &name) {
  const Result<struct stat> status = kernel::fstatat(parent, name, AT_SYMLINK_NOFOLLOW);
  if (!status && status.error().number == ENOENT) return {};
  if (!S_ISDIR(TRY(Result<struct stat>(status)).st_mode)) return {};
  if ((status->st_mode & 0700U) != 0700U) TRY(kernel::fchmodat(parent, name, 0700));
  const kernel::Fd directory = TRY(kernel::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  for (const std::string &each : TRY(kernel::list_directory(directory))) TRY(open_up(directory, each));
  return {};
}

}  // namespace

Status remove_tree(kernel::FdView directory, const std::string &name) {
  Status removed = kernel::remove_tree_at(directory, name);
  if (removed || removed.error().number != EACCES) return removed;
  TRY(open_up(directory, name));
  return kernel::remove_tree_at(directory, name);
}

}  // namespace skiff::image
