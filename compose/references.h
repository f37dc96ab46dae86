// What a project's parts say of one another: names that have to exist, cycles, ports that two services want.
#pragma once

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

// A whole project in long forms, with the services of active profiles alone.
// `disabled`: the services that no active profile has, a map by name.
void check_references(const Value &model, const Value &disabled, Findings &findings);

}  // namespace skiff::compose
