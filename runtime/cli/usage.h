// Help text, for a terminal: lines of at most 100 columns, hidden commands and flags left out.
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/flags.h"

namespace skiff::cli {

inline constexpr int kHelpColumns = 100;

// What `PROGRAM --help` prints: usage, commands, global flags.
[[nodiscard]] std::string program_help(const Program &program);

// What `PROGRAM COMMAND --help` prints: usage, description, flags.
[[nodiscard]] std::string command_help(const Program &program, const Command &command);

// "skiff create [flags] CONTAINER", for help and for the remedy of an error.
[[nodiscard]] std::string usage_line(const Program &program, const Command &command);

// What stands for the flag's value in help: its choices, its name, or a word for its kind; empty for a bool.
[[nodiscard]] std::string_view value_name(const FlagSpec &flag);

// The text broken at blanks into lines of at most `columns`, each after the first led by `indent` blanks.
// Line ends in the text stay; a word longer than the line is not broken.
[[nodiscard]] std::string wrap(std::string_view text, int columns, int indent);

}  // namespace skiff::cli
