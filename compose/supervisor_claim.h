// Whose a group of containers is: the lock of RUN/supervisors/GROUP.
#pragma once

#include <string>

#include "compose/state.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

[[nodiscard]] std::string claims_directory(const Places &places);
[[nodiscard]] std::string claim_path(const Places &places, const std::string &group);

// The group, until the descriptor goes; an invalid one where another process has it.
[[nodiscard]] Result<kernel::Fd> claim_group(const Places &places, const std::string &group);
// The file goes while it is locked: nobody can take what is going for his own.
[[nodiscard]] Status give_up_group(const Places &places, const std::string &group, kernel::Fd claim);
// Writes down whose it is: the caller's.
[[nodiscard]] Status mark_claim(const kernel::Fd &claim);
// Tells who has it to look at its containers again.
[[nodiscard]] Status wake_group(const Places &places, const std::string &group);

}  // namespace skiff::compose
