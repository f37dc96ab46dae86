// Shell completion scripts, made from the command tables. A script completes commands, flags, the choices of a flag,
// files and directories where the flag's value is named FILE or DIR, and container ids (by `PROGRAM list --quiet`).
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/flags.h"

namespace skiff::cli {

inline constexpr std::string_view kShells = "bash|zsh|fish";  // the choices of completion_script

// The script for a shell, to be put where that shell looks for it (bash-completion/completions/NAME,
// zsh/site-functions/_NAME, fish/vendor_completions.d/NAME.fish). An error for any other shell.
[[nodiscard]] Result<std::string> completion_script(const Program &program, std::string_view shell);

}  // namespace skiff::cli
