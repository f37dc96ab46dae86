#include "imgtool/extractor.h"

#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/kernel/namespace.h"
#include "runtime/kernel/proc.h"
#include "runtime/kernel/xattr.h"
#include "spec/names.h"
#include "spec/path.h"

namespace skiff::image {
namespace {

constexpr mode_t permission_bits = 0777;
constexpr mode_t owner_bits = 0700;
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
// How often something may appear again where it was just removed: a second program works in the tree.
constexpr int most_tries = 16;
constexpr std::size_t most_warnings = 20;
constexpr std::uint64_t most_kept_bytes = std::uint64_t{128} << 20U;
constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view aufs_prefix = ".wh..wh.";  // .wh..wh.plnk, .wh..wh.aufs: that filesystem's own

// Of the whole process. It can be read without being changed since Linux 4.7.
Result<bool> umask_is_zero() {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const std::string status = TRY(proc.read_file("self/status"));
  constexpr std::string_view key = "\nUmask:\t";
  const std::size_t at = status.find(key);
  return at != status.npos && std::string_view(status).substr(at + key.size()).starts_with("0000\n");
}

std::optional<std::uint32_t> to_host(std::uint32_t id, const std::vector<spec::IdMapping> &mappings) {
  if (mappings.empty()) return id;
  for (const spec::IdMapping &mapping : mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) {
      return mapping.host_id + (id - mapping.container_id);
    }
  }
  return std::nullopt;
}

bool is_in_whiteout(std::string_view parent) { return parent.starts_with(whiteout_prefix) || parent.contains("/.wh."); }

mode_t node_type(EntryType type) {
  if (type == EntryType::character) return S_IFCHR;
  return type == EntryType::block ? S_IFBLK : S_IFIFO;
}

}  // namespace

Extractor::Extractor(kernel::FdView root, const ApplyOptions &options, const std::optional<CopyRules> &copy)
    : options_(options),
      copy_(copy),
      rules_{.overlay = options.whiteouts == WhiteoutStyle::overlay, .user_xattr = options.user_xattr},
      directories_(root, rules_.overlay ? overlay_opaque_xattr(options.user_xattr) : std::string(),
                   copy && !copy->follow_links ? DirectoryCache::Links::refuse : DirectoryCache::Links::follow,
                   copy ? DirectoryCache::Times::leave : DirectoryCache::Times::restore),
      self_{.uid = ::geteuid(), .gid = ::getegid()} {}

Result<Extractor> Extractor::open(kernel::FdView root, const ApplyOptions &options,
                                  const std::optional<CopyRules> &copy) {
  Extractor extractor(root, options, copy);
  extractor.container_root_ = TRY(extractor.map_owner({}));
  extractor.always_chmod_ = !TRY(umask_is_zero());
  const bool is_host = TRY(kernel::in_first_user_namespace(TRY(kernel::Procfs::open_host())));
  // What is copied on demand is all there, or an error.
  extractor.makes_devices_ = (is_host || copy) && !options.rootless;
  extractor.lower_is_empty_ = TRY(kernel::list_directory(root)).empty();
  return extractor;
}

Status Extractor::add(TarReader &reader) { return in(entry_place(reader.entry()), add_entry(reader)); }

Status Extractor::add_entry(TarReader &reader) {
  const TarEntry &entry = reader.entry();
  Target target;
  target.path = spec::clean_relative_path(entry.name);
  const SplitPath split = split_path(target.path);
  if (!copy_ && split.name.starts_with(whiteout_prefix)) return add_whiteout(entry, target.path);
  if (!copy_ && is_in_whiteout(split.parent)) {
    // Old images have aufs's own directories, and what is in them.
    if (split.parent.starts_with(aufs_prefix) || split.parent.contains("/.wh..wh.")) return {};
    return fail("a directory in its path is a whiteout (.wh.), which holds nothing");
  }
  const Owner owner = TRY(map_owner(entry));
  if (target.path.empty()) {
    // A root that is made a symlink would lead the next layer out (CVE-2021-29136).
    if (entry.type != EntryType::directory) return fail("the root of the tree can only be a directory");
    return copy_ ? Status() : describe_root(entry, owner);
  }
  target.name = split.name;
  return place(reader, target, owner);
}

Status Extractor::place(TarReader &reader, Target &target, Owner owner) {
  const std::string_view parent = split_path(target.path).parent;
  for (int tries = 0; tries < most_tries; ++tries) {
    target.directory = TRY(directories_.open(parent, implicit_like(reader.entry())));
    if (TRY(create(reader, target, owner))) {
      note_upper(*target.directory, target.name);
      return {};
    }
    TRY(clear_way(reader.entry(), target));
  }
  return fail(EEXIST, "something appears there again whenever it is removed",
              "no other program may write into the tree meanwhile");
}

Status Extractor::clear_way(const TarEntry &entry, Target &target) {
  const kernel::Fd &directory = target.directory->fd;
  Result<struct stat> status = kernel::fstatat(directory, target.name, AT_SYMLINK_NOFOLLOW);
  if (!status) return status.error().number == ENOENT ? Status() : Status(std::unexpected(status.error()));
  if (copy_ && (entry.type == EntryType::directory) != S_ISDIR(status->st_mode)) {
    return S_ISDIR(status->st_mode) ? fail(EISDIR, "a file cannot take the place of a directory")
                                    : fail(ENOTDIR, "a directory cannot take the place of a file");
  }
  target.was_whiteout = target.was_whiteout || (rules_.overlay && is_overlay_whiteout(*status));
  // A path may mean another directory from here on. The times are set before inodes go and are given out again.
  if (S_ISDIR(status->st_mode) || S_ISLNK(status->st_mode)) TRY(directories_.forget_all());
  Status removed = kernel::remove_tree_at(directory, target.name);
  if (removed || !copy_ || removed.error().number != EBUSY) return removed;
  return remedy("a mount point is changed where its source is", std::move(removed));
}

Result<bool> Extractor::create(TarReader &reader, const Target &target, Owner owner) {
  const TarEntry &entry = reader.entry();
  switch (entry.type) {
    case EntryType::file:
      return create_file(reader, target, owner);
    case EntryType::directory:
      return create_directory(entry, target, owner);
    case EntryType::symlink:
      return create_symlink(entry, target, owner);
    case EntryType::hard_link:
      return create_hard_link(entry, target);
    case EntryType::character:
    case EntryType::block:
      // umoci has an empty file there too.
      return makes_devices_ ? create_node(entry, target, owner) : create_file(reader, target, owner);
    case EntryType::fifo:
      break;
  }
  return create_node(entry, target, owner);
}

Result<bool> Extractor::create_file(TarReader &reader, const Target &target, Owner owner) {
  const TarEntry &entry = reader.entry();
  const OpenDirectory &directory = *target.directory;
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  // Set-id bits come last: chown(2) takes them off, and nobody is to run half a file with them.
  Result<kernel::Fd> made = kernel::openat(directory.fd, target.name, flags, entry.mode & permission_bits);
  if (!made && made.error().number == EEXIST) return false;
  const kernel::Fd file = TRY(std::move(made));
  if (entry.sparse) TRY(kernel::ftruncate(file, static_cast<off_t>(entry.size)));
  for (;;) {
    const TarPiece piece = TRY(reader.read());
    if (piece.bytes.empty()) break;
    if (entry.sparse) {
      TRY(kernel::pwrite_all(file, piece.bytes, piece.offset));
    } else {
      TRY(kernel::write_all(file, std::string_view(piece.bytes.data(), piece.bytes.size())));
    }
  }
  if (needs_chown(directory, owner)) TRY(kernel::fchownat(file, "", owner.uid, owner.gid, AT_EMPTY_PATH));
  if (directory.passes_acl) TRY(clear_xattrs(file));
  if (needs_chmod(directory, entry.mode)) TRY(kernel::fchmod(file, entry.mode));
  TRY(set_xattrs(entry, file));
  TRY(kernel::futimens(file, {entry.mtime, entry.mtime}));
  return true;
}

Result<bool> Extractor::create_directory(const TarEntry &entry, const Target &target, Owner owner) {
  const kernel::Fd &parent = target.directory->fd;
  const mode_t mode = (entry.mode & permission_bits) | (options_.rootless ? owner_bits : 0);
  bool is_new = true;
  const Status made = kernel::mkdirat(parent, target.name, mode);
  if (!made) {
    if (made.error().number != EEXIST) return std::unexpected(made.error());
    Result<struct stat> status = kernel::fstatat(parent, target.name, AT_SYMLINK_NOFOLLOW);
    if (!status || !S_ISDIR(status->st_mode)) return false;
    is_new = false;
  }
  Result<kernel::Fd> opened = kernel::openat(parent, target.name, directory_flags);
  if (!opened) {
    const int number = opened.error().number;
    // Exchanged just now.
    if (number == ENOENT || number == ENOTDIR || number == ELOOP) return false;
    return std::unexpected(opened.error());
  }
  // What a parent passes on to it has to be put right, as in a directory that was there.
  const bool plain = is_new && !needs_chown(*target.directory, owner) && !needs_chmod(*target.directory, entry.mode);
  TRY(describe_directory(entry, *opened, owner, plain, target.path));
  if (target.was_whiteout) TRY(kernel::fsetxattr(*opened, overlay_opaque_xattr(rules_.user_xattr), "y"));
  (void)TRY(directories_.put(target.path, std::move(*opened), entry.mtime));
  return true;
}

Status Extractor::describe_directory(const TarEntry &entry, const kernel::Fd &directory, Owner owner, bool is_plain,
                                     const std::string &path) {
  const mode_t mode = entry.mode | (options_.rootless ? owner_bits : 0);
  if (!is_plain) {
    if (!options_.rootless) TRY(kernel::fchownat(directory, "", owner.uid, owner.gid, AT_EMPTY_PATH));
    TRY(clear_xattrs(directory));
    TRY(kernel::fchmod(directory, mode));
  }
  if (mode != entry.mode) {
    TRY(keep_path(path));
    late_modes_.push_back({.path = path, .mode = entry.mode});
  }
  return set_xattrs(entry, directory);
}

Status Extractor::keep_path(const std::string &path) {
  kept_bytes_ += path.size();
  if (kept_bytes_ <= most_kept_bytes) return {};
  return fail(EFBIG, "the layer has too many long names of directories that need a second look");
}

Status Extractor::describe_root(const TarEntry &entry, Owner owner) {
  kernel::Fd root = kernel::Fd(TRY(kernel::dup_above(TRY(directories_.find(""))->fd, 0)));
  TRY(describe_directory(entry, root, owner, false, ""));
  (void)TRY(directories_.put("", std::move(root), entry.mtime));
  return {};
}

Result<bool> Extractor::create_symlink(const TarEntry &entry, const Target &target, Owner owner) {
  const Status made = kernel::symlinkat(entry.link, target.directory->fd, target.name);
  if (!made && made.error().number == EEXIST) return false;
  TRY(made);
  TRY(describe_name(entry, target, owner));
  return true;
}

Result<bool> Extractor::create_node(const TarEntry &entry, const Target &target, Owner owner) {
  const OpenDirectory &directory = *target.directory;
  const dev_t device = makedev(entry.device_major, entry.device_minor);
  const Status made =
      kernel::mknodat(directory.fd, target.name, node_type(entry.type) | (entry.mode & permission_bits), device);
  if (!made && made.error().number == EEXIST) return false;
  TRY(remedy("only root of the host makes devices; --rootless has empty files in their place", made));
  TRY(describe_name(entry, target, owner));
  if (!needs_chmod(directory, entry.mode)) return true;
  TRY(kernel::fchmodat_nofollow(directory.fd, target.name, entry.mode));
  return true;
}

// Owner, attributes and mtime of what cannot be opened.
Status Extractor::describe_name(const TarEntry &entry, const Target &target, Owner owner) {
  const OpenDirectory &directory = *target.directory;
  if (needs_chown(directory, owner)) {
    TRY(kernel::fchownat(directory.fd, target.name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW));
  }
  for (const Xattr &xattr : xattrs_of(entry)) {
    TRY(check_xattr(entry, xattr.name, kernel::lsetxattr_at(directory.fd, target.name, xattr.name, xattr.value)));
  }
  return kernel::utimensat(directory.fd, target.name, {entry.mtime, entry.mtime}, AT_SYMLINK_NOFOLLOW);
}

// The target is a path from the root of the tree, whatever the working directory is; its last component is not
// followed, so that a link to a symlink is one.
Result<bool> Extractor::create_hard_link(const TarEntry &entry, const Target &target) {
  const std::string path = spec::clean_relative_path(entry.link);
  const SplitPath split = split_path(path);
  const auto missing = [&] {
    return fail(ENOENT, fmt::format("hard link to {}, which is not there", spec::quote(entry.link)),
                rules_.overlay ? "the target has to be an earlier entry of the same layer"
                               : "the target has to be an earlier entry, or in a layer below");
  };
  if (split.name.empty()) return fail("hard link to the root of the tree");
  const DirectoryCache::Pointer from = TRY(directories_.find(split.parent));
  if (!from) return missing();
  const std::string name(split.name);
  const Status made = kernel::linkat(from->fd, name, target.directory->fd, target.name);
  if (made) return true;
  if (made.error().number == ENOENT) return missing();
  if (made.error().number != EEXIST) return std::unexpected(made.error());
  const struct stat old = TRY(kernel::fstatat(target.directory->fd, target.name, AT_SYMLINK_NOFOLLOW));
  Result<struct stat> wanted = kernel::fstatat(from->fd, name, AT_SYMLINK_NOFOLLOW);
  if (!wanted) return missing();
  if (S_ISDIR(wanted->st_mode)) return fail(EISDIR, fmt::format("hard link to {}", spec::quote(entry.link)));
  return key_of(old) == key_of(*wanted);
}

std::vector<Xattr> Extractor::xattrs_of(const TarEntry &entry) const {
  std::vector<Xattr> out;
  for (const Xattr &xattr : entry.xattrs) {
    if (options_.rootless && xattr.name == rootless_xattr) continue;
    std::optional<std::string> name = xattr_name_on_disk(xattr.name, rules_);
    if (!name) continue;
    const bool shifted = !options_.uid_mappings.empty() && *name == "security.capability";
    out.push_back({.name = std::move(*name),
                   .value = shifted ? shift_capability(xattr.value, container_root_.uid) : xattr.value});
  }
  if (options_.rootless && (entry.uid != 0 || entry.gid != 0)) {
    out.push_back(
        {.name = std::string(rootless_xattr), .value = make_rootless_value({.uid = entry.uid, .gid = entry.gid})});
  }
  return out;
}

// What no file here could have is left out with a warning; what a right is missing for is an error.
Status Extractor::check_xattr(const TarEntry &entry, const std::string &name, Status done) {
  if (done) return {};
  const int number = done.error().number;
  const bool opened = entry.type == EntryType::file || entry.type == EntryType::directory;
  const bool refused =
      number == EPERM && (options_.rootless || name.starts_with("trusted.") || (name.starts_with("user.") && !opened));
  if (number != EOPNOTSUPP && !refused) return done;
  if (warnings_.size() < most_warnings) {
    warnings_.push_back(fmt::format("{}: {} was left out: {}", entry_place(entry), name, done.error().message()));
  }
  return {};
}

Status Extractor::set_xattrs(const TarEntry &entry, const kernel::Fd &file) {
  if (entry.xattrs.empty() && !options_.rootless) return {};
  for (const Xattr &xattr : xattrs_of(entry)) {
    TRY(check_xattr(entry, xattr.name, kernel::fsetxattr(file, xattr.name, xattr.value)));
  }
  return {};
}

// All that an image may have set. What is the host's own stays.
Status Extractor::clear_xattrs(const kernel::Fd &directory) {
  for (const std::string &name : TRY(kernel::flistxattr(directory))) {
    if (!xattr_name_in_layer(name, rules_)) continue;
    Status gone = kernel::fremovexattr(directory, name);
    if (!gone && gone.error().number != ENODATA && gone.error().number != EPERM) return gone;
  }
  return {};
}

Result<Extractor::Owner> Extractor::map_owner(const TarEntry &entry) const {
  if (copy_ && copy_->owner) return Owner{.uid = copy_->owner->uid, .gid = copy_->owner->gid};
  if (options_.rootless) return self_;
  const std::optional<std::uint32_t> uid = to_host(entry.uid, options_.uid_mappings);
  const std::optional<std::uint32_t> gid = to_host(entry.gid, options_.gid_mappings);
  if (uid && gid) return Owner{.uid = *uid, .gid = *gid};
  return fail(EINVAL, fmt::format("its owner {}:{} is in no id mapping", entry.uid, entry.gid),
              "map more ids (/etc/subuid, /etc/subgid)");
}

bool Extractor::needs_chown(const OpenDirectory &directory, Owner owner) const {
  if (options_.rootless) return false;
  return owner.uid != self_.uid || owner.gid != self_.gid || directory.passes_group;
}

bool Extractor::needs_chmod(const OpenDirectory &directory, mode_t mode) const {
  return always_chmod_ || directory.passes_acl || (mode & ~permission_bits) != 0;
}

ImplicitDirectory Extractor::implicit_like(const TarEntry &entry) const {
  return {.uid = container_root_.uid, .gid = container_root_.gid, .chown = !options_.rootless, .mtime = entry.mtime};
}

Status Extractor::finish() {
  if (!opaque_.empty() && !whiteouts_.empty()) {
    for (const std::string &path : opaque_) {
      const DirectoryCache::Pointer directory = TRY(directories_.find(path));
      if (directory) TRY(drop_covered_whiteouts(directory->fd));
    }
  }
  TRY(directories_.forget_all());
  // The deepest first: what is above them may lock them away.
  std::ranges::stable_sort(late_modes_, std::ranges::greater(), &LateMode::path);
  for (const LateMode &late : late_modes_) {
    Result<DirectoryCache::Pointer> directory = directories_.find(late.path);
    if (directory && *directory) TRY(kernel::fchmod((*directory)->fd, late.mode));
  }
  return directories_.forget_all();
}

}  // namespace skiff::image
