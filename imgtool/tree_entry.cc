#include "imgtool/tree_entry.h"

#include <sys/sysmacros.h>

#include <cstdlib>
#include <memory>

#include "imgtool/layer_xattrs.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/xattr.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

std::optional<EntryType> type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return EntryType::file;
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symlink;
    case S_IFIFO:
      return EntryType::fifo;
    case S_IFCHR:
      return EntryType::character;
    case S_IFBLK:
      return EntryType::block;
    default:
      return std::nullopt;
  }
}

Result<std::vector<Xattr>> read_xattrs(kernel::FdView file) {
  std::vector<Xattr> all;
  for (const std::string &name : TRY(kernel::flistxattr(file))) {
    const std::optional<std::string> in_layer = xattr_name_in_layer(name, {});
    if (!in_layer) continue;
    std::optional<std::string> value = TRY(kernel::fgetxattr(file, name));
    if (value) all.push_back({*in_layer, std::move(*value)});
  }
  return all;
}

}  // namespace

Result<std::optional<TreeEntry>> read_tree_entry(kernel::FdView root, const std::string &path,
                                                 std::optional<std::int64_t> newest) {
  const kernel::Fd seen = TRY(kernel::open_in_root(root, path, O_PATH | O_NOFOLLOW));
  const struct stat status = TRY(kernel::fstat(seen));
  const std::optional<EntryType> type = type_of(status.st_mode);
  if (!type) return std::nullopt;
  TreeEntry result;
  TarEntry &entry = result.entry;
  entry.type = *type;
  entry.name = path;
  entry.mode = status.st_mode & 07777U;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.mtime = status.st_mtim;
  if (newest && entry.mtime.tv_sec >= *newest) entry.mtime = {.tv_sec = *newest, .tv_nsec = 0};
  if (*type == EntryType::symlink) entry.link = TRY(kernel::readlinkat(seen, ""));
  if (*type == EntryType::character || *type == EntryType::block) {
    entry.device_major = major(status.st_rdev);
    entry.device_minor = minor(status.st_rdev);
  }
  if (*type != EntryType::file && *type != EntryType::directory) return result;
  kernel::Fd file = TRY(kernel::open_in_root(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  const struct stat opened = TRY(kernel::fstat(file));
  if (opened.st_ino != status.st_ino || opened.st_dev != status.st_dev) {
    return fail(EAGAIN, path, "it was replaced while it was read");
  }
  entry.xattrs = TRY(in(path, read_xattrs(file)));
  if (*type == EntryType::file) {
    entry.size = static_cast<std::uint64_t>(opened.st_size);
    result.file = std::move(file);
  }
  return result;
}

Result<std::optional<std::int64_t>> source_date_epoch() {
  const char *text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return std::nullopt;
  const auto seconds = cli::parse_number<std::int64_t>(text);
  if (!seconds || *seconds < 0) return fail("$SOURCE_DATE_EPOCH: " + spec::quote(text) + " is no number of seconds");
  return seconds;
}

ReadBytes read_file(kernel::FdView file) {
  return [file, offset = std::uint64_t{0}](std::span<char> into) mutable -> Result<std::size_t> {
    const std::size_t got = TRY(kernel::pread_some(file, into, offset));
    offset += got;
    return got;
  };
}

}  // namespace skiff::image
