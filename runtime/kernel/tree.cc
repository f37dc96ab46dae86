// Reading and removing directories.
#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/call.h"
#include "runtime/kernel/descent.h"
#include "runtime/kernel/path.h"

namespace skiff::kernel {
namespace {

// How often a directory may fill up again while it is removed.
constexpr int most_tries = 16;

// The directory itself, never one that a symlink or a mount puts in its place.
Result<Fd> open_own_directory(FdView dir, CString name) {
  Result<Fd> found = openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  if (found || (found.error().number != ENOSYS && found.error().number != EPERM)) return found;
  Fd opened = TRY(openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (TRY(fstat(opened)).st_dev != TRY(fstat(dir)).st_dev) return call_failed(EXDEV, "openat", {dir, name});
  return opened;
}

// Names that are still to be removed, a list for each directory on the way down.
class Removal {
 public:
  Removal(FdView dir, std::string name) : descent_(dir) { frames_.push_back({.names = {std::move(name)}}); }

  [[nodiscard]] bool ended() const { return frames_.empty(); }
  Status step() { return frames_.back().names.empty() ? leave() : remove_one(); }

 private:
  struct Frame {
    std::vector<std::string> names;
    std::string own = {};  // in the directory above
    int tries = 0;
  };

  Status remove_one() {
    const std::string name = std::move(frames_.back().names.back());
    frames_.back().names.pop_back();
    const Status removed = unlinkat(descent_.here(), name);
    if (removed || removed.error().number == ENOENT) return {};
    // EISDIR is Linux's answer for a directory, EPERM POSIX's and some network filesystems'.
    if (removed.error().number != EISDIR && removed.error().number != EPERM) return removed;
    return enter(name, removed, 0);
  }

  // `refused` is what unlinkat(2) said of it.
  Status enter(const std::string &name, const Status &refused, int tries) {
    Result<Fd> inside = open_own_directory(descent_.here(), name);
    if (!inside && inside.error().number == ENOENT) return {};
    // Not a directory after all: the first answer is the true one.
    if (!inside && inside.error().number == ENOTDIR) return refused;
    if (!inside) return std::unexpected(inside.error());
    frames_.push_back({.names = TRY(list_directory(*inside)), .own = name, .tries = tries});
    return descent_.enter(*std::move(inside));
  }

  Status leave() {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frames_.empty()) return {};
    TRY(descent_.leave());
    const Status gone = unlinkat(descent_.here(), frame.own, AT_REMOVEDIR);
    if (gone || gone.error().number == ENOENT) return {};
    if (gone.error().number != ENOTEMPTY || frame.tries == most_tries) return gone;
    return enter(frame.own, gone, frame.tries + 1);
  }

  Descent descent_;
  std::vector<Frame> frames_;
};

}  // namespace

Result<std::vector<std::string>> list_directory(FdView dir) {
  // Its own descriptor: the read position of the caller's stays, and O_PATH cannot be read.
  const Fd readable = TRY(openat(dir, ".", O_RDONLY | O_DIRECTORY));
  std::vector<std::string> names;
  alignas(dirent64) std::array<char, 8192> buffer;
  for (;;) {
    const long size = ::syscall(SYS_getdents64, readable.get(), buffer.data(), buffer.size());
    if (size < 0) return call_failed("getdents64", {dir});
    if (size == 0) return names;
    for (long at = 0; at < size;) {
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the kernel lays out dirent64 records.
      const auto *entry = reinterpret_cast<const dirent64 *>(buffer.data() + at);
      const std::string_view name(static_cast<const char *>(entry->d_name));
      if (name != "." && name != "..") names.emplace_back(name);
      at += entry->d_reclen;
    }
  }
}

Status remove_tree_at(FdView dir, CString name) {
  Removal removal(dir, name.c_str());
  while (!removal.ended()) TRY(removal.step());
  return {};
}

}  // namespace skiff::kernel
