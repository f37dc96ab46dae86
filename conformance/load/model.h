// What a command must do to a container in a state, and commands at random that are held against it.
#pragma once

#include <cstdint>

#include "conformance/load/yard.h"

namespace skiff::conformance {

// Which commands the containers of one worker were given, and how many were answered wrongly.
struct Walk {
  std::uint64_t commands = 0;
  std::vector<std::string> wrong;  // "kill of a stopped container: expected ..., saw ..."
};

// Random commands on a few containers, until that time; the same ones for the same seed. An error where a container is
// stuck.
[[nodiscard]] Result<Walk> walk_at_random(Yard &yard, const std::string &name, std::uint64_t seed,
                                          Clock::time_point end);

}  // namespace skiff::conformance
