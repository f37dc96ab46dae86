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

// Whether it is started when the machine has booted, as docker's daemon does: one that had run in another boot, with
// the policy always, or unless-stopped where nobody has stopped it.
[[nodiscard]] bool wants_start_at_boot(const Restart &restart, const RunRecord &run, std::string_view boot_id);

}  // namespace skiff::compose
