#include "runtime/cli/table.h"

#include <algorithm>

#include "runtime/cli/width.h"

namespace skiff::cli {

std::string table_text(const std::vector<std::vector<std::string>> &lines) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string> &line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string text;
  for (const std::vector<std::string> &line : lines) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) text += pad_to_width(line[i], widths[i] + 3);
    text += line.back() + "\n";
  }
  // What an image says of itself must not steer the terminal.
  std::ranges::replace_if(
      text, [](unsigned char letter) { return (letter < ' ' && letter != '\n') || letter == 0x7f; }, '?');
  return text;
}

}  // namespace skiff::cli
