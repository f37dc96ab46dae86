// A plan as text, one line a step: `skiff plan`, the debug log and the golden tests read the same lines.
//
// The first column is the field of config.json that the line comes from, the second what is done. Values of
// process.env are left out: they may be secrets. Control characters are escaped, so a value cannot make up a line.
#pragma once

#include <string>

#include "runtime/plan.h"

namespace skiff {

// "bind /srv/data -> /data  ro,nosuid": no line end.
[[nodiscard]] std::string describe(const Action &action);
// The field's column and the action: no line end.
[[nodiscard]] std::string describe(const Step &step);
// The whole: what the parent does, the steps of init, the program. Each line ends in "\n".
[[nodiscard]] std::string describe(const Plan &plan);
[[nodiscard]] std::string describe(const ExecPlan &plan);

}  // namespace skiff
