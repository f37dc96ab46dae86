// linux.intelRdt as a place below the root of resctrl: config-linux.md, "IntelRdt".
#pragma once

#include <string_view>

#include "runtime/plan.h"

namespace skiff {

// Which group, whether it may be made and goes away with the container, and what is written to its schemata.
[[nodiscard]] IntelRdtPlan make_intel_rdt_plan(const spec::IntelRdt &rdt, std::string_view id);

// l3CacheSchema and memBwSchema, where they are given: what a class of service that was there before must already have.
[[nodiscard]] std::vector<std::string> named_schemata(const spec::IntelRdt &rdt);

// Whether a line of a schemata file already says what `wanted` asks for. Both are as in "L3:0=7f0;1=1f": a resource and
// the values of cache ids, in any order; numbers are compared without leading zeros and letter case, ids that are not
// asked for count for nothing.
[[nodiscard]] bool schemata_has(std::string_view schemata, std::string_view wanted);

}  // namespace skiff
