#include "imgtool/tar_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "spec/names.h"

namespace skiff::image {

std::string entry_place(const TarEntry &entry) {
  if (entry.name.empty()) return fmt::format("entry {}", entry.number);
  return fmt::format("{} (entry {})", spec::quote(entry.name), entry.number);
}

namespace tar {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::optional<std::int64_t> parse_octal(std::string_view field) {
  const std::string_view digits = trim(text_of(field));
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7' || value >> 60U != 0) return std::nullopt;
    value = value << 3U | static_cast<unsigned>(digit - '0');
  }
  return static_cast<std::int64_t>(value);
}

// The sign is the second highest bit of the first byte, the highest one marks the encoding.
std::optional<std::int64_t> parse_base_256(std::string_view field) {
  const bool negative = (static_cast<unsigned char>(field[0]) & 0x40U) != 0;
  const unsigned char flip = negative ? 0xff : 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    auto byte = static_cast<unsigned char>(static_cast<unsigned char>(field[i]) ^ flip);
    if (i == 0) byte &= 0x7fU;
    if (value >> 55U != 0) return std::nullopt;
    value = value << 8U | byte;
  }
  return static_cast<std::int64_t>(negative ? ~value : value);
}

constexpr std::string_view schily_xattr = "SCHILY.xattr.";
constexpr std::string_view libarchive_xattr = "LIBARCHIVE.xattr.";

std::optional<unsigned> hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const std::optional<unsigned> high = hex_digit(text[i + 1]);
    const std::optional<unsigned> low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4U | *low);
    i += 2;
  }
  return out;
}

std::optional<std::string> decode_base_64(std::string_view text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char letter : text) {
    const std::size_t value = letters.find(letter);
    if (value == letters.npos) return std::nullopt;
    bits = (bits << 6U | static_cast<unsigned>(value)) & 0xffffU;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffU);
  }
  return out;
}

// The last of the same name counts.
bool set_xattr(std::vector<Xattr> &xattrs, std::optional<std::string> name, std::optional<std::string> value) {
  if (!name || !value || name->empty() || name->contains('\0')) return false;
  std::erase_if(xattrs, [&](const Xattr &xattr) { return xattr.name == *name; });
  if (xattrs.size() == most_xattrs || value->size() > most_xattr_bytes) return false;
  xattrs.push_back({.name = std::move(*name), .value = std::move(*value)});
  return true;
}

bool set_text(std::optional<std::string> &field, std::string_view value) {
  if (value.contains('\0')) return false;
  field.reset();
  if (!value.empty()) field = value;
  return true;
}

template <class T>
bool set_parsed(std::optional<T> &field, std::string_view value, std::optional<T> (*parse)(std::string_view)) {
  field.reset();
  if (value.empty()) return true;
  field = parse(value);
  return field.has_value();
}

bool set_sparse_list(PaxFields &into, std::string_view value) {
  into.has_sparse_map = true;
  into.sparse_map.clear();
  while (!value.empty()) {
    SparseRange range;
    for (std::uint64_t *number : {&range.offset, &range.size}) {
      const std::size_t comma = std::min(value.find(','), value.size());
      const std::optional<std::uint64_t> parsed = parse_decimal(value.substr(0, comma));
      if (!parsed) return false;
      *number = *parsed;
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
    if (into.sparse_map.size() == most_ranges) return false;
    into.sparse_map.push_back(range);
  }
  return true;
}

bool set_sparse(PaxFields &into, std::string_view key, std::string_view value) {
  if (key == "name") return set_text(into.sparse_name, value);
  if (key == "size" || key == "realsize") return set_parsed(into.sparse_size, value, &parse_decimal);
  if (key == "major") return set_parsed(into.sparse_major, value, &parse_decimal);
  if (key == "minor") return set_parsed(into.sparse_minor, value, &parse_decimal);
  if (key == "map") return set_sparse_list(into, value);
  if (key == "offset" || key == "numbytes") {
    const std::optional<std::uint64_t> number = parse_decimal(value);
    if (!number || into.sparse_map.size() > most_ranges) return false;
    into.has_sparse_map = true;
    if (key == "offset") into.sparse_map.push_back({.offset = *number, .size = 0});
    if (key == "numbytes" && into.sparse_map.empty()) return false;
    if (key == "numbytes") into.sparse_map.back().size = *number;
  }
  return true;
}

bool set_record(PaxFields &into, std::string_view key, std::string_view value) {
  constexpr std::string_view sparse = "GNU.sparse.";
  if (key == "path") return set_text(into.path, value);
  if (key == "linkpath") return set_text(into.link, value);
  if (key == "size") return set_parsed(into.size, value, &parse_decimal);
  if (key == "uid") return set_parsed(into.uid, value, &parse_decimal);
  if (key == "gid") return set_parsed(into.gid, value, &parse_decimal);
  if (key == "mtime") return set_parsed(into.mtime, value, &parse_time);
  if (key.starts_with(sparse)) return set_sparse(into, key.substr(sparse.size()), value);
  if (key.starts_with(schily_xattr)) {
    return set_xattr(into.xattrs, std::string(key.substr(schily_xattr.size())), std::string(value));
  }
  if (key.starts_with(libarchive_xattr)) {
    std::optional<std::string> name = decode_percent(key.substr(libarchive_xattr.size()));
    // bsdtar writes both forms of the same attribute.
    return set_xattr(into.xattrs, std::move(name), decode_base_64(value));
  }
  return true;  // atime, ctime, uname, comment, a vendor's own
}

}  // namespace

std::string_view text_of(std::string_view field) { return field.substr(0, field.find('\0')); }

std::optional<std::int64_t> parse_number(std::string_view field) {
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) return parse_base_256(field);
  return parse_octal(field);
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !fits) return std::nullopt;
  return value;
}

std::optional<timespec> parse_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::optional<std::uint64_t> seconds = parse_decimal(text.substr(0, dot));
  if (!seconds) return std::nullopt;
  long nanoseconds = 0;
  const std::string_view fraction = text.substr(std::min(dot + 1, text.size()));
  for (std::size_t i = 0; i < 9; ++i) {
    const char digit = i < fraction.size() ? fraction[i] : '0';
    if (digit < '0' || digit > '9') return std::nullopt;
    nanoseconds = nanoseconds * 10 + (digit - '0');
  }
  timespec time{.tv_sec = static_cast<time_t>(*seconds), .tv_nsec = nanoseconds};
  if (!negative) return time;
  time.tv_sec = -time.tv_sec;
  if (time.tv_nsec == 0) return time;
  return timespec{.tv_sec = time.tv_sec - 1, .tv_nsec = 1'000'000'000 - time.tv_nsec};
}

bool checksum_fits(const char *block) {
  const std::optional<std::int64_t> expected = parse_octal(field::checksum.of(block));
  if (!expected) return false;
  // In the sum the field itself counts as blanks.
  constexpr std::int64_t blanks = std::int64_t{' '} * 8;
  std::int64_t as_unsigned = blanks;
  std::int64_t as_signed = blanks;
  for (std::size_t i = 0; i < block_size; ++i) {
    if (i >= field::checksum.offset && i < field::checksum.offset + field::checksum.size) continue;
    as_unsigned += static_cast<unsigned char>(block[i]);
    as_signed += static_cast<signed char>(block[i]);
  }
  return *expected == as_unsigned || *expected == as_signed;
}

Status parse_pax(std::string_view records, PaxFields &into) {
  std::size_t at = 0;
  while (at < records.size()) {
    const std::string_view rest = records.substr(at);
    const std::size_t blank = rest.find(' ');
    const std::optional<std::uint64_t> length = blank > 8 ? std::nullopt : parse_decimal(rest.substr(0, blank));
    const bool fits = length && *length <= rest.size() && *length >= blank + 3;
    if (!fits || rest[*length - 1] != '\n') {
      return fail(EBADMSG, fmt::format("pax record at byte {}: its length is wrong", at));
    }
    const std::string_view record = rest.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == record.npos || equals == 0) {
      return fail(EBADMSG, fmt::format("pax record at byte {}: no keyword", at));
    }
    const std::string_view key = record.substr(0, equals);
    if (!set_record(into, key, record.substr(equals + 1))) {
      return fail(EBADMSG, fmt::format("pax record {}: its value is none", spec::quote(key)));
    }
    at += *length;
  }
  return {};
}

Status parse_gnu_map(std::string_view field, std::vector<SparseRange> &into) {
  constexpr std::size_t number_size = 12;
  for (std::size_t at = 0; at + 2 * number_size <= field.size(); at += 2 * number_size) {
    if (field[at] == '\0') return {};
    const std::optional<std::int64_t> offset = parse_number(field.substr(at, number_size));
    const std::optional<std::int64_t> size = parse_number(field.substr(at + number_size, number_size));
    if (!offset || !size || *offset < 0 || *size < 0) return fail(EBADMSG, "sparse map: a number that is none");
    if (into.size() == most_ranges) return fail(EFBIG, fmt::format("sparse map: more than {} ranges", most_ranges));
    into.push_back({.offset = static_cast<std::uint64_t>(*offset), .size = static_cast<std::uint64_t>(*size)});
  }
  return {};
}

Status check_ranges(std::span<const SparseRange> ranges, std::uint64_t real_size, std::uint64_t stored) {
  std::uint64_t end = 0;
  std::uint64_t sum = 0;
  for (const SparseRange &range : ranges) {
    if (range.offset < end || range.size > real_size || range.offset > real_size - range.size) {
      return fail(EBADMSG, fmt::format("sparse map: {} bytes at {} overlap or end behind the file's {}", range.size,
                                       range.offset, real_size));
    }
    end = range.offset + range.size;
    sum += range.size;
  }
  if (sum == stored) return {};
  return fail(EBADMSG, fmt::format("sparse map: it has {} bytes, the archive {}", sum, stored));
}

}  // namespace tar
}  // namespace skiff::image
