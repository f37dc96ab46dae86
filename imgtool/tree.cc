#include "imgtool/tree.h"

#include <linux/magic.h>

#include <algorithm>
#include <array>

#include "imgtool/directory_cache.h"
#include "imgtool/tree_walk.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/xattr.h"

namespace skiff::image {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

// Not entered: another filesystem, which is no part of the tree.
bool is_inner_directory(const struct stat &status, dev_t device) {
  return S_ISDIR(status.st_mode) && status.st_dev == device;
}

// Files without a size, that are no files.
bool is_kernels_own(long type) {
  constexpr std::array<long, 11> types = {
      PROC_SUPER_MAGIC,          SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC,
      SECURITYFS_MAGIC,          DEBUGFS_MAGIC, TRACEFS_MAGIC,      BPF_FS_MAGIC,        NSFS_MAGIC,
      kernel::mqueue_super_magic};
  return std::ranges::find(types, type) != types.end();
}

RecordedInode recorded(const struct stat &status) {
  return {.inode = status.st_ino,
          .mode = status.st_mode,
          .uid = status.st_uid,
          .gid = status.st_gid,
          .device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode) ? status.st_rdev : 0,
          .size = S_ISDIR(status.st_mode) ? 0 : static_cast<std::uint64_t>(status.st_size),
          .mtime = status.st_mtim,
          .ctime = status.st_ctim};
}

bool same_time(const timespec &a, const timespec &b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

bool same_attributes(const RecordedInode &a, const RecordedInode &b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.device == b.device && a.size == b.size &&
         same_time(a.mtime, b.mtime);
}

// The three lists differ in what they take of a directory's children.
class Lister {
 public:
  enum class Want : std::uint8_t { all, changed, upper };
  Lister(Want want, dev_t device) : want_(want), device_(device) {}

  Status compare_with(const TreeRecord &before, const struct stat &root) {
    before_ = &before;
    const auto top = before.directories.find("");
    if (top == before.directories.end() || !top->second.contains("")) return fail("the record has no root");
    copied_ = top->second.at("").inode != root.st_ino;
    return {};
  }
  // Whatever is mounted in the tree is a part of it.
  void enter_mounts() { enters_mounts_ = true; }
  void set_upper(std::string opaque_xattr, std::string prefix) {
    opaque_xattr_ = std::move(opaque_xattr);
    prefix_ = std::move(prefix);
  }

  Status list(kernel::FdView top) { return walk_tree(top, steps()); }
  Status list(kernel::FdView directory, const std::string &name) { return walk_tree(directory, name, steps()); }

  std::vector<LayerChange> changes_;

 private:
  TreeSteps steps() {
    return {
        .begin = [this](auto directory, const auto &path,
                        const auto &children) { return begin(directory, path, children); },
        .visit = [this](auto directory, const auto &path, const auto &child) { return visit(directory, path, child); },
        .done = [this](auto directory, const auto &path, const auto &child) { return done(directory, path, child); },
        .may_vanish = enters_mounts_};
  }

  Status begin(kernel::FdView directory, const std::string &path, const std::vector<TreeChild> &children) {
    if (want_ == Want::changed) list_removed(children, path);
    if (want_ == Want::upper) TRY(list_opaque(directory, path));
    for (const TreeChild &child : children) {
      if (want_ == Want::upper && is_overlay_whiteout(child.status)) {
        changes_.push_back({.path = join_names(path, child.name), .kind = LayerChange::Kind::whiteout});
      }
    }
    return {};
  }

  Result<TreeStep> visit(kernel::FdView directory, const std::string &parent, const TreeChild &child) {
    if (S_ISSOCK(child.status.st_mode) || (want_ == Want::upper && is_overlay_whiteout(child.status))) {
      return TreeStep::skip;
    }
    std::string path = join_names(parent, child.name);
    TRY(check_path_length(path));
    changes_.push_back({.path = std::move(path)});
    begun_.push_back(changes_.size());
    return TRY(is_part(directory, child)) ? TreeStep::enter : TreeStep::stay;
  }

  // A directory that is to be entered.
  [[nodiscard]] Result<bool> is_part(kernel::FdView directory, const TreeChild &child) const {
    if (!enters_mounts_ || child.status.st_dev == device_) return is_inner_directory(child.status, device_);
    if (!S_ISDIR(child.status.st_mode)) return false;
    const Result<kernel::Fd> inside = kernel::openat(directory, child.name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    return inside && !is_kernels_own(TRY(kernel::fstatfs(*inside)).f_type);
  }

  Status done(kernel::FdView directory, const std::string &parent, const TreeChild &child) {
    const bool nothing_below = begun_.back() == changes_.size();
    begun_.pop_back();
    if (want_ == Want::upper) TRY(check_whole(directory, child, join_names(parent, child.name)));
    if (want_ == Want::changed && nothing_below && !is_changed(parent, child)) changes_.pop_back();
    return {};
  }

  const std::map<std::string, RecordedInode> *names_in(const std::string &path) const {
    const auto found = before_->directories.find(path);
    return found == before_->directories.end() ? nullptr : &found->second;
  }

  void list_removed(const std::vector<TreeChild> &children, const std::string &path) {
    const auto *const names = names_in(path);
    if (names == nullptr) return;
    for (const auto &[name, inode] : *names) {
      if (name.empty() || S_ISSOCK(inode.mode)) continue;
      const auto there = std::ranges::lower_bound(children, name, {}, &TreeChild::name);
      // A socket in its place is not in the layer, and what it replaced is not there any more.
      if (there != children.end() && there->name == name && !S_ISSOCK(there->status.st_mode)) continue;
      changes_.push_back({.path = join_names(path, name), .kind = LayerChange::Kind::whiteout});
    }
  }

  bool is_changed(const std::string &parent, const TreeChild &child) const {
    const auto *const names = names_in(parent);
    if (names == nullptr) return true;
    const auto before = names->find(child.name);
    if (before == names->end()) return true;
    const RecordedInode now = recorded(child.status);
    if (copied_) return !same_attributes(before->second, now);
    return before->second.inode != now.inode || !same_time(before->second.ctime, now.ctime);
  }

  Status list_opaque(kernel::FdView directory, const std::string &path) {
    const std::optional<std::string> value = TRY(kernel::fgetxattr(directory, opaque_xattr_));
    if (value == "y") changes_.push_back({.path = path, .kind = LayerChange::Kind::opaque});
    return {};
  }

  // With these an upper directory has less than what it shows.
  Status check_whole(kernel::FdView directory, const TreeChild &child, const std::string &path) const {
    if (!S_ISDIR(child.status.st_mode) && !S_ISREG(child.status.st_mode)) return {};
    for (const char *const feature : {"redirect", "metacopy"}) {
      if (!TRY(kernel::lgetxattr_at(directory, child.name, prefix_ + feature))) continue;
      return fail(path + ": " + prefix_ + feature + ": overlayfs keeps a part of it elsewhere",
                  "mount with redirect_dir=off,metacopy=off");
    }
    return {};
  }

  Want want_;
  std::vector<std::size_t> begun_;  // how many changes there were with each directory on the way down
  dev_t device_;
  const TreeRecord *before_ = nullptr;
  bool copied_ = false;
  bool enters_mounts_ = false;
  std::string opaque_xattr_;
  std::string prefix_;
};

}  // namespace

TreeOptions tree_options(const ApplyOptions &applied, std::optional<std::int64_t> newest) {
  return {.uid_mappings = applied.uid_mappings,
          .gid_mappings = applied.gid_mappings,
          .rootless = applied.rootless,
          .xattrs = {.overlay = applied.whiteouts == WhiteoutStyle::overlay, .user_xattr = applied.user_xattr},
          .newest = newest};
}

Result<TreeRecord> record_tree(kernel::FdView root) {
  const kernel::Fd directory = TRY(kernel::openat(root, ".", directory_flags));
  const struct stat status = TRY(kernel::fstat(directory));
  TreeRecord record;
  record.directories[""][""] = recorded(status);
  const TreeSteps::Visit visit = [&](auto, const std::string &path, const TreeChild &child) -> Result<TreeStep> {
    record.directories[path][child.name] = recorded(child.status);
    if (!is_inner_directory(child.status, status.st_dev)) return TreeStep::stay;
    TRY(check_path_length(join_names(path, child.name)));
    return TreeStep::enter;
  };
  TRY(walk_tree(directory, {.visit = visit}));
  return record;
}

Result<std::vector<LayerChange>> list_tree(kernel::FdView root) {
  const kernel::Fd directory = TRY(kernel::openat(root, ".", directory_flags));
  Lister lister(Lister::Want::all, TRY(kernel::fstat(directory)).st_dev);
  lister.changes_.push_back({});
  TRY(lister.list(directory));
  return std::move(lister.changes_);
}

Result<std::vector<LayerChange>> list_name(kernel::FdView directory, const std::string &name) {
  const kernel::Fd opened = TRY(kernel::openat(directory, ".", O_RDONLY | O_DIRECTORY));
  if (is_kernels_own(TRY(kernel::fstatfs(opened)).f_type)) {
    return fail(EOPNOTSUPP, name, "the kernel makes it up when it is read: run cat in the container");
  }
  Lister lister(Lister::Want::all, TRY(kernel::fstat(opened)).st_dev);
  lister.enter_mounts();
  if (name == ".") lister.changes_.push_back({});
  TRY(name == "." ? lister.list(opened) : lister.list(opened, name));
  return std::move(lister.changes_);
}

Result<std::vector<LayerChange>> list_changes(kernel::FdView root, const TreeRecord &before) {
  const kernel::Fd directory = TRY(kernel::openat(root, ".", directory_flags));
  const struct stat status = TRY(kernel::fstat(directory));
  Lister lister(Lister::Want::changed, status.st_dev);
  TRY(lister.compare_with(before, status));
  TRY(lister.list(directory));
  const RecordedInode now = recorded(status);
  const RecordedInode &then = before.directories.at("").at("");
  // Where the root itself is another one now, or names in it are.
  if (!same_attributes(then, now)) lister.changes_.insert(lister.changes_.begin(), LayerChange{});
  return std::move(lister.changes_);
}

Result<std::vector<LayerChange>> list_upper(kernel::FdView upper, const TreeOptions &options) {
  const kernel::Fd directory = TRY(kernel::openat(upper, ".", directory_flags));
  Lister lister(Lister::Want::upper, TRY(kernel::fstat(directory)).st_dev);
  const std::string opaque = overlay_opaque_xattr(options.xattrs.user_xattr);
  lister.set_upper(opaque, opaque.substr(0, opaque.rfind('.') + 1));
  TRY(lister.list(directory));
  // Its own attributes are those of the root that overlayfs shows.
  if (!lister.changes_.empty()) lister.changes_.insert(lister.changes_.begin(), LayerChange{});
  return std::move(lister.changes_);
}

}  // namespace skiff::image
