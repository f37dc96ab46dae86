#include "imgtool/archive_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "imgtool/late_library.h"
#include "imgtool/tree_path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::uint64_t most_entries = 4'000'000;

// What libarchive reads from: a descriptor of our own position.
struct Source {
  kernel::FdView file;
  std::uint64_t offset = 0;
  std::vector<char> buffer = std::vector<char>(std::size_t{1} << 18U);
};

la_ssize_t read_source(archive *reader, void *data, const void **bytes) {
  auto &source = *static_cast<Source *>(data);
  const Result<std::size_t> got = kernel::pread_some(source.file, source.buffer, source.offset);
  if (!got) {
    ::archive_set_error(reader, got.error().number, "%s", got.error().text.c_str());
    return -1;
  }
  source.offset += *got;
  *bytes = source.buffer.data();
  return static_cast<la_ssize_t>(*got);
}

struct Close {
  void operator()(archive *reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Close>;

std::unexpected<Error> failed(archive *reader, std::string_view what) {
  const char *text = ::archive_error_string(reader);
  return fail(EBADMSG, fmt::format("{}: {}", what, text == nullptr ? "damaged" : text));
}

Result<Reader> open_archive(Source &source) {
  TRY(load_archive());
  Reader reader(::archive_read_new());
  ::archive_read_support_filter_bzip2(reader.get());
  ::archive_read_support_filter_gzip(reader.get());
  ::archive_read_support_filter_xz(reader.get());
  ::archive_read_support_filter_zstd(reader.get());
  ::archive_read_support_format_tar(reader.get());
  if (::archive_read_open(reader.get(), &source, nullptr, read_source, nullptr) != ARCHIVE_OK) {
    return failed(reader.get(), "archive");
  }
  return reader;
}

std::string text_of(const char *text) { return text == nullptr ? "" : text; }

Result<std::string> place(const std::string &directory, const std::string &name) {
  std::string path = directory;
  for (const std::string &part : path_parts(name)) {
    if (part == "..") return fail(fmt::format("entry {}: it leads out of the archive", spec::quote(name)));
    path = join_path(path, part);
  }
  return path;
}

Result<TarEntry> make_entry(archive_entry *from, const std::string &directory, std::optional<std::int64_t> newest) {
  TarEntry entry;
  const std::string name = text_of(::archive_entry_pathname(from));
  entry.name = TRY(place(directory, name));
  entry.mode = ::archive_entry_perm(from);
  entry.uid = static_cast<std::uint32_t>(::archive_entry_uid(from));
  entry.gid = static_cast<std::uint32_t>(::archive_entry_gid(from));
  entry.mtime = {.tv_sec = ::archive_entry_mtime(from), .tv_nsec = ::archive_entry_mtime_nsec(from)};
  if (newest && entry.mtime.tv_sec >= *newest) entry.mtime = {.tv_sec = *newest, .tv_nsec = 0};
  if (const char *link = ::archive_entry_hardlink(from)) {
    entry.type = EntryType::hard_link;
    entry.link = TRY(place(directory, link));
    return entry;
  }
  switch (::archive_entry_filetype(from)) {
    case AE_IFDIR:
      entry.type = EntryType::directory;
      return entry;
    case AE_IFLNK:
      entry.type = EntryType::symlink;
      entry.link = text_of(::archive_entry_symlink(from));
      return entry;
    case AE_IFIFO:
      entry.type = EntryType::fifo;
      return entry;
    case AE_IFCHR:
    case AE_IFBLK:
      entry.type = ::archive_entry_filetype(from) == AE_IFCHR ? EntryType::character : EntryType::block;
      entry.device_major = static_cast<std::uint32_t>(::archive_entry_rdevmajor(from));
      entry.device_minor = static_cast<std::uint32_t>(::archive_entry_rdevminor(from));
      return entry;
    case AE_IFREG:
      entry.size = static_cast<std::uint64_t>(::archive_entry_size(from));
      return entry;
    default:
      return fail(fmt::format("entry {}: a type that a layer has not", spec::quote(name)));
  }
}

void add_xattrs(archive_entry *from, TarEntry &entry) {
  ::archive_entry_xattr_reset(from);
  const char *name = nullptr;
  const void *value = nullptr;
  std::size_t size = 0;
  while (::archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
    entry.xattrs.push_back({name, std::string(static_cast<const char *>(value), size)});
  }
}

}  // namespace

Result<bool> can_read_archive(kernel::FdView file) {
  TRY(load_archive());
  Source source{.file = file};
  const Result<Reader> reader = open_archive(source);
  if (!reader) return false;
  archive_entry *entry = nullptr;
  return ::archive_read_next_header(reader->get(), &entry) == ARCHIVE_OK;
}

Status write_archive_entries(LayerWriter &layer, kernel::FdView file, const std::string &directory,
                             std::optional<std::int64_t> newest) {
  Source source{.file = file};
  const Reader reader = TRY(open_archive(source));
  for (std::uint64_t count = 0;; ++count) {
    archive_entry *from = nullptr;
    const int code = ::archive_read_next_header(reader.get(), &from);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return failed(reader.get(), fmt::format("entry {}", count + 1));
    if (count >= most_entries) return fail(EFBIG, fmt::format("more than {} entries", most_entries));
    TarEntry entry = TRY(make_entry(from, directory, newest));
    // "./": the directory that it is unpacked to keeps what it is.
    if (entry.name == directory) continue;
    add_xattrs(from, entry);
    TRY(layer.add(entry, [&](std::span<char> into) -> Result<std::size_t> {
      const la_ssize_t got = ::archive_read_data(reader.get(), into.data(), into.size());
      if (got < 0) return failed(reader.get(), entry.name);
      return static_cast<std::size_t>(got);
    }));
  }
}

}  // namespace skiff::image
