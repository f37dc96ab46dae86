// The small languages inside of scalars: durations, booleans, ranges of ports, lines for a shell.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/error.h"

namespace skiff::compose {

// compose-spec, "Specifying durations": 40s, 1m30s, 2h32m, 5d. A bare number is no duration but 0.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// As Go writes it, and docker compose with it: 1m30s, 1h0m0s, 1.5s, 300ms.
[[nodiscard]] std::string print_duration(std::chrono::nanoseconds duration);

// What YAML and docker take for a boolean where one is wanted: true, false, yes, no, on, off, y, n, 1, 0.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

// Decimal, 0x and 0o; where `octal`, a leading 0 alone means octal as well, as in a file's mode.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text, bool octal = false);

// "80" and "80-90", in order and from 0 to 65535.
using PortRange = std::pair<std::uint16_t, std::uint16_t>;
[[nodiscard]] std::optional<PortRange> parse_port_range(std::string_view text);

// The words of a command line as a shell would part them: quotes and backslashes, nothing expanded.
[[nodiscard]] Result<std::vector<std::string>> split_command(std::string_view line);

}  // namespace skiff::compose
