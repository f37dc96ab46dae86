#include "spec/ignore_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "spec/path.h"

namespace skiff::spec {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace

Result<IgnoreFile> IgnoreFile::parse(std::string_view text) {
  IgnoreFile file;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (line.starts_with('#')) continue;
    line = trim(line);
    const bool exception = line.starts_with('!');
    if (exception) line = trim(line.substr(1));
    const std::string pattern = clean_relative_path(line);
    // "." alone is passed over, for Docker's old files have it.
    if (pattern.empty()) continue;
    file.lines_.push_back({TRY(in(fmt::format("line {}", number), Glob::parse(pattern, true))), exception});
    file.exceptions_ = file.exceptions_ || exception;
  }
  return file;
}

bool IgnoreFile::ignores(std::string_view path) const {
  bool ignored = false;
  for (const Line &line : lines_) {
    if (line.exception != ignored) continue;
    bool matches = line.glob.matches(path);
    for (std::size_t slash = path.find('/'); !matches && slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      matches = line.glob.matches(path.substr(0, slash));
    }
    if (matches) ignored = !line.exception;
  }
  return ignored;
}

}  // namespace skiff::spec
