#include "imgtool/output.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/kernel/fd.h"

namespace skiff::image {

Result<int> print(std::string_view text) {
  TRY(in("stdout", kernel::write_all(kernel::FdView(1), text)));
  return 0;
}

std::string table_text(const std::vector<std::vector<std::string>> &lines) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string> &line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const std::vector<std::string> &line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) text += fmt::format("{:<{}}   ", line[i], widths[i]);
    text += line.back() + "\n";
  }
  // An image's own words must not steer the terminal.
  std::ranges::replace_if(
      text, [](unsigned char letter) { return (letter < ' ' && letter != '\n') || letter == 0x7f; }, '?');
  return text;
}

}  // namespace skiff::image
