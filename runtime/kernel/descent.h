// The way down a tree, for walks that any depth is put before: the limit of open files is often 1024, and a tree may be
// as deep as its maker likes.
#pragma once

#include <sys/stat.h>

#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// Of the directories above, only the nearest stay open. One that was closed is opened again by ".." of the one below
// it, and has to be the one that it was: a tree that is moved meanwhile leads nowhere else.
class Descent {
 public:
  // `top` must outlive it.
  explicit Descent(FdView top) : top_(top) {}

  [[nodiscard]] FdView here() const { return levels_.empty() ? top_ : FdView(levels_.back().fd); }
  // Into a directory that was opened below here(), readable.
  [[nodiscard]] Status enter(Fd inside);
  // Back to the one above. ESTALE where that is another directory now.
  [[nodiscard]] Status leave();

 private:
  struct Level {
    Fd fd;  // none where it was closed
    dev_t device = 0;
    ino_t inode = 0;
  };
  FdView top_;
  std::vector<Level> levels_;
};

}  // namespace skiff::kernel
