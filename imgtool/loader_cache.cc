#include "imgtool/loader_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "spec/names.h"

namespace skiff::image {
namespace {

constexpr std::string_view magic = "glibc-ld.so.cache1.1";
// Before glibc 2.32 the file began with a table of the format before this one.
constexpr std::string_view old_magic = "ld.so-1.7.0";
constexpr std::size_t old_header = 16;
constexpr std::size_t old_entry = 12;
constexpr std::size_t header_size = 48;
constexpr std::size_t entry_size = 24;
constexpr std::uint8_t little = 2;
constexpr std::uint8_t big = 3;
constexpr std::size_t most_entries = 1'000'000;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t index = 0; index < size; ++index) {
    value = value << 8U | static_cast<unsigned char>(bytes[big_endian ? at + index : at + size - 1 - index]);
  }
  return value;
}

void append_number(std::string &out, std::uint64_t value, std::size_t size, bool big_endian) {
  for (std::size_t index = 0; index < size; ++index) {
    const std::size_t shift = 8 * (big_endian ? size - 1 - index : index);
    out += static_cast<char>(value >> shift & 0xffU);
  }
}

// The part of the file that begins with the magic word.
std::string_view skip_old_table(std::string_view bytes) {
  if (!bytes.starts_with(old_magic) || bytes.size() < old_header) return bytes;
  for (const bool big_endian : {false, true}) {
    const std::size_t end = old_header + number(bytes, 12, 4, big_endian) * old_entry;
    for (const std::size_t align : {std::size_t{8}, std::size_t{4}}) {
      const std::size_t begin = (end + align - 1) / align * align;
      if (begin < bytes.size() && bytes.substr(begin).starts_with(magic)) return bytes.substr(begin);
    }
  }
  return bytes;
}

Result<std::string> string_at(std::string_view bytes, std::uint64_t at) {
  const std::size_t end = at < bytes.size() ? bytes.find('\0', at) : std::string_view::npos;
  if (end == std::string_view::npos) return fail(fmt::format("the text at byte {} lies outside the file", at));
  return std::string(bytes.substr(at, end - at));
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// The digits at the front of `text`, taken off it, as a number.
unsigned long take_number(std::string_view &text) {
  unsigned long value = 0;
  while (!text.empty() && is_digit(text.front())) {
    value = value * 10 + static_cast<unsigned long>(text.front() - '0');
    text.remove_prefix(1);
  }
  return value;
}

// The order the loader searches by: digits count as the number they are, and come after every other letter.
int compare_names(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) != is_digit(b.front())) return is_digit(a.front()) ? 1 : -1;
    if (is_digit(a.front())) {
      const unsigned long left = take_number(a);
      const unsigned long right = take_number(b);
      if (left != right) return left < right ? -1 : 1;
    } else if (a.front() != b.front()) {
      return a.front() < b.front() ? -1 : 1;
    } else {
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.empty() == b.empty() ? 0 : a.empty() ? -1 : 1;
}

}  // namespace

Result<std::vector<LoaderCacheEntry>> parse_loader_cache(std::string_view file) {
  const std::string_view bytes = skip_old_table(file);
  if (!bytes.starts_with(magic) || bytes.size() < header_size) {
    return fail(fmt::format("no cache of the format {}", spec::quote(magic)), "ldconfig writes it anew");
  }
  const bool big_endian = bytes[28] == big;
  const std::uint64_t count = number(bytes, 20, 4, big_endian);
  if (count > most_entries || header_size + count * entry_size > bytes.size()) {
    return fail(fmt::format("{} entries are more than the file holds", count), "ldconfig writes it anew");
  }
  std::vector<LoaderCacheEntry> entries;
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t at = header_size + index * entry_size;
    LoaderCacheEntry entry;
    entry.flags = static_cast<std::int32_t>(number(bytes, at, 4, big_endian));
    entry.hwcap = number(bytes, at + 16, 8, big_endian);
    const std::string place = fmt::format("entry {}", index);
    entry.name = TRY(in(place, string_at(bytes, number(bytes, at + 4, 4, big_endian))));
    entry.path = TRY(in(place, string_at(bytes, number(bytes, at + 8, 4, big_endian))));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string print_loader_cache(std::vector<LoaderCacheEntry> entries, bool big_endian) {
  std::ranges::stable_sort(entries, [](const LoaderCacheEntry &a, const LoaderCacheEntry &b) {
    const int order = compare_names(a.name, b.name);
    return order != 0 ? order > 0 : a.path < b.path;
  });
  std::string strings;
  std::string table;
  const std::size_t strings_begin = header_size + entries.size() * entry_size;
  for (const LoaderCacheEntry &entry : entries) {
    append_number(table, static_cast<std::uint32_t>(entry.flags), 4, big_endian);
    for (const std::string &text : {entry.name, entry.path}) {
      append_number(table, strings_begin + strings.size(), 4, big_endian);
      strings += text;
      strings += '\0';
    }
    append_number(table, 0, 4, big_endian);
    append_number(table, entry.hwcap, 8, big_endian);
  }
  std::string out(magic);
  append_number(out, entries.size(), 4, big_endian);
  append_number(out, strings.size(), 4, big_endian);
  append_number(out, big_endian ? std::uint64_t{big} << 24U : std::uint64_t{little}, 4, big_endian);
  append_number(out, 0, 8, big_endian);
  append_number(out, 0, 8, big_endian);
  return out + table + strings;
}

}  // namespace skiff::image
