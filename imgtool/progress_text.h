// How progress looks: bytes, a bar, a line of JSON. Text from values, nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::image {

// Three digits or so: "734 B", "12.3 MB" (powers of ten).
[[nodiscard]] std::string format_bytes(double bytes);

struct BarLine {
  std::string_view id;
  std::string_view status;
  std::uint64_t current = 0;
  std::uint64_t total = 0;       // 0: unknown
  std::uint64_t per_second = 0;  // 0: is not shown
};
// At most `columns` wide: id, status, a bar where there is room for one and the total is known, the figures.
[[nodiscard]] std::string format_bar(const BarLine &line, std::size_t columns);

// {"id":...,"status":...,"current":N,"total":N} and the line's end; without id where that is empty, the figures only
// where there are some.
[[nodiscard]] std::string format_json(std::string_view id, std::string_view status, std::uint64_t current,
                                      std::uint64_t total);

}  // namespace skiff::image
