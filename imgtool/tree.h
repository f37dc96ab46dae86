// A tree as a layer: all of it, what has changed in it since it was unpacked, or what overlayfs collected of a change.
//
// The same tree gives the same entries in the same order (sorted, a directory in front of what is in it, whiteouts in
// front of their siblings), whatever the order of the filesystem is. The tree is not trusted: no symlink in it is
// followed, and another mount in it is not entered.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imgtool/bytes.h"
#include "imgtool/layer.h"
#include "imgtool/layer_xattrs.h"
#include "imgtool/tar_entry.h"

namespace skiff::image {

// Takes an entry with its data, of exactly the entry's size: TarWriter::add, LayerWriter::add.
using EntrySink = std::function<Status(const TarEntry &entry, const ReadBytes &data)>;

struct TreeOptions {
  // As the tree was unpacked: owners and attributes are turned back.
  std::vector<spec::IdMapping> uid_mappings;
  std::vector<spec::IdMapping> gid_mappings;
  bool rootless = false;
  XattrRules xattrs;
  std::optional<std::int64_t> newest;  // SOURCE_DATE_EPOCH: what is newer gets this mtime
  bool may_vanish = false;             // others work in the tree: what is gone since it was listed is left out
};
[[nodiscard]] TreeOptions tree_options(const ApplyOptions &applied, std::optional<std::int64_t> newest);

// One name of a tree as it was. A change of content, attributes or names shows in the inode's ctime, which no program
// can set, so that nothing has to be read again. Where the whole tree was copied since (its root is another inode),
// size, mtime, mode, owner and link target decide instead.
struct RecordedInode {
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;  // with the type
  std::uint32_t uid = 0;   // on the host
  std::uint32_t gid = 0;
  std::uint64_t device = 0;
  std::uint64_t size = 0;
  timespec mtime{};
  timespec ctime{};
};
struct TreeRecord {
  // By the path of the directory ("" is the root) and the name in it; the root itself is directories[""][""].
  std::map<std::string, std::map<std::string, RecordedInode>> directories;
};
[[nodiscard]] Result<TreeRecord> record_tree(kernel::FdView root);
// A text, a line an entry. Reading it again is strict.
[[nodiscard]] std::string print_record(const TreeRecord &record);
[[nodiscard]] Result<TreeRecord> parse_record(std::string_view text);

struct LayerChange {
  enum class Kind : std::uint8_t { entry, whiteout, opaque };
  std::string path;  // of the file; for `opaque` of the directory
  Kind kind = Kind::entry;
};

// All that a layer of the whole tree has.
[[nodiscard]] Result<std::vector<LayerChange>> list_tree(kernel::FdView root);
// One name in a directory and all that is below it, other mounts too, but for those in which the kernel shows itself
// (proc, sysfs, cgroup and their like); "." is all of the directory. What vanishes meanwhile may be in the list.
[[nodiscard]] Result<std::vector<LayerChange>> list_name(kernel::FdView directory, const std::string &name);
// What has changed. The directories that lead to a change come with it: what they are is not to be guessed.
[[nodiscard]] Result<std::vector<LayerChange>> list_changes(kernel::FdView root, const TreeRecord &before);
// What an upper directory of overlayfs says: its whiteouts and opaque directories become those of layer.md. An error
// where it was mounted with redirect_dir or metacopy, whose files do not have what they show.
[[nodiscard]] Result<std::vector<LayerChange>> list_upper(kernel::FdView upper, const TreeOptions &options);

// The files of the list as they are now. Sockets are left out: a layer has none. Names of one inode are hard links.
[[nodiscard]] Status write_changes(kernel::FdView root, const std::vector<LayerChange> &changes,
                                   const TreeOptions &options, const EntrySink &sink);

}  // namespace skiff::image
