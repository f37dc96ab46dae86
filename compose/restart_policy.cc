#include "compose/restart_policy.h"

#include <algorithm>

namespace skiff::compose {
namespace {

bool wants_restart(const Restart &restart, const RunRecord &run, const RestartStreak &streak) {
  switch (restart.policy) {
    case Restart::Policy::no:
      return false;
    case Restart::Policy::always:
    case Restart::Policy::unless_stopped:
      return true;
    case Restart::Policy::on_failure:
      return run.exit_code != 0 && (!restart.max_retries || streak.count < *restart.max_retries);
  }
  return false;
}

}  // namespace

void RestartStreak::take(Duration run, const Restart &restart) {
  if (run >= restart.window.value_or(good_run)) count = 0;
}

std::optional<Duration> restart_delay(const Restart &restart, const RunRecord &run, const RestartStreak &streak) {
  const bool never_ran = run.started.empty() && run.restarts == 0;
  if (run.stopped_by_user || never_ran || !wants_restart(restart, run, streak)) return std::nullopt;
  if (restart.delay) return restart.delay;
  const std::uint32_t doublings = std::min(streak.count, 16U);
  return std::min(shortest_restart_delay * (1U << doublings), longest_restart_delay);
}

bool wants_start_at_boot(const Restart &restart, const RunRecord &run, std::string_view boot_id) {
  if (run.boot_id.empty() || run.boot_id == boot_id) return false;
  return restart.policy == Restart::Policy::always ||
         (restart.policy == Restart::Policy::unless_stopped && !run.stopped_by_user);
}

}  // namespace skiff::compose
