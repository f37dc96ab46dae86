// The program that goes into every container (inside/), as it was built: the judge is one file and brings it along.
#pragma once

#include <string_view>

namespace skiff::conformance {

[[nodiscard]] std::string_view observer();

}  // namespace skiff::conformance
