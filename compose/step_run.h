// Doing what up_steps.h decided: containers of services created, started, waited for, several at once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compose/condition.h"
#include "compose/creation.h"
#include "compose/engine.h"
#include "compose/lifecycle.h"
#include "compose/parallel.h"
#include "compose/progress.h"
#include "compose/up_steps.h"

namespace skiff::compose {

inline constexpr std::size_t default_parallel = 8;

struct StepRun {
  const Engine &engine;
  Progress &progress;
  std::size_t parallel = default_parallel;
  std::optional<Duration> stop_timeout = {};
  std::optional<Moment> wait_until = {};  // --wait-timeout
  bool renew_volumes = false;             // what is made anew does not get its predecessor's anonymous volumes
  // How the container of a create or recreate step is made; called in the step's own process. `find` gives the id of a
  // service's first container. Not called where there are no such steps.
  std::function<Result<CreateRequest>(const UpStep &step,
                                      const std::function<Result<std::string>(std::string_view)> &find)>
      make_request = {};
  std::vector<Container> there = {};  // what the project has already
};

// The ids of the steps' containers. What could not be done is one error, with who was left alone for it.
[[nodiscard]] Result<std::vector<std::string>> run_steps(const StepRun &run, const std::vector<UpStep> &steps);

// Backwards along what depends on what: pre_stop hooks, stopped, and with `remove` removed. What fails keeps nobody
// else from its turn.
struct StopRun {
  const Engine &engine;
  Progress &progress;
  std::size_t parallel = default_parallel;
  StopOptions stop = {};
  bool remove = false;
  bool volumes = false;  // anonymous ones
};
[[nodiscard]] Status stop_in_order(const StopRun &run, const std::vector<Container> &containers);

// One of several commands of a container's life, to all of them at once: kill, pause.
[[nodiscard]] Status act_on_all(Progress &progress, const std::vector<Container> &containers, std::string_view doing,
                                std::string_view done, const std::function<Status(const Container &)> &act);

}  // namespace skiff::compose
