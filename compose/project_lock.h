// One command at a time changes a project. DATA/projects/NAME.lock is locked by it and says who it is.
#pragma once

#include <string>

#include "compose/state.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

// Held until the descriptor goes. An error with the command and the process that holds it.
[[nodiscard]] Result<kernel::Fd> lock_project(const Places &places, const std::string &project,
                                              const std::string &command);
// Of a project of which nothing is left: the file goes as well.
[[nodiscard]] Status forget_lock(const Places &places, const std::string &project, kernel::Fd lock);

}  // namespace skiff::compose
