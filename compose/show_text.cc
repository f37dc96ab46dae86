#include "compose/show_text.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

#include "runtime/cli/table.h"
#include "runtime/cli/value.h"
#include "runtime/cli/width.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

std::string counted(std::int64_t count, std::string_view unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

std::string size_with(std::uint64_t bytes, double factor, const std::array<std::string_view, 6> &units) {
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= factor && unit + 1 < units.size()) {
    value /= factor;
    ++unit;
  }
  return unit == 0 ? fmt::format("{}{}", bytes, units[0]) : fmt::format("{:.4g}{}", value, units[unit]);
}

constexpr std::size_t table_gap = 3;       // table_text's
constexpr std::size_t narrowest_cut = 12;  // as much of a column says something

using Lines = std::vector<std::vector<std::string>>;

std::vector<std::size_t> widths_of(const Lines &lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto &line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], cli::width_of(line[i]));
  }
  return widths;
}

std::size_t width_of_table(const std::vector<std::size_t> &widths) {
  return std::accumulate(widths.begin(), widths.end(), table_gap * (widths.size() - 1));
}

void cut_column(Lines &lines, std::size_t column, std::size_t width) {
  for (auto &line : lines) line[column] = cli::cut_to_width(line[column], width);
}

void cut_to_fit(Lines &lines, std::size_t column, std::size_t least, std::size_t columns) {
  const std::vector<std::size_t> widths = widths_of(lines);
  const std::size_t all = width_of_table(widths);
  if (all <= columns) return;
  const std::size_t over = all - columns;
  cut_column(lines, column,
             std::max(widths[column] > over ? widths[column] - over : 0, std::min(least, widths[column])));
}

// As it would be with the column at its narrowest.
bool could_fit(const Lines &lines, std::size_t column, std::size_t columns) {
  std::vector<std::size_t> widths = widths_of(lines);
  widths[column] = std::min(widths[column], narrowest_cut);
  return width_of_table(widths) <= columns;
}

}  // namespace

std::string duration_text(std::int64_t seconds) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  if (seconds < 1) return "Less than a second";
  if (seconds < minute) return counted(seconds, "second");
  if (seconds < 2 * minute) return "About a minute";
  if (seconds < hour) return counted(seconds / minute, "minute");
  if (seconds < 2 * hour) return "About an hour";
  if (seconds < 2 * day) return counted(seconds / hour, "hour");
  if (seconds < 14 * day) return counted(seconds / day, "day");
  if (seconds < 60 * day) return counted(seconds / (7 * day), "week");
  if (seconds < 730 * day) return counted(seconds / (30 * day), "month");
  return counted(seconds / (365 * day), "year");
}

std::optional<timespec> parse_time(std::string_view text) {
  tm parts{};
  int length = 0;
  const std::string whole(text);
  if (std::sscanf(whole.c_str(), "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &length) != 3) {
    return std::nullopt;
  }
  std::string_view rest = std::string_view(whole).substr(static_cast<std::size_t>(length));
  long nanoseconds = 0;
  long zone = 0;
  if (rest.starts_with('T') || rest.starts_with(' ')) {
    int more = 0;
    const std::string tail(rest.substr(1));
    const int got =
        std::sscanf(tail.c_str(), "%2d:%2d%n:%2d%n", &parts.tm_hour, &parts.tm_min, &more, &parts.tm_sec, &more);
    if (got < 2) return std::nullopt;
    rest = std::string_view(tail).substr(static_cast<std::size_t>(more));
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      long unit = 100'000'000;
      for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1), unit /= 10) {
        nanoseconds += unit * (rest.front() - '0');
      }
    }
    int hours = 0;
    int minutes = 0;
    const std::string offset(rest);
    if (offset.starts_with('+') || offset.starts_with('-')) {
      if (std::sscanf(offset.c_str() + 1, "%2d:%2d", &hours, &minutes) != 2) return std::nullopt;
      zone = (offset.front() == '-' ? -1 : 1) * (hours * 3600L + minutes * 60L);
    } else if (!offset.empty() && offset != "Z") {
      return std::nullopt;
    }
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return timespec{.tv_sec = ::timegm(&parts) - zone, .tv_nsec = nanoseconds};
}

Result<std::optional<timespec>> time_of_words(std::string_view flag, const std::string &text) {
  if (text.empty()) return std::nullopt;
  if (const std::optional<timespec> time = parse_time(text)) return time;
  if (const auto seconds = cli::parse_number<std::int64_t>(text)) return timespec{.tv_sec = *seconds, .tv_nsec = 0};
  const auto ago = cli::parse_duration(text);
  if (!ago) {
    return fail(fmt::format("--{}: \"{}\" is no time", flag, text),
                "as 2026-01-02T15:04:05Z, seconds since 1970, or 10m");
  }
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t then = now.tv_sec * 1'000'000'000 + now.tv_nsec - ago->count();
  return timespec{.tv_sec = then / 1'000'000'000, .tv_nsec = then % 1'000'000'000};
}

std::string ago_text(const std::string &time) {
  const std::optional<timespec> then = parse_time(time);
  return then ? duration_text(::time(nullptr) - then->tv_sec) + " ago" : "";
}

std::string status_text(const ContainerState &state) {
  using Phase = ContainerState::Phase;
  const auto since = [](const std::string &time) {
    const std::optional<timespec> then = parse_time(time);
    return duration_text(then ? ::time(nullptr) - then->tv_sec : 0);
  };
  switch (state.phase) {
    case Phase::created:
      return "Created";
    case Phase::exited:
      return fmt::format("Exited ({}) {}", state.run.exit_code, ago_text(state.run.finished));
    case Phase::restarting:
      return fmt::format("Restarting ({}) {}", state.run.exit_code, ago_text(state.run.finished));
    case Phase::running:
    case Phase::paused:
      break;
  }
  std::string text = "Up " + since(state.run.started);
  if (!state.health.empty())
    text += state.health == "starting" ? " (health: starting)" : fmt::format(" ({})", state.health);
  if (state.phase == Phase::paused) text += " (Paused)";
  return text;
}

std::string ports_text(const ContainerRecord &record) {
  std::string text;
  const auto add = [&](const std::string &one) { text += (text.empty() ? "" : ", ") + one; };
  for (const Port &port : record.ports) {
    if (port.host) {
      const bool v6 = port.host_address.find(':') != std::string::npos;
      const std::string address = port.host_address.empty() ? "0.0.0.0"
                                  : v6                      ? "[" + port.host_address + "]"
                                                            : port.host_address;
      add(fmt::format("{}:{}->{}/{}", address, *port.host, port.container, port.protocol));
    } else {
      add(fmt::format("{}/{}", port.container, port.protocol));
    }
  }
  for (const std::string &word : record.exposed) {
    const bool published = std::ranges::any_of(
        record.ports, [&](const Port &port) { return word == fmt::format("{}/{}", port.container, port.protocol); });
    if (!published) add(word);
  }
  return text;
}

std::string command_text(const ContainerRecord &record) {
  std::string text;
  for (const std::vector<std::string> *words : {&record.entrypoint, &record.command}) {
    for (const std::string &word : *words) text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string binary_size_text(std::uint64_t bytes) {
  return size_with(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
}

std::string decimal_size_text(std::uint64_t bytes) {
  return size_with(bytes, 1000, {"B", "kB", "MB", "GB", "TB", "PB"});
}

std::string fitted_table(Lines lines, const TableFit &fit, std::size_t columns) {
  std::vector<std::size_t> left(lines.front().size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  const auto place_of = [&](std::size_t column) { return std::ranges::find(left, column) - left.begin(); };
  std::size_t cut = fit.cut;
  for (const std::size_t goes : fit.dropped) {
    if (could_fit(lines, cut, columns)) break;
    const auto place = place_of(goes);
    for (auto &line : lines) line.erase(line.begin() + place);
    left.erase(left.begin() + place);
    cut = goes == fit.cut ? 0 : static_cast<std::size_t>(place_of(fit.cut)) % left.size();
  }
  cut_to_fit(lines, cut, narrowest_cut, columns);
  // What is left matters all the same.
  while (width_of_table(widths_of(lines)) > columns) {
    const std::vector<std::size_t> widths = widths_of(lines);
    const auto widest = std::ranges::max_element(widths);
    if (*widest <= 1) break;
    cut_column(lines, static_cast<std::size_t>(widest - widths.begin()), *widest - 1);
  }
  return cli::table_text(lines);
}

std::string fitted_table(Lines lines, const TableFit &fit) {
  const Result<winsize> size = kernel::get_window_size(kernel::FdView(1));
  const bool fits = !size || size->ws_col == 0;
  return fits ? cli::table_text(lines) : fitted_table(std::move(lines), fit, size->ws_col);
}

}  // namespace skiff::compose
