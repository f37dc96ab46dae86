// Commands that do one thing to several names: what fails does not keep the others from their turn.
#pragma once

#include <functional>
#include <string>

#include "compose/cmd/command.h"

namespace skiff::compose {

// Prints each name that it went well for, as it was given; the errors are one error, with the number of the first.
[[nodiscard]] Result<int> for_each_name(const Context &context,
                                        const std::function<Status(const std::string &name)> &act);

}  // namespace skiff::compose
