// How commands write times, sizes and states for people: as docker does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compose/container.h"

namespace skiff::compose {

// "2 minutes", "3 hours", "Less than a second"
[[nodiscard]] std::string duration_text(std::int64_t seconds);
// Seconds since the epoch of a time_text, or of RFC 3339 with a zone; nothing where it is none.
[[nodiscard]] std::optional<timespec> parse_time(std::string_view text);
// What --since and --until take: parse_time's, seconds since the epoch, or how long ago ("10m"). Nothing for no text.
[[nodiscard]] Result<std::optional<timespec>> time_of_words(std::string_view flag, const std::string &text);
// "2 minutes ago" of a time_text
[[nodiscard]] std::string ago_text(const std::string &time);
// "Up 2 minutes (healthy)", "Exited (0) 3 hours ago", "Created"
[[nodiscard]] std::string status_text(const ContainerState &state);
// "0.0.0.0:8080->80/tcp, 443/tcp"
[[nodiscard]] std::string ports_text(const ContainerRecord &record);
// entrypoint and command in one line
[[nodiscard]] std::string command_text(const ContainerRecord &record);
// "1.5MiB" by 1024, "1.5MB" by 1000
[[nodiscard]] std::string binary_size_text(std::uint64_t bytes);
[[nodiscard]] std::string decimal_size_text(std::uint64_t bytes);

// What becomes of a table that is wider than the terminal.
struct TableFit {
  std::size_t cut = 0;                    // this column first, as far as it still says something
  std::vector<std::size_t> dropped = {};  // then these go, one after the other
};
// Columns, no line longer than the terminal where stdout is one.
[[nodiscard]] std::string fitted_table(std::vector<std::vector<std::string>> lines, const TableFit &fit);
// The same for so many columns.
[[nodiscard]] std::string fitted_table(std::vector<std::vector<std::string>> lines, const TableFit &fit,
                                       std::size_t columns);

}  // namespace skiff::compose
