#include "compose/show_text.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

#include "runtime/cli/table.h"
#include "runtime/cli/value.h"
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

std::string cut_text(const std::string &text, std::size_t columns) {
  if (text.size() <= columns) return text;
  std::size_t end = columns > 1 ? columns - 1 : 0;
  // Not inside of a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end) + "…";
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

std::string fitted_table(std::vector<std::vector<std::string>> lines, std::size_t widest) {
  const Result<winsize> size = kernel::get_window_size(kernel::FdView(1));
  if (size && size->ws_col > 0) {
    std::vector<std::size_t> widths(lines.front().size());
    for (const auto &line : lines) {
      for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    }
    const std::size_t all = std::accumulate(widths.begin(), widths.end(), 2 * widths.size());
    const std::size_t over = all > size->ws_col ? all - size->ws_col : 0;
    const std::size_t room = std::max<std::size_t>(widths[widest] > over ? widths[widest] - over : 0, 8);
    for (auto &line : lines) line[widest] = cut_text(line[widest], room);
  }
  return cli::table_text(lines);
}

}  // namespace skiff::compose
