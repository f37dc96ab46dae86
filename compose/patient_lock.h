// A lock of a command that was killed: its own processes have it for a moment longer than it lives.
#pragma once

#include <string>

#include "compose/state.h"

namespace skiff::compose {

// lock_file with LOCK_EX, for seconds at most: flock(2) itself would wait without end. Invalid where it is not got.
[[nodiscard]] Result<kernel::Fd> lock_patiently(const std::string &path);

}  // namespace skiff::compose
