// The process's environment: getenv(3).
#pragma once

#include <string>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// Empty where it is not set: who asks for a path or a name makes no difference.
[[nodiscard]] std::string environment_variable(CString name);

// A directory of the user's by the XDG Base Directory Specification: $NAME where that is absolute, as a relative one is
// to be ignored, else $HOME and `below` ("/.local/share"). Empty without either.
[[nodiscard]] std::string user_directory(CString name, std::string_view below);

}  // namespace skiff::kernel
