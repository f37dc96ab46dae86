// ASCII letters, whatever the locale is.
#pragma once

#include <string>
#include <string_view>

namespace skiff::spec {

[[nodiscard]] constexpr char lower_case(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}
[[nodiscard]] std::string lower_case(std::string_view text);

// A hexadecimal digit as digests have it: in lower case.
[[nodiscard]] constexpr bool is_hex(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}
// All of it; of an empty text as well.
[[nodiscard]] bool is_hex(std::string_view text);

}  // namespace skiff::spec
