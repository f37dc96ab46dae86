// The manual page of a program, made from its command tables: roff with the man(7) macros.
#pragma once

#include <string>

#include "runtime/cli/flags.h"

namespace skiff::cli {

// Section 8. It holds no date, so that two builds of one source are the same bytes.
[[nodiscard]] std::string man_page(const Program &program);

}  // namespace skiff::cli
