#include "tests/bench/quantile.h"

#include <algorithm>
#include <cmath>

namespace skiff::bench {

double quantile(std::vector<double> samples, double part) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  const double place = part * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, samples.size() - 1);
  return std::lerp(samples[below], samples[above], place - static_cast<double>(below));
}

}  // namespace skiff::bench
