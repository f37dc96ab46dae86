// How a rig ends: no container of its state directory stays.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/cli/rig.h"

namespace skiff::rig {

// By that rig's skiff-compose.
void remove_containers(const std::function<Outcome(const std::vector<std::string> &words)> &compose);

}  // namespace skiff::rig
