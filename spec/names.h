// Choosing among known names, and saying which they are when none fits.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace skiff::spec {

using Names = std::span<const std::string_view>;

[[nodiscard]] std::optional<std::size_t> find_name(Names names, std::string_view name);

// What to write instead of an unknown name: the one that was probably meant, or all that there are.
[[nodiscard]] std::string suggest_name(Names names, std::string_view name);

// The text in double quotes, control characters escaped, a long one cut.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace skiff::spec
