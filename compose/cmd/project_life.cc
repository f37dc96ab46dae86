#include "compose/cmd/project_life.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/file_mounts.h"
#include "compose/project_lock.h"
#include "compose/project_state.h"
#include "compose/step_run.h"

namespace skiff::compose {
namespace {

std::optional<Duration> stop_timeout(const Context &context) {
  std::optional<std::int64_t> seconds = context.flags().integer("time");
  if (!seconds) seconds = context.flags().integer("timeout");
  return seconds ? std::optional<Duration>(std::chrono::seconds(*seconds)) : std::nullopt;
}

// Who only looks keeps nobody off.
Result<kernel::Fd> lock_unless_dry(const Context &context, const Engine &engine, const Scope &scope) {
  if (is_dry_run(context)) return kernel::Fd();
  return lock_project(engine.places, scope.name, std::string(context.invocation.command->name));
}

// What is not running is started, in the order that the labels tell.
Status start_all(const Context &context, const Engine &engine, const std::vector<Container> &containers,
                 const std::string &name, Progress &progress) {
  const Project project = project_of_containers(name, containers);
  const StartOrder order = TRY(make_start_order(project, {}));
  Changes changes;
  for (const Container &one : containers) {
    using Kind = Action::Kind;
    const bool runs = one.state.is_running();
    const bool paused = one.state.phase == ContainerState::Phase::paused;
    changes.actions.push_back({.kind = paused ? Kind::unpause : (runs ? Kind::keep : Kind::start),
                               .name = one.record.name,
                               .service = one.record.service,
                               .number = one.record.number,
                               .id = one.id(),
                               .reason = {}});
  }
  TRY(run_steps({.engine = engine, .progress = progress, .parallel = parallel_of(context), .there = containers},
                make_up_steps(order, changes, {})));
  return {};
}

// Those on the tmpfs are gone after a reboot.
Status refresh_files(const Engine &engine, const Scope &scope) {
  const Project *project = scope.project();
  if (project == nullptr) return {};
  for (const Service &service : project->services) {
    TRY(in(fmt::format("service {}", service.name), make_file_mounts(engine.places, *project, service)));
  }
  return {};
}

}  // namespace

Result<int> stop_project(const Context &context, const Scope &scope, const std::vector<std::string> &names) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const kernel::Fd lock = TRY(lock_unless_dry(context, engine, scope));
  Progress progress = make_progress(context);
  std::vector<Container> containers = TRY(containers_in(engine.places, scope, names));
  std::erase_if(containers, [](const Container &one) {
    return !one.state.is_running() && one.state.phase != ContainerState::Phase::restarting;
  });
  if (is_dry_run(context)) return print_dry_run(context, containers);
  TRY(stop_in_order({.engine = engine,
                     .progress = progress,
                     .parallel = parallel_of(context),
                     .stop = {.timeout = stop_timeout(context), .signal = context.flag("signal")}},
                    containers));
  return 0;
}

Result<int> start_project(const Context &context, const Scope &scope, const std::vector<std::string> &names) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const kernel::Fd lock = TRY(lock_unless_dry(context, engine, scope));
  Progress progress = make_progress(context);
  const std::vector<Container> containers = TRY(containers_in(engine.places, scope, names));
  if (containers.empty()) {
    return fail(ENOENT, fmt::format("project {} has no containers", scope.name), "up makes them");
  }
  if (is_dry_run(context)) {
    std::vector<Container> idle = containers;
    std::erase_if(idle, [](const Container &one) { return one.state.phase == ContainerState::Phase::running; });
    return print_dry_run(context, idle);
  }
  TRY(refresh_files(engine, scope));
  TRY(start_all(context, engine, containers, scope.name, progress));
  return 0;
}

Result<int> restart_project(const Context &context, const Scope &scope, const std::vector<std::string> &names) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const kernel::Fd lock = TRY(lock_unless_dry(context, engine, scope));
  Progress progress = make_progress(context);
  std::vector<Container> containers = TRY(containers_in(engine.places, scope, names));
  if (is_dry_run(context)) return print_dry_run(context, containers);
  TRY(stop_in_order({.engine = engine,
                     .progress = progress,
                     .parallel = parallel_of(context),
                     .stop = {.timeout = stop_timeout(context), .signal = context.flag("signal")}},
                    containers));
  for (Container &one : containers) one.state = TRY(read_state(engine.places, one.id()));
  TRY(refresh_files(engine, scope));
  TRY(start_all(context, engine, containers, scope.name, progress));
  return 0;
}

// As docker compose: those that do not run, with -s after they were stopped.
Result<int> remove_project_containers(const Context &context, const Scope &scope,
                                      const std::vector<std::string> &names) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const kernel::Fd lock = TRY(lock_unless_dry(context, engine, scope));
  Progress progress = make_progress(context);
  std::vector<Container> containers = TRY(containers_in(engine.places, scope, names));
  if (!context.flags().boolean("stop") && !context.flags().boolean("force")) {
    std::erase_if(containers, [](const Container &one) { return one.state.is_running(); });
  }
  if (is_dry_run(context)) return print_dry_run(context, containers);
  TRY(stop_in_order({.engine = engine,
                     .progress = progress,
                     .parallel = parallel_of(context),
                     .remove = true,
                     .volumes = context.flags().boolean("volumes")},
                    containers));
  return 0;
}

}  // namespace skiff::compose
