#include "compose/dashboard_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "compose/show_text.h"
#include "runtime/cli/width.h"

namespace skiff::compose {
namespace {

using Phase = ContainerState::Phase;

// The order on the screen.
enum class Column : std::uint8_t {
  name,
  state,
  health,
  cpu,
  memory,
  limit,
  network,
  disk,
  processes,
  uptime,
  ports,
  image
};
constexpr std::size_t column_count = 12;

struct ColumnLook {
  std::string_view heading;
  std::optional<SortKey> sort;
  bool right = false;         // numbers
  std::size_t narrowest = 0;  // it may be cut down to this; 0: it is whole or not there
};
constexpr std::array<ColumnLook, column_count> looks = {{{"NAME", SortKey::name, false, 10},
                                                         {"STATE", SortKey::state},
                                                         {"HEALTH", {}},
                                                         {"CPU %", SortKey::cpu, true},
                                                         {"MEMORY", SortKey::memory, true},
                                                         {"LIMIT", {}, true},
                                                         {"NET IN/OUT /s", SortKey::network},
                                                         {"DISK R/W /s", SortKey::disk},
                                                         {"PIDS", {}, true},
                                                         {"UP", SortKey::uptime, true},
                                                         {"PORTS", {}, false, 12},
                                                         {"IMAGE", {}, false, 12}}};
constexpr std::array<Column, column_count> by_importance = {
    Column::name,    Column::state, Column::cpu,   Column::memory, Column::uptime,    Column::health,
    Column::network, Column::ports, Column::limit, Column::disk,   Column::processes, Column::image};

constexpr std::size_t gap = 2;
using Cells = std::array<Span, column_count>;

std::string rates(double one, double other) {
  return fmt::format("{}/{}", decimal_size_text(static_cast<std::uint64_t>(one)),
                     decimal_size_text(static_cast<std::uint64_t>(other)));
}

Tone health_tone(const std::string &health) {
  if (health == "healthy") return Tone::good;
  return health == "unhealthy" ? Tone::bad : Tone::warning;
}

Cells make_cells(const DashboardRow &row, std::int64_t now, const Canvas &canvas) {
  Cells cells;
  const auto put = [&](Column column, std::string text, Tone tone = Tone::plain) {
    cells[static_cast<std::size_t>(column)] = {.text = std::move(text), .tone = tone};
  };
  const ContainerRecord &record = row.container.record;
  const ContainerState &state = row.container.state;
  put(Column::name, screen_text(row.name, canvas), state.is_running() ? Tone::plain : Tone::faint);
  cells[static_cast<std::size_t>(Column::state)] = state_span(row, canvas);
  if (state.is_running()) put(Column::health, state.health, health_tone(state.health));
  put(Column::image, screen_text(record.image.empty() ? record.rootfs : record.image, canvas), Tone::faint);
  put(Column::uptime, uptime_text(state, now));
  if (state.is_running()) put(Column::ports, ports_text(record));
  if (!row.usage.now) return cells;
  const UsageSample &used = *row.usage.now;
  put(Column::cpu, fmt::format("{:.1f}", row.usage.cpu), row.usage.cpu >= 80 ? Tone::warning : Tone::plain);
  const bool tight = used.memory_limit > 0 && used.memory >= used.memory_limit / 10 * 9;
  put(Column::memory, binary_size_text(used.memory), tight ? Tone::bad : Tone::plain);
  put(Column::limit, binary_size_text(used.memory_limit), Tone::faint);
  put(Column::network, rates(row.usage.received, row.usage.sent));
  put(Column::disk, rates(row.usage.read, row.usage.written));
  put(Column::processes, std::to_string(used.processes));
  return cells;
}

using Widths = std::array<std::size_t, column_count>;

// Of columns that nobody has anything in: none.
Widths natural_widths(const std::vector<Cells> &rows) {
  Widths widths{};
  for (std::size_t i = 0; i < column_count; ++i) {
    for (const Cells &cells : rows) widths[i] = std::max(widths[i], cli::width_of(cells[i].text));
    // The mark of what it is sorted by stands behind the heading.
    const std::size_t heading = looks[i].heading.size() + (looks[i].sort ? 1 : 0);
    if (widths[i] > 0 || !rows.empty()) widths[i] = widths[i] == 0 ? 0 : std::max(widths[i], heading);
  }
  return widths;
}

// 0: not shown.
Widths fitting_widths(const Widths &natural, std::size_t columns) {
  Widths widths{};
  std::size_t left = columns + gap;
  for (const Column column : by_importance) {
    const auto i = static_cast<std::size_t>(column);
    const ColumnLook &look = looks[i];
    // A name gives room to others, and gets back what they leave.
    const std::size_t most = column == Column::name ? std::min<std::size_t>(natural[i], 16) : natural[i];
    const std::size_t least = look.narrowest == 0 ? most : std::min(most, look.narrowest);
    if (natural[i] == 0 || least + gap > left) continue;
    widths[i] = std::min(most, left - gap);
    left -= widths[i] + gap;
  }
  const auto name = static_cast<std::size_t>(Column::name);
  widths[name] = std::min(natural[name], widths[name] + left);
  return widths;
}

PictureLine make_line(const Cells &cells, const Widths &widths, const Canvas &canvas) {
  PictureLine line;
  for (std::size_t i = 0; i < column_count; ++i) {
    if (widths[i] == 0) continue;
    const std::string cut = cli::cut_to_width(cells[i].text, widths[i], ellipsis(canvas));
    const std::string text = cli::pad_to_width(cut, widths[i], looks[i].right);
    line.spans.push_back({.text = (line.spans.empty() ? "" : std::string(gap, ' ')) + text, .tone = cells[i].tone});
  }
  fit_line(line, canvas);
  return line;
}

Cells heading_cells(SortKey sort, const Canvas &canvas) {
  Cells cells;
  for (std::size_t i = 0; i < column_count; ++i) {
    const bool sorted = looks[i].sort == sort;
    const std::string_view mark = canvas.utf8 ? "↓" : "v";
    cells[i] = {.text = std::string(looks[i].heading) + (sorted ? std::string(mark) : ""), .tone = Tone::title};
  }
  return cells;
}

double sort_value(const DashboardRow &row, SortKey key) {
  const UsageTrend &usage = row.usage;
  switch (key) {
    case SortKey::name:
      return 0;
    case SortKey::state:
      return -static_cast<double>(static_cast<std::uint8_t>(row.container.state.phase));
    case SortKey::cpu:
      return usage.cpu;
    case SortKey::memory:
      return usage.now ? static_cast<double>(usage.now->memory) : -1;
    case SortKey::network:
      return usage.received + usage.sent;
    case SortKey::disk:
      return usage.read + usage.written;
    case SortKey::uptime: {
      const std::optional<timespec> since = parse_time(row.container.state.run.started);
      return row.container.state.is_running() && since ? -static_cast<double>(since->tv_sec) : -1e18;
    }
  }
  return 0;
}

void keep(std::vector<double> &history, double value) {
  if (history.size() == UsageTrend::kept) history.erase(history.begin());
  history.push_back(value);
}

}  // namespace

void UsageTrend::take(const UsageSample &sample) {
  if (now && sample.time > now->time) {
    const double seconds = static_cast<double>(sample.time - now->time) / 1e9;
    // A container that was started anew begins at nothing.
    const auto rate = [&](std::uint64_t before, std::uint64_t after) {
      return after > before ? static_cast<double>(after - before) / seconds : 0;
    };
    cpu = cpu_percent(*now, sample);
    received = rate(now->received, sample.received);
    sent = rate(now->sent, sample.sent);
    read = rate(now->read, sample.read);
    written = rate(now->written, sample.written);
    keep(cpu_history, cpu);
  }
  keep(memory_history, static_cast<double>(sample.memory));
  now = sample;
}

void UsageTrend::end() {
  now.reset();
  cpu = received = sent = read = written = 0;
}

std::string_view sort_name(SortKey key) {
  static constexpr std::array<std::string_view, sort_key_count> names = {"name",    "state", "CPU",   "memory",
                                                                         "network", "disk",  "uptime"};
  return names[static_cast<std::size_t>(key)];
}

void sort_rows(std::vector<const DashboardRow *> &rows, SortKey key) {
  std::ranges::sort(rows, [&](const DashboardRow *one, const DashboardRow *other) {
    const double a = sort_value(*one, key);
    const double b = sort_value(*other, key);
    return a != b ? a > b
                  : std::tie(one->name, one->container.record.id) < std::tie(other->name, other->container.record.id);
  });
}

Span state_span(const DashboardRow &row, const Canvas &canvas) {
  if (!row.busy.empty()) return {.text = row.busy + std::string(ellipsis(canvas)), .tone = Tone::warning};
  const ContainerState &state = row.container.state;
  const std::string word(phase_name(state.phase));
  switch (state.phase) {
    case Phase::running:
      return {.text = word, .tone = Tone::good};
    case Phase::exited:
      return {.text = fmt::format("{} {}", word, state.run.exit_code),
              .tone = state.run.exit_code == 0 ? Tone::faint : Tone::bad};
    case Phase::paused:
    case Phase::restarting:
      return {.text = word, .tone = Tone::warning};
    case Phase::created:
      break;
  }
  return {.text = word, .tone = Tone::faint};
}

std::string uptime_text(const ContainerState &state, std::int64_t now) {
  const std::optional<timespec> since = parse_time(state.run.started);
  if (!state.is_running() || !since) return {};
  const std::int64_t seconds = std::max<std::int64_t>(now - since->tv_sec, 0);
  if (seconds < 100) return fmt::format("{}s", seconds);
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  if (seconds < 100 * minute) return fmt::format("{}m", seconds / minute);
  if (seconds < 100 * hour) return fmt::format("{}h", seconds / hour);
  return fmt::format("{}d", seconds / (24 * hour));
}

std::vector<PictureLine> container_table(const std::vector<const DashboardRow *> &rows, SortKey sort, std::int64_t now,
                                         const Canvas &canvas) {
  std::vector<Cells> cells;
  for (const DashboardRow *row : rows) cells.push_back(make_cells(*row, now, canvas));
  const Widths widths = fitting_widths(natural_widths(cells), canvas.columns);
  std::vector<PictureLine> lines = {make_line(heading_cells(sort, canvas), widths, canvas)};
  for (const Cells &one : cells) lines.push_back(make_line(one, widths, canvas));
  return lines;
}

}  // namespace skiff::compose
