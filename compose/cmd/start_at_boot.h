// `start --restart-policies`: what docker's daemon does when it comes up with the machine; a unit of systemd calls it.
#pragma once

#include "compose/cmd/command.h"

namespace skiff::compose {

// Of all projects and of none. What fails keeps nobody else from its turn.
[[nodiscard]] Result<int> start_at_boot(const Context &context);

}  // namespace skiff::compose
