// Commands that take several containers: `stop`, `rm`, `kill` and their like.
#pragma once

#include <functional>

#include "compose/cmd/command.h"
#include "compose/lifecycle.h"

namespace skiff::compose {

using EachContainer = std::function<Status(const Engine &engine, const std::string &id)>;

// Does it to all named containers at once, each in a process of its own, and prints the names for which it went well,
// as they were given. What fails does not keep the others from their turn; all errors are told.
[[nodiscard]] Result<int> for_each_container(const Context &context, const EachContainer &act);

}  // namespace skiff::compose
