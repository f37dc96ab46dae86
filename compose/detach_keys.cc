#include "compose/detach_keys.h"

#include <fmt/format.h>

namespace skiff::compose {

Result<std::string> parse_detach_keys(std::string_view text) {
  std::string keys;
  std::string_view rest = text.empty() ? "ctrl-p,ctrl-q" : text;
  while (true) {
    const std::string_view word = rest.substr(0, rest.find(','));
    const bool control = word.size() == 6 && word.starts_with("ctrl-");
    const char last = word.empty() ? '\0' : word.back();
    const bool letter = last >= 'a' && last <= 'z';
    if (control && (letter || (last >= '@' && last <= '_'))) {
      keys += static_cast<char>(static_cast<unsigned char>(last) & 0x1fU);
    } else if (word.size() == 1) {
      keys += last;
    } else {
      return fail(fmt::format("--detach-keys: \"{}\" is no key", word),
                  "write letters or ctrl-LETTER, as ctrl-p,ctrl-q");
    }
    if (word.size() == rest.size()) return keys;
    rest.remove_prefix(word.size() + 1);
  }
}

}  // namespace skiff::compose
