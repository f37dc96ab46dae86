#include "runtime/cli/width.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace skiff::cli {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode Standard Annex 11, the blocks that people meet: wide and fullwidth.
constexpr std::array<Range, 16> wide = {{{0x1100, 0x115f},
                                         {0x231a, 0x231b},
                                         {0x23e9, 0x23ec},
                                         {0x2614, 0x2615},
                                         {0x26a1, 0x26a1},
                                         {0x2705, 0x2705},
                                         {0x274c, 0x274c},
                                         {0x2e80, 0x303e},
                                         {0x3041, 0xa4cf},
                                         {0xac00, 0xd7a3},
                                         {0xf900, 0xfaff},
                                         {0xfe30, 0xfe6f},
                                         {0xff00, 0xff60},
                                         {0xffe0, 0xffe6},
                                         {0x1f300, 0x1faff},
                                         {0x20000, 0x3fffd}}};
// Combining marks, joiners, variation selectors.
constexpr std::array<Range, 7> none = {{{0x0300, 0x036f},
                                        {0x0483, 0x0489},
                                        {0x0591, 0x05bd},
                                        {0x064b, 0x065f},
                                        {0x200b, 0x200f},
                                        {0x20d0, 0x20f0},
                                        {0xfe00, 0xfe0f}}};

bool is_in(std::span<const Range> ranges, std::uint32_t letter) {
  return std::ranges::any_of(ranges, [&](const Range &range) { return letter >= range.first && letter <= range.last; });
}

std::size_t length_of(unsigned char first) {
  if (first >= 0xf0 && first < 0xf8) return 4;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xc2 && first < 0xe0 ? 2 : 1;
}

// Of the bytes of one letter.
std::uint32_t code_of(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  if (bytes.size() == 1) return first;
  std::uint32_t code = first & (0xffU >> (bytes.size() + 1));
  for (const char byte : bytes.substr(1)) code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3fU);
  return code;
}

std::size_t letter_width(std::string_view bytes) {
  const std::uint32_t code = code_of(bytes);
  if (code < 0x300 || is_in(none, code)) return code < 0x300 ? 1 : 0;
  return is_in(wide, code) ? 2 : 1;
}

}  // namespace

std::string_view take_letter(std::string_view &text) {
  std::size_t length = length_of(static_cast<unsigned char>(text.front()));
  if (length > text.size()) length = 1;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80) length = 1;
  }
  const std::string_view letter = text.substr(0, length);
  text.remove_prefix(length);
  return letter;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += letter_width(take_letter(text));
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t columns, std::string_view end) {
  if (width_of(text) <= columns) return std::string(text);
  const std::size_t end_width = width_of(end);
  const std::string_view mark = end_width <= columns ? end : std::string_view();
  const std::size_t room = columns - (mark.empty() ? 0 : end_width);
  std::string cut;
  std::size_t width = 0;
  while (!text.empty()) {
    const std::string_view letter = take_letter(text);
    width += letter_width(letter);
    if (width > room) break;
    cut += letter;
  }
  return cut.append(mark);
}

std::string pad_to_width(std::string_view text, std::size_t columns, bool right) {
  const std::size_t width = width_of(text);
  const std::string blanks(columns > width ? columns - width : 0, ' ');
  return right ? blanks + std::string(text) : std::string(text) + blanks;
}

}  // namespace skiff::cli
