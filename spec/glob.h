// File name patterns, as Dockerfiles and their ignore files have them: * ? [a-z] [^a] and \ in front of a letter that
// shall count as itself. None of them matches '/', but for **.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/error.h"

namespace skiff::spec {

class Glob {
 public:
  // With `deep` a "**" is any number of directories, none included. An error where a bracket has no end.
  [[nodiscard]] static Result<Glob> parse(std::string_view pattern, bool deep);
  // In time proportional to both lengths, whatever the pattern is.
  [[nodiscard]] bool matches(std::string_view path) const;
  // Whether it has anything in it but letters that stand for themselves.
  [[nodiscard]] static bool is_pattern(std::string_view text);

 private:
  enum class Kind : std::uint8_t { letter, any, one_of, star, deep, directories };
  struct Part {
    Kind kind = Kind::letter;
    char letter = 0;
    std::bitset<256> set;
  };
  [[nodiscard]] Status parse_set(std::string_view pattern, std::size_t &at);
  std::vector<Part> parts_;
};

}  // namespace skiff::spec
