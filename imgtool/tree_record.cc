// The record of a tree as a text.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "imgtool/tree.h"

namespace skiff::image {
namespace {

constexpr std::string_view first_line = "skiff-image tree 1\n";
constexpr std::size_t numbers = 10;

// Blanks, line ends and '%' as %XX.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (static_cast<unsigned char>(letter) <= ' ' || letter == '%') {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(letter));
    } else {
      out += letter;
    }
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
    if (error != std::errc() || end != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

std::string_view take_word(std::string_view &line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

// In the order of RecordedInode.
std::optional<std::array<std::int64_t, numbers>> take_numbers(std::string_view line) {
  std::array<std::int64_t, numbers> out{};
  for (std::int64_t &number : out) {
    const std::string_view word = take_word(line);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  }
  if (!line.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string print_record(const TreeRecord &record) {
  std::string out(first_line);
  for (const auto &[directory, names] : record.directories) {
    out += fmt::format("/{}\n", escaped(directory));
    for (const auto &[name, inode] : names) {
      out += fmt::format(" {} {} {} {} {} {} {} {} {} {} {}\n", escaped(name), inode.inode, inode.mode, inode.uid,
                         inode.gid, inode.device, inode.size, inode.mtime.tv_sec, inode.mtime.tv_nsec,
                         inode.ctime.tv_sec, inode.ctime.tv_nsec);
    }
  }
  return out;
}

Result<TreeRecord> parse_record(std::string_view text) {
  const auto damaged = [](std::size_t line) { return fail(EBADMSG, fmt::format("record of the tree, line {}", line)); };
  if (!text.starts_with(first_line)) return damaged(1);
  text.remove_prefix(first_line.size());
  TreeRecord record;
  std::map<std::string, RecordedInode> *names = nullptr;
  for (std::size_t count = 2; !text.empty(); ++count) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return damaged(count);
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const bool is_directory = line.starts_with('/');
    if (!is_directory && (!line.starts_with(' ') || names == nullptr)) return damaged(count);
    line.remove_prefix(1);
    std::optional<std::string> name = unescaped(is_directory ? line : take_word(line));
    if (!name) return damaged(count);
    if (is_directory) {
      names = &record.directories[std::move(*name)];
      continue;
    }
    const auto number = take_numbers(line);
    if (!number) return damaged(count);
    const auto &[inode, mode, uid, gid, device, size, mtime, mtime_nsec, ctime, ctime_nsec] = *number;
    (*names)[std::move(*name)] = {.inode = static_cast<std::uint64_t>(inode),
                                  .mode = static_cast<std::uint32_t>(mode),
                                  .uid = static_cast<std::uint32_t>(uid),
                                  .gid = static_cast<std::uint32_t>(gid),
                                  .device = static_cast<std::uint64_t>(device),
                                  .size = static_cast<std::uint64_t>(size),
                                  .mtime = {.tv_sec = mtime, .tv_nsec = mtime_nsec},
                                  .ctime = {.tv_sec = ctime, .tv_nsec = ctime_nsec}};
  }
  const auto top = record.directories.find("");
  if (top == record.directories.end() || !top->second.contains("")) return damaged(2);
  return record;
}

}  // namespace skiff::image
