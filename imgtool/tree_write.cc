// The files of a tree as entries of a layer.
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <unordered_map>

#include "imgtool/directory_cache.h"
#include "imgtool/tree.h"
#include "imgtool/tree_walk.h"
#include "runtime/kernel/xattr.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";

std::optional<std::uint32_t> to_container(std::uint32_t id, const std::vector<spec::IdMapping> &mappings) {
  if (mappings.empty()) return id;
  for (const spec::IdMapping &mapping : mappings) {
    if (id >= mapping.host_id && id - mapping.host_id < mapping.size) {
      return mapping.container_id + (id - mapping.host_id);
    }
  }
  return std::nullopt;
}

EntryType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symlink;
    case S_IFCHR:
      return EntryType::character;
    case S_IFBLK:
      return EntryType::block;
    case S_IFIFO:
      return EntryType::fifo;
    default:
      return EntryType::file;
  }
}

ReadBytes read_from(const kernel::Fd &file) {
  return [&file](std::span<char> into) { return kernel::read_some(file, into); };
}

class Writer {
 public:
  Writer(kernel::FdView root, const TreeOptions &options, const EntrySink &sink)
      : root_(root), options_(options), sink_(sink) {}

  Status write(const LayerChange &change) {
    switch (change.kind) {
      case LayerChange::Kind::whiteout: {
        const SplitPath split = split_path(change.path);
        const std::string parent(split.parent);
        return hide(parent.empty() ? "" : parent + "/", std::string(whiteout_prefix) + std::string(split.name));
      }
      case LayerChange::Kind::opaque:
        return hide(change.path.empty() ? "" : change.path + "/", std::string(opaque_name));
      case LayerChange::Kind::entry:
        break;
    }
    return write_file(change.path);
  }

 private:
  // Of the epoch, so that the same change is the same bytes.
  Status hide(const std::string &parent, const std::string &name) {
    TarEntry entry;
    entry.name = parent + name;
    entry.mode = 0644;
    return sink_(entry, {});
  }

  // The directory that the file is in: that of the file before, mostly.
  Status enter(const std::string &parent) {
    if (parent_.valid() && parent == parent_path_) return {};
    parent_ = TRY(
        kernel::open_in_root(root_, parent.empty() ? std::string(".") : parent, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    parent_path_ = parent;
    return {};
  }

  Result<struct stat> look_at(const SplitPath &split, const std::string &name) {
    TRY(enter(std::string(split.parent)));
    return kernel::fstatat(parent_, name, AT_SYMLINK_NOFOLLOW);
  }

  Status write_file(const std::string &path) {
    const SplitPath split = split_path(path);
    const std::string name = path.empty() ? "." : std::string(split.name);
    Result<struct stat> found = look_at(split, name);
    if (!found && options_.may_vanish && is_gone(found.error())) return {};
    struct stat status = TRY(std::move(found));
    if (S_ISSOCK(status.st_mode)) return {};
    kernel::Fd file;
    if (S_ISREG(status.st_mode)) {
      // Of the descriptor, so that size and content are one file's.
      file = TRY(kernel::openat(parent_, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
      status = TRY(kernel::fstat(file));
      if (!S_ISREG(status.st_mode)) return fail(EAGAIN, "it is exchanged for something else meanwhile");
    }
    TarEntry entry = TRY(describe(status, name));
    entry.name = path.empty() ? "." : path;
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      const auto [first, is_first] = names_.try_emplace(key_of(status), path);
      if (!is_first) {
        entry.type = EntryType::hard_link;
        entry.link = first->second;
        entry.size = 0;
        entry.xattrs.clear();
        return sink_(entry, {});
      }
    }
    return sink_(entry, entry.size > 0 ? read_from(file) : ReadBytes());
  }

  Result<TarEntry> describe(const struct stat &status, const std::string &name) {
    TarEntry entry;
    entry.type = type_of(status.st_mode);
    entry.mode = status.st_mode & 07777U;
    entry.mtime = status.st_mtim;
    if (options_.newest && entry.mtime.tv_sec >= *options_.newest)
      entry.mtime = {.tv_sec = *options_.newest, .tv_nsec = 0};
    if (S_ISREG(status.st_mode)) entry.size = static_cast<std::uint64_t>(status.st_size);
    if (S_ISLNK(status.st_mode)) entry.link = TRY(kernel::readlinkat(parent_, name));
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
      entry.device_major = major(status.st_rdev);
      entry.device_minor = minor(status.st_rdev);
    }
    TRY(set_xattrs(entry, name));
    TRY(set_owner(entry, status));
    return entry;
  }

  Status set_xattrs(TarEntry &entry, const std::string &name) {
    for (const std::string &attribute : TRY(kernel::llistxattr_at(parent_, name))) {
      std::optional<std::string> in_layer = xattr_name_in_layer(attribute, options_.xattrs);
      if (!in_layer) continue;
      std::optional<std::string> value = TRY(kernel::lgetxattr_at(parent_, name, attribute));
      if (!value) continue;
      if (!options_.uid_mappings.empty() && *in_layer == "security.capability") *value = unshift_capability(*value);
      entry.xattrs.push_back({.name = std::move(*in_layer), .value = std::move(*value)});
    }
    std::ranges::sort(entry.xattrs);
    return {};
  }

  Status set_owner(TarEntry &entry, const struct stat &status) {
    if (options_.rootless) {
      const auto kept = std::ranges::find(entry.xattrs, rootless_xattr, &Xattr::name);
      if (kept == entry.xattrs.end()) return {};
      const RootlessOwner owner = TRY(parse_rootless_value(kept->value));
      entry.uid = owner.uid;
      entry.gid = owner.gid;
      entry.xattrs.erase(kept);
      return {};
    }
    const std::optional<std::uint32_t> uid = to_container(status.st_uid, options_.uid_mappings);
    const std::optional<std::uint32_t> gid = to_container(status.st_gid, options_.gid_mappings);
    if (!uid || !gid) {
      return fail(EINVAL, fmt::format("its owner {}:{} is in no id mapping", status.st_uid, status.st_gid));
    }
    entry.uid = *uid;
    entry.gid = *gid;
    return {};
  }

  kernel::FdView root_;
  const TreeOptions &options_;
  const EntrySink &sink_;
  kernel::Fd parent_;
  std::string parent_path_;
  std::unordered_map<InodeKey, std::string, InodeHash> names_;  // where an inode with several was written
};

}  // namespace

Status write_changes(kernel::FdView root, const std::vector<LayerChange> &changes, const TreeOptions &options,
                     const EntrySink &sink) {
  Writer writer(root, options, sink);
  for (const LayerChange &change : changes) {
    Status written = writer.write(change);
    if (!written) return in(spec::quote(change.path.empty() ? "." : change.path), std::move(written));
  }
  return {};
}

}  // namespace skiff::image
