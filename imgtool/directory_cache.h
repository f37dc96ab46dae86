// The directories that a layer is being written into, as open descriptors.
//
// Each was found by openat2(2) inside the root, or made and opened below one that was; whoever creates, removes or
// changes something does it below such a descriptor with one component that is not followed. Many entries share a
// directory, so a file costs no lookup of its path.
//
// A directory's mtime is what the layer says of it, or what it was before the layer, whatever is written into it
// meanwhile: it is set when the descriptor goes.
#pragma once

#include <cstdint>
#include <ctime>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/kernel/path.h"

namespace skiff::image {

// What a file is, whichever path led to it.
struct InodeKey {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const InodeKey &, const InodeKey &) = default;
};
struct InodeHash {
  std::size_t operator()(const InodeKey &key) const { return std::hash<ino_t>()(key.inode * 31 + key.device); }
};
[[nodiscard]] inline InodeKey key_of(const struct stat &status) { return {status.st_dev, status.st_ino}; }

struct OpenDirectory {
  kernel::Fd fd;  // readable, never O_PATH
  std::string path;
  InodeKey key;
  bool passes_group = false;  // set-gid: what is made in it gets its group
  bool passes_acl = false;    // it has a default ACL
};

// How directories are made that the layer needs and does not describe.
struct ImplicitDirectory {
  uid_t uid = 0;  // on the host
  gid_t gid = 0;
  bool chown = false;
  timespec mtime{};
};

class DirectoryCache {
 public:
  using Pointer = std::shared_ptr<const OpenDirectory>;

  // A parent that is a symbolic link: one inside the root, or an error (ELOOP).
  enum class Links : std::uint8_t { follow, refuse };
  // What a directory's mtime is that nobody has described: what it was, or what the kernel makes of it.
  enum class Times : std::uint8_t { restore, leave };
  // `overlay`: a whiteout that stands where a directory has to be makes that one opaque, by this attribute.
  DirectoryCache(kernel::FdView root, std::string opaque_xattr, Links links = Links::follow,
                 Times times = Times::restore)
      : root_(root), opaque_xattr_(std::move(opaque_xattr)), links_(links), times_(times) {}

  // `path` is clean: no leading '/', no empty component, no "." or ".."; "" is the root.
  // Null where nothing is there, or no directory.
  [[nodiscard]] Result<Pointer> find(std::string_view path);
  // Made where it is missing; what stands in the way is removed.
  [[nodiscard]] Result<Pointer> open(std::string_view path, const ImplicitDirectory &implicit);
  // One that was made or described by the layer just now.
  [[nodiscard]] Result<Pointer> put(std::string_view path, kernel::Fd directory, const timespec &mtime);

  // Sets the times, and closes all. To be called before a path may mean another directory than it did: when a directory
  // or a symlink goes.
  [[nodiscard]] Status forget_all();
  // What was removed from or added to a directory past this cache: its mtime again.
  [[nodiscard]] Status restore_mtime(kernel::FdView directory, const InodeKey &key) const;
  // Made by this layer, or described by it.
  [[nodiscard]] bool is_of_layer(const InodeKey &key) const { return of_layer_.contains(key); }
  // Paths of the directories that were made without an entry of their own.
  [[nodiscard]] std::vector<std::string> implicit() const { return {implicit_paths_.begin(), implicit_paths_.end()}; }

 private:
  using Order = std::list<std::shared_ptr<const OpenDirectory>>;

  [[nodiscard]] Result<kernel::Fd> look_up(const std::string &path) const;
  [[nodiscard]] Result<Pointer> hold(std::string_view path, kernel::Fd directory);
  [[nodiscard]] Result<Pointer> make(const Pointer &above, std::string_view path, const ImplicitDirectory &implicit);
  [[nodiscard]] Status close_one(const OpenDirectory &directory) const;

  kernel::FdView root_;
  std::string opaque_xattr_;
  Links links_;
  Times times_;
  Order order_;  // the latest used in front
  std::unordered_map<std::string_view, Order::iterator> by_path_;
  std::unordered_map<InodeKey, timespec, InodeHash> mtimes_;
  std::unordered_set<InodeKey, InodeHash> of_layer_;
  std::set<std::string, std::less<>> implicit_paths_;
};

// The path of the directory around it, and the last component.
struct SplitPath {
  std::string_view parent;
  std::string_view name;
};
[[nodiscard]] SplitPath split_path(std::string_view clean);
// A whiteout as overlayfs has it: a character device 0/0.
[[nodiscard]] bool is_overlay_whiteout(const struct stat &status);

}  // namespace skiff::image
