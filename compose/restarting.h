// A container whose policy will start it again in a moment: DATA/containers/ID/restarting, which its supervisor keeps.
#pragma once

#include "compose/state.h"

namespace skiff::compose {

[[nodiscard]] Status mark_restarting(const Places &places, const std::string &id, bool on);
[[nodiscard]] bool is_restarting(const Places &places, const std::string &id);

}  // namespace skiff::compose
