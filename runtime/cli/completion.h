// Shell completion scripts, made from the command tables. A script completes commands, flags, the choices of a flag,
// files and directories where the flag's value is named FILE or DIR, and container ids (by `PROGRAM list --quiet`).
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/flags.h"

namespace skiff::cli {

inline constexpr std::string_view kShells = "bash|zsh|fish";  // the choices of completion_script

// The two commands by which every program gives out its script and its manual page.
inline constexpr Command completion_command = {
    .name = "completion",
    .usage = kShells,
    .summary = "print a script that completes the command line in this shell",
    .min_positionals = 1,
    .max_positionals = 1};
inline constexpr Command man_command = {.name = "man", .summary = "print the manual page in roff", .hidden = true};

// The script for a shell, to be put where that shell looks for it (bash-completion/completions/NAME,
// zsh/site-functions/_NAME, fish/vendor_completions.d/NAME.fish). An error for any other shell.
[[nodiscard]] Result<std::string> completion_script(const Program &program, std::string_view shell);

}  // namespace skiff::cli
