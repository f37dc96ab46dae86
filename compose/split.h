// Cutting one word of a command line into its parts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skiff::compose {

// "a:b::c" at ':' is "a", "b", "", "c"; an empty text is one empty part.
[[nodiscard]] std::vector<std::string_view> split_at(std::string_view text, char separator);
// At the first separator; without one the second is absent.
[[nodiscard]] std::pair<std::string_view, std::optional<std::string_view>> split_once(std::string_view text,
                                                                                      char separator);
// The fields of one line of CSV (RFC 4180): "a,"b,c"" is a and b,c. Nothing where a quote is not closed.
[[nodiscard]] std::optional<std::vector<std::string>> split_csv(std::string_view line);

}  // namespace skiff::compose
