// A directory of the test's own, removed with everything in it.
#pragma once

#include <stdlib.h>

#include <string>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"

namespace skiff {

class TemporaryDirectory {
 public:
  TemporaryDirectory() { path_ = ::mkdtemp(path_.data()); }
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  ~TemporaryDirectory() { (void)kernel::remove_tree_at(kernel::cwd, path_); }

  [[nodiscard]] const std::string &path() const { return path_; }

 private:
  std::string path_ = "/tmp/skiff-test-XXXXXX";
};

}  // namespace skiff
