// The dashboard's containers as lines of a table: how columns are chosen, sorted and filled. Nothing here asks the
// kernel for anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/container.h"
#include "compose/picture.h"
#include "compose/usage_sample.h"

namespace skiff::compose {

// What a container used lately.
struct UsageTrend {
  static constexpr std::size_t kept = 120;

  std::optional<UsageSample> now;                        // absent: it does not run
  double cpu = 0;                                        // percent of one processor
  double received = 0, sent = 0, read = 0, written = 0;  // bytes a second
  std::vector<double> cpu_history, memory_history;       // the newest last

  void take(const UsageSample &sample);
  void end();
};

struct DashboardRow {
  Container container;
  UsageTrend usage;
  std::string name;  // as it is shown
  std::string busy;  // "stopping": what we have begun
};

enum class SortKey : std::uint8_t { name, state, cpu, memory, network, disk, uptime };
inline constexpr std::uint8_t sort_key_count = 7;
[[nodiscard]] std::string_view sort_name(SortKey key);

// By name, or the largest first; names settle what is equal.
void sort_rows(std::vector<const DashboardRow *> &rows, SortKey key);

// "running", "exited 3", "stopping…" and how good that is.
[[nodiscard]] Span state_span(const DashboardRow &row, const Canvas &canvas);
// "12s", "3m", "2h", "5d"; empty where it does not run.
[[nodiscard]] std::string uptime_text(const ContainerState &state, std::int64_t now);

// The heading and a line for each row, of the columns that fit: the less important ones go first.
[[nodiscard]] std::vector<PictureLine> container_table(const std::vector<const DashboardRow *> &rows, SortKey sort,
                                                       std::int64_t now, const Canvas &canvas);

}  // namespace skiff::compose
