// A tree of values as text: what `config` prints.
#pragma once

#include <string>

#include "compose/value.h"

namespace skiff::compose {

// Block style, two spaces a level. A string that would be read as something else is quoted, one of several lines is a
// literal block where that can hold it.
[[nodiscard]] std::string print_yaml(const Value &value);

// With `indent` spaces a level; without any, all on one line. Numbers that JSON has no form for are strings.
[[nodiscard]] std::string print_json(const Value &value, int indent = 2);

}  // namespace skiff::compose
