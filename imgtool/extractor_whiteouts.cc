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
  TRY(remove_lower(directory->fd, directory->key, name));
  return directories_.restore_mtime(directory->fd, directory->key);
}

Status Extractor::empty_lower(std::string_view path) {
  const DirectoryCache::Pointer directory = TRY(directories_.find(path));
  if (!directory) return {};
  TRY(directories_.forget_all());
  for (const std::string &name : TRY(kernel::list_directory(directory->fd))) {
    TRY(remove_lower(directory->fd, directory->key, name));
  }
  return directories_.restore_mtime(directory->fd, directory->key);
}

// A directory that this layer describes, or brought something into, stays; so does what it brought.
Status Extractor::remove_lower(const kernel::Fd &directory, const InodeKey &key, const std::string &name) {
  const bool upper = is_upper(key, name);
  Result<kernel::Fd> inside = kernel::openat(directory, name, directory_flags);
  if (!inside) {
    if (is_missing(inside.error()) || upper) return {};
    if (inside.error().number != ENOTDIR && inside.error().number != ELOOP) return std::unexpected(inside.error());
    Status gone = kernel::unlinkat(directory, name);
    return gone || is_missing(gone.error()) ? Status() : gone;
  }
  const InodeKey inner = key_of(TRY(kernel::fstat(*inside)));
  for (const std::string &child : TRY(kernel::list_directory(*inside))) TRY(remove_lower(*inside, inner, child));
  TRY(directories_.restore_mtime(*inside, inner));
  if (upper || directories_.is_of_layer(inner)) return {};
  Status gone = kernel::unlinkat(directory, name, AT_REMOVEDIR);
  if (gone || is_missing(gone.error()) || gone.error().number == ENOTEMPTY) return {};
  return gone;
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
Status Extractor::drop_covered_whiteouts(const kernel::Fd &directory) {
  const InodeKey key = key_of(TRY(kernel::fstat(directory)));
  for (const std::string &name : TRY(kernel::list_directory(directory))) {
    const struct stat status = TRY(kernel::fstatat(directory, name, AT_SYMLINK_NOFOLLOW));
    if (is_overlay_whiteout(status) && whiteouts_.contains(key_of(status))) TRY(kernel::unlinkat(directory, name));
    if (S_ISDIR(status.st_mode)) {
      TRY(drop_covered_whiteouts(TRY(kernel::openat(directory, name, directory_flags))));
    }
  }
  return directories_.restore_mtime(directory, key);
}

}  // namespace skiff::image
