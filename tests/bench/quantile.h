// Medians and the like.
#pragma once

#include <vector>

namespace skiff::bench {

// The value that `part` of the samples stay below: 0.5 is the median. 0 without samples.
[[nodiscard]] double quantile(std::vector<double> samples, double part);

}  // namespace skiff::bench
