// Whiteouts (layer.md): what a layer takes away from those below it. They never touch what the same layer brings, in
// whichever order the entries come.
#include <sys/sysmacros.h>

#include "imgtool/extractor.h"
#include "runtime/kernel/xattr.h"

namespace skiff::image {
namespace {

constexpr std::string_view prefix = ".wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";
constexpr std::string_view aufs_prefix = ".wh..wh.";
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr mode_t whiteout_mode = 0;  // as the kernel makes its own

std::string key_text(const InodeKey &directory, std::string_view name) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the bytes are only compared.
  std::string key(reinterpret_cast<const char *>(&directory.inode), sizeof(directory.inode));
  return key += name;
}

bool is_missing(const Error &error) { return error.number == ENOENT; }

}  // namespace

void Extractor::note_upper(const OpenDirectory &directory, const std::string &name) {
  if (rules_.overlay || lower_is_empty_) return;
  upper_.insert(key_text(directory.key, name));
}

bool Extractor::is_upper(const InodeKey &directory, std::string_view name) const {
  return upper_.contains(key_text(directory, name));
}

Status Extractor::add_whiteout(const TarEntry &entry, const std::string &path) {
  const SplitPath split = split_path(path);
  if (split.name == prefix) return fail("a whiteout that names nothing");
  const bool opaque = split.name == opaque_name;
  // What the filesystem aufs keeps for itself; there is no such thing in a tree.
  if (!opaque && split.name.starts_with(aufs_prefix)) return {};
  const std::string name(split.name.substr(prefix.size()));
  if (name == "." || name == "..") return fail("a whiteout of the directory that it is in, or of the one above");
  if (rules_.overlay) {
    const DirectoryCache::Pointer directory = TRY(directories_.open(split.parent, implicit_like(entry)));
    return opaque ? make_overlay_opaque(*directory) : make_overlay_whiteout(*directory, name);
  }
  if (lower_is_empty_) return {};
  return opaque ? empty_lower(split.parent) : hide_lower(split.parent, name);
}

Status Extractor::hide_lower(std::string_view parent, const std::string &name) {
  const DirectoryCache::Pointer directory = TRY(directories_.find(parent));
  if (!directory) return {};
  Result<struct stat> status = kernel::fstatat(directory->fd, name, AT_SYMLINK_NOFOLLOW);
  if (!status) return is_missing(status.error()) ? Status() : Status(std::unexpected(status.error()));
  if (S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode)) TRY(directories_.forget_all());
  std::vector<InodeKey> keys = {directory->key};
  TRY(walk_tree(directory->fd, name, lower_removal(keys)));
  return directories_.restore_mtime(directory->fd, directory->key);
}

Status Extractor::empty_lower(std::string_view path) {
  const DirectoryCache::Pointer directory = TRY(directories_.find(path));
  if (!directory) return {};
  TRY(directories_.forget_all());
  std::vector<InodeKey> keys;
  return walk_tree(directory->fd, lower_removal(keys));
}

// A directory that this layer describes, or brought something into, stays; so does what it brought. `keys` are those of
// the directories on the way down.
TreeSteps Extractor::lower_removal(std::vector<InodeKey> &keys) {
  const auto gone = [](const Status &removed) { return removed || is_missing(removed.error()) ? Status() : removed; };
  return {.begin = [&keys](kernel::FdView directory, const auto &, const auto &) -> Status {
            keys.push_back(key_of(TRY(kernel::fstat(directory))));
            return {};
          },
          .visit = [this, &keys, gone](kernel::FdView directory, const auto &, const auto &child) -> Result<TreeStep> {
            if (S_ISDIR(child.status.st_mode)) return TreeStep::enter;
            if (!is_upper(keys.back(), child.name)) TRY(gone(kernel::unlinkat(directory, child.name)));
            return TreeStep::skip;
          },
          .done = [this, &keys, gone](kernel::FdView directory, const auto &, const auto &child) -> Status {
            if (is_upper(keys.back(), child.name) || directories_.is_of_layer(key_of(child.status))) return {};
            const Status removed = kernel::unlinkat(directory, child.name, AT_REMOVEDIR);
            return !removed && removed.error().number == ENOTEMPTY ? Status() : gone(removed);
          },
          .end = [this, &keys](kernel::FdView directory, const auto &) -> Status {
            const InodeKey key = keys.back();
            keys.pop_back();
            return directories_.restore_mtime(directory, key);
          }};
}

// Where the layer has an entry of that name already, that one covers what is below; a directory has to say so.
Status Extractor::make_overlay_whiteout(const OpenDirectory &directory, const std::string &name) {
  const Status made = kernel::mknodat(directory.fd, name, S_IFCHR | whiteout_mode, makedev(0, 0));
  if (made) {
    whiteouts_.insert(key_of(TRY(kernel::fstatat(directory.fd, name, AT_SYMLINK_NOFOLLOW))));
    return {};
  }
  if (made.error().number != EEXIST) return made;
  const Result<kernel::Fd> inside = kernel::openat(directory.fd, name, directory_flags);
  if (!inside) return {};
  return kernel::fsetxattr(*inside, overlay_opaque_xattr(rules_.user_xattr), "y");
}

Status Extractor::make_overlay_opaque(const OpenDirectory &directory) {
  TRY(keep_path(directory.path));
  opaque_.push_back(directory.path);
  return kernel::fsetxattr(directory.fd, overlay_opaque_xattr(rules_.user_xattr), "y");
}

// Nothing below an opaque directory is merged, and there overlayfs shows whiteouts as files that cannot be opened.
Status Extractor::drop_covered_whiteouts(const kernel::Fd &top) {
  return walk_tree(
      top, {.visit = [this](kernel::FdView directory, const auto &, const TreeChild &child) -> Result<TreeStep> {
              const bool covered = is_overlay_whiteout(child.status) && whiteouts_.contains(key_of(child.status));
              if (covered) TRY(kernel::unlinkat(directory, child.name));
              return S_ISDIR(child.status.st_mode) ? TreeStep::enter : TreeStep::skip;
            },
            .end = [this](kernel::FdView directory, const auto &) -> Status {
              return directories_.restore_mtime(directory, key_of(TRY(kernel::fstat(directory))));
            }});
}

}  // namespace skiff::image
