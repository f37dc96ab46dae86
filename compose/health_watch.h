// The health checks of one run of a container: when the next one is, the one that runs, and what they have shown.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <span>

#include "compose/engine.h"
#include "compose/health.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {

using Clock = std::chrono::steady_clock;

// One check that runs.
struct HealthProbe {
  kernel::Child child;
  kernel::Fd output;
  std::string text;
  std::string started;
  Clock::time_point deadline;
  bool timed_out = false;
};

class HealthWatch {
 public:
  // Of a container that runs since `started`.
  [[nodiscard]] static Result<HealthWatch> begin(const Engine &engine, const ContainerRecord &record,
                                                 Clock::time_point started);

  // When take_time wants to be called.
  [[nodiscard]] Clock::time_point deadline() const;
  // Begins a check, or ends one that takes too long.
  [[nodiscard]] Status take_time(Clock::time_point now, bool paused);

  static constexpr std::size_t event_count = 2;
  void add_events(std::vector<pollfd> &events) const;
  [[nodiscard]] Status take_events(std::span<const pollfd> events);

 private:
  HealthWatch(const Engine &engine, const ContainerRecord &record, Clock::time_point started)
      : engine_(&engine), record_(&record), started_(started) {}
  [[nodiscard]] const HealthCheck &check() const { return *record_->health_check; }
  [[nodiscard]] Duration wait() const;
  [[nodiscard]] std::string pid_path() const;
  Status start_probe(Clock::time_point now);
  void stop_probe(Clock::time_point now);
  void read_output();
  Status finish_probe();
  Status take_result(HealthResult result);

  const Engine *engine_;
  const ContainerRecord *record_;
  Clock::time_point started_;
  Clock::time_point next_;
  HealthReport report_;
  std::optional<HealthProbe> probe_;
};

}  // namespace skiff::compose
