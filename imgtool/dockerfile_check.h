// Which instructions there are, which flags each takes, and how many words each needs.
#pragma once

#include <string>
#include <vector>

#include "imgtool/dockerfile.h"

namespace skiff::image {

// Errors without the line; a warning where an instruction is taken and does nothing.
[[nodiscard]] Status check_instruction(const Instruction &instruction, std::vector<std::string> &warnings);

// Whether a JSON list is another form of its arguments.
[[nodiscard]] bool takes_json(std::string_view keyword);
// Whether "<<NAME" begins a heredoc in it.
[[nodiscard]] bool takes_heredocs(std::string_view keyword);

}  // namespace skiff::image
