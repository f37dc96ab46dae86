// From what has to change to the steps that change it, each with those it waits for. It decides only; up.h does them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compose/changes.h"
#include "compose/order.h"
#include "compose/schedule.h"

namespace skiff::compose {

struct UpStep {
  enum class Kind : std::uint8_t {
    remove,
    create,
    recreate,
    start,
    unpause,
    restart,         // depends_on.restart: what it depends on was made anew
    wait_running,    // --wait, of a container without a health check; with one as wait_healthy
    wait_healthy,    // service_healthy
    wait_completed,  // service_completed_successfully
  };
  Kind kind = Kind::create;
  std::string service;
  std::string container;  // its name
  std::uint32_t number = 0;
  std::string id;  // of a container that is there; of one that is made the answer of its create
  std::vector<Task::Wait> after;
};

struct StepOptions {
  bool start = true;  // --no-start: created only
  bool wait = false;  // --wait: until all are running or healthy
};

// Containers that are too many go first: they may hold what others need. `order` has the services of `changes`.
[[nodiscard]] std::vector<UpStep> make_up_steps(const StartOrder &order, const Changes &changes,
                                                const StepOptions &options);

// For a Schedule.
[[nodiscard]] Task task_of(const UpStep &step);

}  // namespace skiff::compose
