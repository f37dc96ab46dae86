#include "spec/text.h"

#include <algorithm>

namespace skiff::spec {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char &letter : out) letter = lower_case(letter);
  return out;
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return is_hex(letter); });
}

}  // namespace skiff::spec
