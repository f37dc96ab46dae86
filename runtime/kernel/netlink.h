// rtnetlink(7), as far as a new network namespace needs it.
#pragma once

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// Sets IFF_UP on "lo" in the current network namespace: a new one has it down.
[[nodiscard]] Status bring_up_loopback();
// Sets IFF_UP on the link of this name in the current network namespace. ENODEV where there is none.
[[nodiscard]] Status bring_up_link(CString name);
// Moves a link of the current network namespace into another and names it there; an empty new name keeps the old.
// ENODEV where there is none, EEXIST where the name is taken there, EINVAL for a name of 16 bytes or more.
[[nodiscard]] Status move_link(CString name, FdView netns, CString new_name);

}  // namespace skiff::kernel
