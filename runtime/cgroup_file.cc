#include "runtime/cgroup_file.h"

#include <charconv>

namespace skiff {
namespace {
// memory.stat and io.stat of a host with many devices; a list of pids is bounded by pid_max.
constexpr std::size_t largest_file = std::size_t{64} << 20;
}  // namespace

Result<std::string> read_cgroup_file(kernel::FdView dir, kernel::CString file) {
  const kernel::Fd fd = TRY(kernel::openat(dir, file, O_RDONLY | O_NOFOLLOW));
  std::string text = TRY(kernel::read_all(fd, largest_file));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<std::uint64_t> read_cgroup_number(kernel::FdView dir, kernel::CString file) {
  const std::string text = TRY(read_cgroup_file(dir, file));
  const std::optional<std::uint64_t> number = parse_cgroup_number(text);
  if (!number) return fail(std::string(file.view()) + ": \"" + text + "\" is no number");
  return *number;
}

Status write_cgroup_file(kernel::FdView dir, kernel::CString file, std::string_view value) {
  const kernel::Fd fd = TRY(kernel::openat(dir, file, O_WRONLY | O_NOFOLLOW));
  TRY(kernel::write_some(fd, value));
  return {};
}

std::optional<std::uint64_t> parse_cgroup_number(std::string_view text) {
  if (text == "max") return UINT64_MAX;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> find_key(std::string_view text, std::string_view key) {
  while (std::optional<std::string_view> line = next_line(text)) {
    if (next_word(*line) == key) return parse_cgroup_number(next_word(*line));
  }
  return std::nullopt;
}

std::optional<std::string_view> next_line(std::string_view &text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view next_word(std::string_view &line) {
  const std::size_t start = line.find_first_not_of(' ');
  line.remove_prefix(start == std::string_view::npos ? line.size() : start);
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(word.size());
  return word;
}

}  // namespace skiff
