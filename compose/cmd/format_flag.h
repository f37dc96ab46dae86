// --format of the commands that print for people and for machines.
#pragma once

#include <string_view>

#include "runtime/cli/flags.h"

namespace skiff::compose {

// `choices` as in "table|json": the first one is what is printed without the flag.
[[nodiscard]] constexpr cli::FlagSpec format_flag(std::string_view choices, char letter = 0) {
  return {.name = "format",
          .letter = letter,
          .value = "FORMAT",
          .text = "how it is printed",
          .choices = choices,
          .initial = choices.substr(0, choices.find('|'))};
}

}  // namespace skiff::compose
