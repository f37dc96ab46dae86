// Depth first through a tree, in the order of the names' bytes, whatever its depth: few descriptors are held, and no
// call of ours for each level. No symlink is followed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"
#include "spec/error.h"

namespace skiff::image {

struct TreeChild {
  std::string name;
  struct stat status{};
};

enum class TreeStep : std::uint8_t {
  skip,   // it is of no interest
  stay,   // `done` follows at once
  enter,  // what is below it comes first; only for directories
};

// `path` is the directory's, "" the one where the walk began; a child's is join_names(path, child.name). All but
// `visit` may be none. The first error ends the walk.
struct TreeSteps {
  using Visit = std::function<Result<TreeStep>(kernel::FdView directory, const std::string &path, const TreeChild &)>;
  using Done = std::function<Status(kernel::FdView directory, const std::string &path, const TreeChild &)>;

  std::function<Status(kernel::FdView directory, const std::string &path, const std::vector<TreeChild> &)> begin = {};
  Visit visit;
  Done done = {};
  // All children of a directory are done.
  std::function<Status(kernel::FdView directory, const std::string &path)> end = {};
  // Others work in the tree meanwhile: a directory that is gone when it is to be entered is `done`.
  bool may_vanish = false;
};
[[nodiscard]] Status walk_tree(kernel::FdView top, const TreeSteps &steps);
// Of the top's children this one alone, if it is there; `begin` and `end` are not called for the top.
[[nodiscard]] Status walk_tree(kernel::FdView top, const std::string &child, const TreeSteps &steps);

// What another program says of a name by an error: it was removed, or it is something else by now.
[[nodiscard]] bool is_gone(const Error &error);

[[nodiscard]] std::string join_names(const std::string &directory, const std::string &name);
// ENAMETOOLONG for what no program could open by its path from the tree's root.
[[nodiscard]] Status check_path_length(const std::string &path);

}  // namespace skiff::image
