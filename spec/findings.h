// How findings are collected: inside spec/ only.
#pragma once

#include <vector>

#include "spec/config.h"

namespace skiff::spec {

// Adds it, unless there are so many that nobody reads them: then one more says so, and the rest is dropped. Each costs
// a walk through the document, and a hostile one has millions.
void add_finding(std::vector<Finding> &findings, Finding finding);
// False: add_finding() would drop it.
[[nodiscard]] bool takes_finding(const std::vector<Finding> &findings);

}  // namespace skiff::spec
