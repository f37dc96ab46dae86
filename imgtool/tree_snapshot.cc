#include "imgtool/tree_snapshot.h"

#include <fmt/format.h>

#include <optional>
#include <tuple>
#include <utility>

#include "imgtool/tree_entry.h"
#include "runtime/kernel/path.h"

namespace skiff::image {
namespace {

constexpr int deepest = 1024;

TreeSnapshot::Inode inode_of(const struct stat &status) {
  return {.number = status.st_ino,
          .mode = status.st_mode,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .device = status.st_rdev,
          .size = status.st_size,
          .links = status.st_nlink,
          .mtime = status.st_mtim,
          .ctime = status.st_ctim};
}

Status add_below(TreeSnapshot &snapshot, kernel::FdView directory, const std::string &path, dev_t device, int depth) {
  if (depth > deepest) return fail(ELOOP, fmt::format("{}: deeper than {} directories", path, deepest));
  for (const std::string &name : TRY(in(path, kernel::list_directory(directory)))) {
    const std::string inner = path.empty() ? name : fmt::format("{}/{}", path, name);
    const struct stat status = TRY(in(inner, kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW)));
    if (status.st_dev != device) continue;
    snapshot.files.emplace(inner, inode_of(status));
    if (!S_ISDIR(status.st_mode)) continue;
    const kernel::Fd child = TRY(in(inner, kernel::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
    TRY(add_below(snapshot, child, inner, device, depth + 1));
  }
  return {};
}

bool same_time(const timespec &a, const timespec &b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

bool is_same(const TreeSnapshot::Inode &a, const TreeSnapshot::Inode &b) {
  return a.number == b.number && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.device == b.device &&
         (S_ISDIR(a.mode) || a.size == b.size) && same_time(a.mtime, b.mtime) && same_time(a.ctime, b.ctime);
}

bool is_below(const std::string &path, const std::set<std::string> &roots) {
  if (roots.empty()) return false;
  if (roots.contains(path)) return true;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (roots.contains(path.substr(0, slash))) return true;
  }
  return false;
}

std::string parent_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string whiteout_of(const std::string &path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".wh." + path;
  return fmt::format("{}/.wh.{}", path.substr(0, slash), path.substr(slash + 1));
}

}  // namespace

Result<TreeSnapshot> take_snapshot(kernel::FdView root) {
  TreeSnapshot snapshot;
  const kernel::Fd directory = TRY(kernel::openat(root, ".", O_RDONLY | O_DIRECTORY));
  const struct stat status = TRY(kernel::fstat(directory));
  snapshot.files.emplace("", inode_of(status));
  TRY(add_below(snapshot, directory, "", status.st_dev, 0));
  return snapshot;
}

TreeChange compare_snapshots(const TreeSnapshot &before, const TreeSnapshot &after,
                             const std::set<std::string> &left_out) {
  TreeChange change;
  for (const auto &[path, inode] : after.files) {
    // The root has no name in a layer that every program reads alike; its attributes are the base's.
    if (path.empty() || is_below(path, left_out)) continue;
    const auto old = before.files.find(path);
    if (old == before.files.end() || !is_same(old->second, inode)) change.changed.push_back(path);
  }
  for (const auto &[path, inode] : before.files) {
    if (after.files.contains(path) || is_below(path, left_out)) continue;
    const auto parent = after.files.find(parent_of(path));
    // Gone with its directory, or with what has its place now.
    if (parent != after.files.end() && S_ISDIR(parent->second.mode)) change.removed.push_back(path);
  }
  return change;
}

Status write_change(LayerWriter &layer, kernel::FdView root, const TreeChange &change, const TreeSnapshot &after,
                    std::optional<std::int64_t> newest) {
  for (const std::string &path : change.removed) {
    TarEntry whiteout;
    whiteout.name = whiteout_of(path);
    whiteout.mtime.tv_sec = newest.value_or(0);
    TRY(layer.add(whiteout));
  }
  std::map<std::uint64_t, std::string> first_names;
  for (const std::string &path : change.changed) {
    const TreeSnapshot::Inode &inode = after.files.at(path);
    std::optional<TreeEntry> found = TRY(read_tree_entry(root, path, newest));
    if (!found) continue;
    if (inode.links > 1 && !S_ISDIR(inode.mode)) {
      const auto [first, is_new] = first_names.emplace(inode.number, path);
      if (!is_new) {
        found->entry.type = EntryType::hard_link;
        found->entry.link = first->second;
        found->entry.size = 0;
        found->entry.xattrs.clear();
      }
    }
    TRY(layer.add(found->entry, read_file(found->file)));
  }
  return {};
}

}  // namespace skiff::image
