#include "imgtool/tree_removal.h"

#include "imgtool/tree_walk.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

Status open_up(kernel::FdView parent, const std::string &name) {
  return walk_tree(
      parent, name,
      {.visit = [](kernel::FdView directory, const std::string &, const TreeChild &child) -> Result<TreeStep> {
        if (!S_ISDIR(child.status.st_mode)) return TreeStep::skip;
        if ((child.status.st_mode & 0700U) != 0700U) TRY(kernel::fchmodat(directory, child.name, 0700));
        return TreeStep::enter;
      }});
}

}  // namespace

Status remove_tree(kernel::FdView directory, const std::string &name) {
  Status removed = kernel::remove_tree_at(directory, name);
  if (removed || removed.error().number != EACCES) return removed;
  TRY(open_up(directory, name));
  return kernel::remove_tree_at(directory, name);
}

}  // namespace skiff::image
