// The files below a directory, or one file, and what changes among them: inotify(7), which watches one directory at a
// time, made to watch a tree.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

class TreeWatch {
 public:
  // Whether nothing below a directory is of interest: it takes no watch then. Paths are absolute.
  using Skip = std::function<bool(const std::string &directory)>;
  // ENOENT where `path` is not there; ENOSPC and EMFILE tell which limit to raise.
  [[nodiscard]] static Result<TreeWatch> open(const std::string &path, Skip skip);

  // Readable when something may have changed.
  [[nodiscard]] const kernel::Fd &fd() const { return notices_; }
  // Every file that is another one since the last time, is new, or is gone, and every directory that is gone, but for
  // the tree itself. What the kernel had no room to tell is found by looking at the whole tree.
  [[nodiscard]] Result<std::set<std::string>> read_changes();
  // All that are there.
  [[nodiscard]] std::set<std::string> files() const;
  [[nodiscard]] bool has(const std::string &file) const { return known_.contains(file); }

 private:
  struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    mode_t mode = 0;
    timespec changed{};
    bool operator==(const Stamp &other) const;
  };

  explicit TreeWatch(std::string path, Skip skip) : path_(std::move(path)), skip_(std::move(skip)) {}
  [[nodiscard]] Status watch(const std::string &directory);
  [[nodiscard]] Status look_at(const std::string &path, std::set<std::string> &changes);
  [[nodiscard]] Status look_into(const std::string &directory, std::set<std::string> &changes);
  [[nodiscard]] Status look_at_all(std::set<std::string> &changes);
  [[nodiscard]] Result<std::set<std::string>> read_notices(bool &overflow);
  void forget_below(const std::string &path, std::set<std::string> &changes);

  std::string path_;
  Skip skip_;
  kernel::Fd notices_;
  std::map<int, std::string> watched_;  // directories by watch descriptor
  std::set<std::string> directories_;
  std::map<std::string, Stamp> known_;
};

}  // namespace skiff::compose
