#include "runtime/kernel/descent.h"

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// So few trees are deeper that their walks cost no call more.
constexpr std::size_t most_open = 64;

}  // namespace

Status Descent::enter(Fd inside) {
  if (levels_.size() >= most_open) {
    Level &far = levels_[levels_.size() - most_open];
    // Known only from here on: nobody needs it before.
    const struct stat status = TRY(fstat(far.fd));
    far = {.fd = {}, .device = status.st_dev, .inode = status.st_ino};
  }
  levels_.push_back({.fd = std::move(inside)});
  return {};
}

Status Descent::leave() {
  const Fd below = std::move(levels_.back().fd);
  levels_.pop_back();
  if (levels_.empty() || levels_.back().fd.valid()) return {};
  Fd above = TRY(openat(below, "..", O_RDONLY | O_DIRECTORY));
  const struct stat status = TRY(fstat(above));
  Level &level = levels_.back();
  if (status.st_dev != level.device || status.st_ino != level.inode)
    return call_failed(ESTALE, "openat", {below, CString("..")});
  level.fd = std::move(above);
  return {};
}

}  // namespace skiff::kernel
