// std::ranges::contains, which g++ 12 does not have.
#pragma once

#include <algorithm>
#include <functional>

namespace skiff::compose {

template <class Range, class Value, class Projection = std::identity>
[[nodiscard]] bool contains(const Range &range, const Value &value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

}  // namespace skiff::compose
