// When a container that has ended is started again. It decides only.
#pragma once

#include <optional>

#include "compose/container.h"

namespace skiff::compose {

inline constexpr Duration shortest_restart_delay = std::chrono::milliseconds(100);
inline constexpr Duration longest_restart_delay = std::chrono::minutes(1);
// A run of at least this counts as a good one: the delays begin anew.
inline constexpr Duration good_run = std::chrono::seconds(10);

// How often in a row a policy has started it again, and how long each time is waited.
struct RestartStreak {
  std::uint32_t count = 0;

  // After a run of that length.
  void take(Duration run, const Restart &restart);
};

// The wait before the next start; nothing where the policy does not want one: it was stopped by hand, its retries are
// used up, it ended well under on-failure, or the first start of all failed, which whoever started it was told.
[[nodiscard]] std::optional<Duration> restart_delay(const Restart &restart, const RunRecord &run,
                                                    const RestartStreak &streak);

}  // namespace skiff::compose
