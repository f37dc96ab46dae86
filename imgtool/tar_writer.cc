#include "imgtool/tar_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace skiff::image {
namespace {

constexpr std::size_t block_size = 512;
constexpr std::size_t buffer_size = std::size_t{1} << 18U;
constexpr std::uint64_t largest_octal_7 = 07777777;
constexpr std::uint64_t largest_octal_11 = 077777777777;

struct Field {
  std::size_t offset, size;
};
constexpr Field name_field{0, 100}, mode_field{100, 8}, uid_field{108, 8}, gid_field{116, 8}, size_field{124, 12},
    mtime_field{136, 12}, checksum_field{148, 8}, link_field{157, 100}, major_field{329, 8}, minor_field{337, 8},
    prefix_field{345, 155};

using Block = std::array<char, block_size>;

void put_text(Block &block, Field field, std::string_view text) {
  std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.size));
}

void put_number(Block &block, Field field, std::uint64_t value) {
  put_text(block, field, fmt::format("{:0{}o}", value, field.size - 1));
}

char type_letter(EntryType type) {
  switch (type) {
    case EntryType::file:
      return '0';
    case EntryType::hard_link:
      return '1';
    case EntryType::symlink:
      return '2';
    case EntryType::character:
      return '3';
    case EntryType::block:
      return '4';
    case EntryType::directory:
      return '5';
    case EntryType::fifo:
      return '6';
  }
  return '0';
}

// "LENGTH KEY=VALUE\n", the length with its own digits.
void add_record(std::string &records, std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  records += fmt::format("{} {}={}\n", length, key, value);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return static_cast<unsigned char>(letter) < 0x80; });
}

// Where a name is cut in two for ustar; none where it does not fit.
std::size_t find_cut(std::string_view name) {
  for (std::size_t cut = name.find('/'); cut != std::string_view::npos; cut = name.find('/', cut + 1)) {
    if (cut > 0 && cut <= prefix_field.size && name.size() - cut - 1 <= name_field.size && cut + 1 < name.size()) {
      return cut;
    }
  }
  return std::string_view::npos;
}

std::string time_record(const timespec &time) {
  if (time.tv_nsec == 0) return std::to_string(time.tv_sec);
  // Before 1970 the fraction counts back from the second.
  if (time.tv_sec < 0) {
    const auto seconds = -(time.tv_sec + 1);
    return fmt::format("-{}.{:09}", seconds, 1'000'000'000 - time.tv_nsec);
  }
  return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
}

std::string pax_records(const TarEntry &entry, const std::string &name) {
  std::string records;
  const bool long_name = name.size() > name_field.size && find_cut(name) == std::string::npos;
  if (long_name || !is_ascii(name)) add_record(records, "path", name);
  if (entry.link.size() > link_field.size || !is_ascii(entry.link)) add_record(records, "linkpath", entry.link);
  if (entry.size > largest_octal_11) add_record(records, "size", std::to_string(entry.size));
  if (entry.uid > largest_octal_7) add_record(records, "uid", std::to_string(entry.uid));
  if (entry.gid > largest_octal_7) add_record(records, "gid", std::to_string(entry.gid));
  const bool odd_time = entry.mtime.tv_nsec != 0 || entry.mtime.tv_sec < 0 ||
                        static_cast<std::uint64_t>(entry.mtime.tv_sec) > largest_octal_11;
  if (odd_time) add_record(records, "mtime", time_record(entry.mtime));
  std::vector<Xattr> xattrs = entry.xattrs;
  std::ranges::sort(xattrs);
  for (const Xattr &xattr : xattrs) add_record(records, "SCHILY.xattr." + xattr.name, xattr.value);
  return records;
}

Block make_block(const TarEntry &entry, std::string_view name, char type, std::uint64_t size) {
  Block block{};
  const std::size_t cut = name.size() > name_field.size ? find_cut(name) : std::string_view::npos;
  if (cut != std::string_view::npos) {
    put_text(block, prefix_field, name.substr(0, cut));
    put_text(block, name_field, name.substr(cut + 1));
  } else {
    put_text(block, name_field, name);
  }
  put_number(block, mode_field, entry.mode & 07777U);
  put_number(block, uid_field, std::min<std::uint64_t>(entry.uid, largest_octal_7));
  put_number(block, gid_field, std::min<std::uint64_t>(entry.gid, largest_octal_7));
  put_number(block, size_field, std::min(size, largest_octal_11));
  const std::uint64_t seconds = entry.mtime.tv_sec < 0 ? 0 : static_cast<std::uint64_t>(entry.mtime.tv_sec);
  put_number(block, mtime_field, std::min(seconds, largest_octal_11));
  block[156] = type;
  put_text(block, link_field, entry.link);
  put_text(block, {257, 8}, std::string_view("ustar\00000", 8));
  put_number(block, major_field, entry.device_major);
  put_number(block, minor_field, entry.device_minor);
  std::memset(block.data() + checksum_field.offset, ' ', checksum_field.size);
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put_text(block, checksum_field, fmt::format("{:06o}", sum));
  block[checksum_field.offset + 6] = '\0';
  return block;
}

}  // namespace

Status TarWriter::add(const TarEntry &entry, const ReadBytes &data) {
  std::string name = entry.name;
  if (entry.type == EntryType::directory && !name.ends_with('/')) name += '/';
  const Status added = [&]() -> Status {
    TRY(header(entry, name));
    return copy(entry.size, data);
  }();
  return in(name, added);
}

Status TarWriter::header(const TarEntry &entry, const std::string &name) {
  const std::string records = pax_records(entry, name);
  if (!records.empty()) {
    TarEntry extra;
    extra.mode = 0644;
    // Its name counts for programs that do not know pax.
    TRY(out_(make_block(extra, "PaxHeaders/" + name.substr(0, 80), 'x', records.size())));
    TRY(out_(records));
    TRY(pad(records.size()));
  }
  return out_(make_block(entry, name, type_letter(entry.type), entry.size));
}

Status TarWriter::copy(std::uint64_t size, const ReadBytes &data) {
  if (size == 0) return {};
  std::vector<char> buffer(std::min<std::uint64_t>(size, buffer_size));
  for (std::uint64_t left = size; left > 0;) {
    const std::size_t got = TRY(data(std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()))));
    if (got == 0) return fail(EIO, fmt::format("{} bytes are missing", left), "it was changed while it was read");
    TRY(out_(std::span(buffer).first(got)));
    left -= got;
  }
  return pad(size);
}

Status TarWriter::pad(std::uint64_t size) {
  constexpr Block zeros{};
  const std::size_t used = size % block_size;
  if (used == 0) return {};
  return out_(std::span(zeros).first(block_size - used));
}

Status TarWriter::finish() {
  constexpr std::array<char, 2 * block_size> zeros{};
  return out_(zeros);
}

}  // namespace skiff::image
