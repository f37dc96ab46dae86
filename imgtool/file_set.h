// Files of a tree that are to stand in an image, each with the symlinks and directories that lead to it, and why.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::image {

struct ChosenFile {
  struct stat status{};  // type, mode, owner, size, mtime
  std::string link;      // of a symlink
  std::string source;    // where its content is, in the tree; empty: `content`
  std::string content;
  std::string why;
};

class FileSet {
 public:
  // `root` outlives the set.
  explicit FileSet(kernel::FdView root) : root_(root) {}

  // The file, directory or symlink at `path` of the tree, the links and directories on the way to it, and what a
  // symlink leads to. Returns the path without symlinks. ENOENT, ELOOP.
  [[nodiscard]] Result<std::string> add(const std::string &path, std::string_view why);
  // All that is below a directory, too. Returns the regular files, for who looks into them.
  [[nodiscard]] Result<std::vector<std::string>> add_tree(const std::string &path, std::string_view why);
  // A file of the tree under another path in the image.
  [[nodiscard]] Status add_as(const std::string &source, const std::string &path, std::string_view why);
  // Files and directories that the tree does not have. Those that are there already stay.
  void add_text(const std::string &path, std::string content, std::string_view why);
  void add_directory(const std::string &path, mode_t mode, std::string_view why);

  // By path, each absolute and without a '/' at its end; directories stand in front of what is in them.
  [[nodiscard]] const std::map<std::string, ChosenFile> &files() const { return files_; }

 private:
  struct Walk;
  [[nodiscard]] Status add_below(kernel::FdView directory, const std::string &path, std::string_view why, int depth,
                                 std::vector<std::string> &regular);
  [[nodiscard]] Status enter(Walk &walk, std::string_view why);
  void add_parents(const std::string &path, std::string_view why);

  kernel::FdView root_;
  std::map<std::string, ChosenFile> files_;
};

}  // namespace skiff::image
