// Text of a command line to a number. Nothing but the whole text counts: "5x" is no number. nullopt: not one.
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace skiff::cli {

// 1 t T true True TRUE, 0 f F false False FALSE: what Go's ParseBool takes, and so what runc's callers may send.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);

// Decimal, in the range of the type.
template <std::integral Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Bytes: "512", "64k", "1.5g", "10MiB", "-1". The factors are powers of 1024 whatever the suffix's spelling.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text);

// "5s", "1m30s", "1.5h", "300ms", "10us", "0". Not negative.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace skiff::cli
