#include "imgtool/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "imgtool/decompress.h"
#include "imgtool/foreign_compression.h"
#include "imgtool/take_in.h"
#include "imgtool/tar_format.h"
#include "runtime/kernel/environment.h"
#include "runtime/kernel/path.h"
#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::uint64_t block = 512;
constexpr std::uint64_t largest_document = 16U << 20U;
constexpr std::size_t most_members = 1'000'000;
constexpr int most_links = 40;  // as many as the kernel follows
constexpr unsigned window_log = 27;

using Block = std::array<char, block>;

// "a/./b/../c" as "a/c", relative to `directory`; nothing where it leads out of the archive.
std::optional<std::string> normal_name(std::string_view directory, std::string_view name) {
  std::string joined = name.starts_with('/') ? std::string(name) : fmt::format("{}/{}", directory, name);
  std::vector<std::string_view> parts;
  for (std::string_view rest = joined; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (parts.empty()) return std::nullopt;
      parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

std::string_view directory_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string without_nul(std::string text) {
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

Result<kernel::Fd> spool(ReadBytes read) {
  kernel::Fd file = TRY(open_unnamed_file());
  const bool foreign = is_foreign_compression(TRY(peek(read, compression_magic)));
  std::optional<ForeignDecompressor> by_libarchive;
  if (foreign) by_libarchive.emplace(TRY(ForeignDecompressor::open(read)));
  Decompressor decompressor(read, window_log);
  std::vector<char> buffer(1U << 20U);
  for (;;) {
    const std::size_t count = TRY(foreign ? by_libarchive->read(buffer) : decompressor.read(buffer));
    if (count == 0) return file;
    TRY(kernel::write_all(file, std::string_view(buffer.data(), count)));
  }
}

Result<bool> is_plain_tar(const kernel::Fd &file) {
  if (!S_ISREG(TRY(kernel::fstat(file)).st_mode)) return false;
  std::array<char, compression_magic> magic{};
  const std::size_t count = TRY(kernel::pread_some(file, magic, 0));
  const std::string_view start(magic.data(), count);
  return !is_foreign_compression(start) && !start.starts_with("\x1f\x8b") && !start.starts_with("\x28\xb5\x2f\xfd");
}

// The header at `at`, and what the headers before it said of the same member.
struct Scan {
  tar::PaxFields pax;
  std::optional<std::string> gnu_name;
  std::optional<std::string> gnu_link;

  [[nodiscard]] std::string name(const char *header) const {
    if (pax.path) return *pax.path;
    if (gnu_name) return *gnu_name;
    std::string name(tar::text_of(tar::field::name.of(header)));
    const std::string_view prefix = tar::text_of(tar::field::prefix.of(header));
    const bool posix = tar::field::magic.of(header).starts_with(tar::posix_magic);
    return posix && !prefix.empty() ? fmt::format("{}/{}", prefix, name) : name;
  }
  [[nodiscard]] std::string link(const char *header) const {
    if (pax.link) return *pax.link;
    return gnu_link.value_or(std::string(tar::text_of(tar::field::link.of(header))));
  }
  Status read(char type, std::string text) {
    if (type == 'x') return tar::parse_pax(text, pax);
    (type == 'L' ? gnu_name : gnu_link) = without_nul(std::move(text));
    return {};
  }
};

bool has_data(char type) { return std::string_view("07xgLK\0", 7).find(type) != std::string_view::npos; }
bool is_file(char type) { return std::string_view("07\0", 3).find(type) != std::string_view::npos; }

Result<std::string> read_text(const kernel::Fd &file, std::uint64_t offset, std::uint64_t size) {
  if (size > tar::most_metadata) return fail(EFBIG, fmt::format("a header of {} bytes", size));
  std::string text(size, '\0');
  if (TRY(kernel::pread_some(file, text, offset)) != size) return fail(EIO, "the file ends in a header");
  return text;
}

}  // namespace

std::string temporary_place() {
  std::string own = kernel::environment_variable("TMPDIR");
  return own.empty() ? "/var/tmp" : own;
}

Result<kernel::Fd> open_unnamed_file() {
  return remedy("set $TMPDIR to a directory with room", kernel::open(temporary_place(), O_TMPFILE | O_RDWR, 0600));
}

Result<Archive> Archive::open(const std::string &path) {
  Archive archive;
  archive.path_ = path;
  kernel::Fd file = path == "-" ? TRY(kernel::dup_above(kernel::FdView(0), 3)) : TRY(kernel::open(path, O_RDONLY));
  if (S_ISDIR(TRY(kernel::fstat(file)).st_mode)) return fail(EISDIR, path, "name a tar file, or use oci:" + path);
  archive.file_ = TRY(is_plain_tar(file)) ? std::move(file) : TRY(in(path, spool(read_stream(file))));
  TRY(in(path, archive.scan()));
  return archive;
}

Status Archive::scan() {
  const auto end = static_cast<std::uint64_t>(TRY(kernel::fstat(file_)).st_size);
  Scan scan;
  for (std::uint64_t at = 0; at + block <= end;) {
    const std::string place = fmt::format("the header at byte {}", at);
    Block header{};
    if (TRY(kernel::pread_some(file_, header, at)) != block) return fail(EIO, place);
    at += block;
    if (std::ranges::all_of(header, [](char byte) { return byte == 0; })) break;
    if (!tar::checksum_fits(header.data())) return fail(EBADMSG, place + " is none of a tar archive");
    const char type = tar::field::type.of(header.data()).front();
    const std::optional<std::int64_t> written = tar::parse_number(tar::field::size.of(header.data()));
    const std::uint64_t size =
        has_data(type) ? scan.pax.size.value_or(static_cast<std::uint64_t>(written.value_or(-1))) : 0;
    if (size > end - at) return fail(EBADMSG, place + ": the member is cut off, or its size wrong");
    if (type == 'x' || type == 'L' || type == 'K') {
      TRY(in(place, scan.read(type, TRY(in(place, read_text(file_, at, size))))));
    } else if (type != 'g') {
      TRY(in(place, add(scan.name(header.data()), type, scan.link(header.data()), {.offset = at, .size = size})));
      scan = {};
    }
    at += (size + block - 1) / block * block;
  }
  return {};
}

Status Archive::add(const std::string &name, char type, const std::string &link, Member member) {
  const std::optional<std::string> key = normal_name("", name);
  if (!key) return fail(EXDEV, fmt::format("the member {} lies outside the archive", spec::quote(name)));
  Entry entry{.member = member, .link = {}};
  // A link that leads nowhere is an error only for who wants it.
  if (type == '1') entry.link = normal_name("", link).value_or("..");
  if (type == '2') entry.link = normal_name(directory_of(*key), link).value_or("..");
  if (is_file(type) || !entry.link.empty()) entries_[*key] = std::move(entry);
  if (entries_.size() > most_members) return fail(E2BIG, fmt::format("more than {} members", most_members));
  return {};
}

bool Archive::has(const std::string &name) const { return find(name).has_value(); }

Result<Archive::Member> Archive::find(const std::string &name) const {
  std::string at = normal_name("", name).value_or("..");
  for (int links = 0; links < most_links; ++links) {
    if (at == "..") return fail(EXDEV, fmt::format("{}: {} leads out of the archive", path_, spec::quote(name)));
    const auto found = entries_.find(at);
    if (found == entries_.end()) return fail(ENOENT, fmt::format("{}: no member {}", path_, spec::quote(at)));
    if (found->second.link.empty()) return found->second.member;
    at = found->second.link;
  }
  return fail(ELOOP, fmt::format("{}: {}", path_, spec::quote(name)));
}

Result<std::string> Archive::read(const std::string &name) const {
  const Member member = TRY(find(name));
  if (member.size > largest_document) {
    return fail(EFBIG, fmt::format("{}: {} has {} bytes", path_, spec::quote(name), member.size));
  }
  std::string text(member.size, '\0');
  const ReadBytes bytes = read_range(file_, member.offset, member.size);
  for (std::size_t at = 0; at < text.size();) at += TRY(in(path_, bytes(std::span(text).subspan(at))));
  return text;
}

Status ArchiveWriter::header(const std::string &name, std::uint64_t size, char type, unsigned mode) {
  if (name.size() > 100) return fail(ENAMETOOLONG, name);
  Block header{};
  const auto put = [&](std::size_t offset, std::string_view text) { std::ranges::copy(text, &header.at(offset)); };
  put(0, name);
  put(100, fmt::format("{:07o}", mode));
  put(108, "0000000");
  put(116, "0000000");
  // Beyond eleven octal digits GNU's binary form, which every reader knows.
  if (size < (std::uint64_t{1} << 33U)) {
    put(124, fmt::format("{:011o}", size));
  } else {
    header[124] = '\x80';
    for (std::size_t i = 0; i < 8; ++i) header[135 - i] = static_cast<char>(size >> (8 * i));
  }
  put(136, "00000000000");
  header[156] = type;
  put(257, "ustar");
  put(263, "00");
  put(148, "        ");
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return kernel::write_all(file_, std::string_view(header.data(), header.size()));
}

Status ArchiveWriter::pad(std::uint64_t size) {
  static constexpr Block zeros{};
  return kernel::write_all(file_, std::string_view(zeros.data(), (block - size % block) % block));
}

Status ArchiveWriter::add_directory(const std::string &name) { return header(name + "/", 0, '5', 0755); }

Status ArchiveWriter::add_text(const std::string &name, std::string_view text) {
  return add(name, text.size(), read_text(text));
}

Result<std::uint64_t> ArchiveWriter::data(const ReadBytes &bytes, std::uint64_t most) {
  std::vector<char> buffer(1U << 20U);
  for (std::uint64_t written = 0;;) {
    const std::size_t count = TRY(bytes(buffer));
    if (count == 0) return written;
    written += count;
    if (written > most) return fail(EBADMSG, fmt::format("more than {} bytes", most));
    TRY(kernel::write_all(file_, std::string_view(buffer.data(), count)));
  }
}

Status ArchiveWriter::add(const std::string &name, std::uint64_t size, const ReadBytes &bytes) {
  TRY(header(name, size, '0', 0644));
  const std::uint64_t written = TRY(in(name, data(bytes, size)));
  if (written != size) return fail(EBADMSG, fmt::format("{}: {} bytes, not {}", name, written, size));
  return pad(size);
}

Status ArchiveWriter::add_unknown(const std::string &name, const ReadBytes &bytes) {
  const off_t start = TRY(kernel::lseek(file_, 0, SEEK_CUR));
  TRY(header(name, 0, '0', 0644));
  const std::uint64_t size = TRY(in(name, data(bytes, ~std::uint64_t{0})));
  TRY(pad(size));
  const off_t end = TRY(kernel::lseek(file_, 0, SEEK_CUR));
  TRY(kernel::lseek(file_, start, SEEK_SET));
  TRY(header(name, size, '0', 0644));
  TRY(kernel::lseek(file_, end, SEEK_SET));
  return {};
}

Status ArchiveWriter::finish() {
  static constexpr std::array<char, 2 * block> zeros{};
  return kernel::write_all(file_, std::string_view(zeros.data(), zeros.size()));
}

}  // namespace skiff::image
