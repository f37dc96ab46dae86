#include "compose/project_name.h"

namespace skiff::compose {
namespace {

bool is_letter_or_digit(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); }

}  // namespace

bool is_project_name(std::string_view name) {
  if (name.empty() || !is_letter_or_digit(name[0])) return false;
  for (const char letter : name) {
    if (!is_letter_or_digit(letter) && letter != '-' && letter != '_') return false;
  }
  return true;
}

std::string make_project_name(std::string_view folder) {
  std::string name;
  for (const char letter : folder) {
    const char small = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
    const bool first = name.empty();
    if (is_letter_or_digit(small) || (!first && (small == '-' || small == '_'))) name += small;
  }
  return name;
}

}  // namespace skiff::compose
