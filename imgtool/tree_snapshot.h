// What a tree looks like, and what has changed in it since: without a copy of it, and without overlayfs.
#pragma once

#include <sys/stat.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "imgtool/layer_writer.h"
#include "runtime/kernel/fd.h"

namespace skiff::image {

// By path, without a '/' in front; the root itself is "". A change of content, attributes or names shows in the inode's
// ctime, which no program can set.
struct TreeSnapshot {
  struct Inode {
    std::uint64_t number = 0;
    mode_t mode = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    dev_t device = 0;
    off_t size = 0;
    nlink_t links = 0;
    timespec mtime{};
    timespec ctime{};
  };
  std::map<std::string, Inode> files;
};

// Over descriptors, following no symlink; another mount in the tree is not entered.
[[nodiscard]] Result<TreeSnapshot> take_snapshot(kernel::FdView root);

struct TreeChange {
  std::vector<std::string> changed;  // new or different, in order: a directory in front of what is in it
  std::vector<std::string> removed;  // without what was in a directory that is gone
  [[nodiscard]] bool empty() const { return changed.empty() && removed.empty(); }
};

// `left_out`: paths that count as if they were not there, with all below them.
[[nodiscard]] TreeChange compare_snapshots(const TreeSnapshot &before, const TreeSnapshot &after,
                                           const std::set<std::string> &left_out);

// The change as a layer: whiteouts first, then files, names of the same inode as hard links.
[[nodiscard]] Status write_change(LayerWriter &layer, kernel::FdView root, const TreeChange &change,
                                  const TreeSnapshot &after, std::optional<std::int64_t> newest);

}  // namespace skiff::image
