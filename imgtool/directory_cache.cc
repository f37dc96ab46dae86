#include "imgtool/directory_cache.h"

#include <sys/sysmacros.h>

#include "runtime/kernel/xattr.h"

namespace skiff::image {
namespace {

// Archives go through a tree in depth, so that few are in use; the limit of open files is often 1024.
constexpr std::size_t most_open = 64;
// How often something may appear again where it was just removed.
constexpr int most_tries = 16;
constexpr int open_flags = O_RDONLY | O_DIRECTORY;
constexpr mode_t implicit_mode = 0755;
// A name of 4 KiB stands for two thousand of them: this bounds the inodes and the memory of a hostile layer.
constexpr std::size_t most_implicit = 65536;

}  // namespace

SplitPath split_path(std::string_view clean) {
  const std::size_t slash = clean.rfind('/');
  if (slash == clean.npos) return {.parent = {}, .name = clean};
  return {.parent = clean.substr(0, slash), .name = clean.substr(slash + 1)};
}

bool is_overlay_whiteout(const struct stat &status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

Status DirectoryCache::close_one(const OpenDirectory &directory) const {
  return restore_mtime(directory.fd, directory.key);
}

Status DirectoryCache::restore_mtime(kernel::FdView directory, const InodeKey &key) const {
  const auto wanted = mtimes_.find(key);
  if (wanted == mtimes_.end()) return {};
  return kernel::futimens(directory, {wanted->second, wanted->second});
}

Status DirectoryCache::forget_all() {
  by_path_.clear();
  Status first;
  for (const Pointer &directory : order_) {
    Status done = close_one(*directory);
    if (!done && first) first = std::move(done);
  }
  order_.clear();
  return first;
}

Result<DirectoryCache::Pointer> DirectoryCache::hold(std::string_view path, kernel::Fd directory) {
  const struct stat status = TRY(kernel::fstat(directory));
  auto held = std::make_shared<OpenDirectory>();
  held->path = path;
  held->key = key_of(status);
  held->passes_group = (status.st_mode & S_ISGID) != 0;
  held->passes_acl = TRY(kernel::fgetxattr(directory, "system.posix_acl_default")).has_value();
  held->fd = std::move(directory);
  // The first look at it, before the layer changes it.
  if (times_ == Times::restore) mtimes_.try_emplace(held->key, status.st_mtim);
  if (order_.size() >= most_open) {
    TRY(close_one(*order_.back()));
    by_path_.erase(order_.back()->path);
    order_.pop_back();
  }
  order_.push_front(held);
  by_path_[held->path] = order_.begin();
  return held;
}

Result<kernel::Fd> DirectoryCache::look_up(const std::string &path) const {
  if (links_ == Links::follow) return kernel::find_in_root(root_, path, open_flags);
  Result<kernel::Fd> found = kernel::openat2(root_, path, open_flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (!found && found.error().number == ENOENT) return kernel::Fd();
  return remedy("a symbolic link stands where a directory has to be", std::move(found));
}

Result<DirectoryCache::Pointer> DirectoryCache::find(std::string_view path) {
  if (!order_.empty() && order_.front()->path == path) return order_.front();
  const auto known = by_path_.find(path);
  if (known != by_path_.end()) {
    order_.splice(order_.begin(), order_, known->second);
    return order_.front();
  }
  if (path.empty()) return hold(path, TRY(kernel::openat(root_, ".", open_flags)));
  Result<kernel::Fd> found = look_up(std::string(path));
  if (!found && found.error().number == ENOTDIR) return nullptr;
  if (!found) return std::unexpected(std::move(found).error());
  if (!found->valid()) return nullptr;
  return hold(path, std::move(*found));
}

Result<DirectoryCache::Pointer> DirectoryCache::open(std::string_view path, const ImplicitDirectory &implicit) {
  Pointer found = TRY(find(path));
  if (found) return found;
  // The nearest directory that is there, then one after the other below it.
  std::size_t end = path.size();
  while (!found) {
    end = path.rfind('/', end - 1);
    if (end == path.npos) end = 0;
    found = TRY(find(path.substr(0, end)));
  }
  while (end < path.size()) {
    end = std::min(path.find('/', end + 1), path.size());
    found = TRY(make(found, path.substr(0, end), implicit));
  }
  return found;
}

Result<DirectoryCache::Pointer> DirectoryCache::make(const Pointer &above, std::string_view path,
                                                     const ImplicitDirectory &implicit) {
  const std::string name(split_path(path).name);
  bool opaque = false;
  for (int tries = 0;; ++tries) {
    const Status made = kernel::mkdirat(above->fd, name, implicit_mode);
    if (made) break;
    if (made.error().number != EEXIST || tries == most_tries) return std::unexpected(made.error());
    const struct stat status = TRY(kernel::fstatat(above->fd, name, AT_SYMLINK_NOFOLLOW));
    if (S_ISLNK(status.st_mode)) {
      // It dangles: images have /var/run -> /run and no /run. Its target is made, inside the root.
      Result<kernel::Fd> target = kernel::make_directory_in_root(root_, std::string(path), implicit_mode);
      if (target) return put(path, TRY(kernel::open_in_root(root_, std::string(path), open_flags)), implicit.mtime);
      if (target.error().number != ENOTDIR) return std::unexpected(std::move(target).error());
    } else if (S_ISDIR(status.st_mode)) {
      return hold(path, TRY(kernel::openat(above->fd, name, open_flags | O_NOFOLLOW)));
    }
    opaque = opaque || (!opaque_xattr_.empty() && is_overlay_whiteout(status));
    TRY(kernel::unlinkat(above->fd, name));
  }
  kernel::Fd directory = TRY(kernel::openat(above->fd, name, open_flags | O_NOFOLLOW));
  if (implicit.chown) TRY(kernel::fchownat(directory, "", implicit.uid, implicit.gid, AT_EMPTY_PATH));
  TRY(kernel::fchmod(directory, implicit_mode));
  if (opaque) TRY(kernel::fsetxattr(directory, opaque_xattr_, "y"));
  Pointer held = TRY(put(path, std::move(directory), implicit.mtime));
  if (implicit_paths_.size() == most_implicit) {
    return fail(EFBIG, "more than 65536 directories that no entry describes", "make the layer with its directories");
  }
  implicit_paths_.emplace(path);
  return held;
}

Result<DirectoryCache::Pointer> DirectoryCache::put(std::string_view path, kernel::Fd directory,
                                                    const timespec &mtime) {
  const auto known = by_path_.find(path);
  if (known != by_path_.end()) {
    const Order::iterator old = known->second;
    by_path_.erase(known);
    order_.erase(old);
  }
  if (!implicit_paths_.empty()) {
    const auto described = implicit_paths_.find(path);
    if (described != implicit_paths_.end()) implicit_paths_.erase(described);
  }
  Pointer held = TRY(hold(path, std::move(directory)));
  mtimes_[held->key] = mtime;
  of_layer_.insert(held->key);
  return held;
}

}  // namespace skiff::image
