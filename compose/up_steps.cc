#include "compose/up_steps.h"

#include <algorithm>
#include <map>
#include <optional>

#include "compose/contains.h"

namespace skiff::compose {
namespace {

using Act = Action::Kind;
using Kind = UpStep::Kind;
using Condition = Dependency::Condition;

bool is_removal(const Action &action) { return action.kind == Act::remove || action.kind == Act::remove_orphan; }

bool is_of_order(const Action &action) {
  switch (action.kind) {
    case Act::create:
    case Act::recreate:
    case Act::start:
    case Act::unpause:
    case Act::keep:
      return true;
    default:
      return false;
  }
}

bool shares(const Service &service, const std::string &other) {
  const std::string mode = "service:" + other;
  return service.network_mode == mode || service.pid_mode == mode || service.ipc_mode == mode ||
         std::ranges::any_of(service.volumes_from,
                             [&](const std::string &from) { return from.substr(0, from.find(':')) == other; });
}

// Which steps there are for one container; absent ones are not needed.
struct Made {
  const Action *action = nullptr;
  std::optional<std::size_t> create = {}, start = {}, healthy = {}, completed = {};
};

class StepMaker {
 public:
  StepMaker(const StartOrder &order, const Changes &changes, const StepOptions &options)
      : order_(order), changes_(changes), options_(options) {}

  std::vector<UpStep> make() {
    for (const Action &action : changes_.actions) {
      if (is_removal(action)) removals_.push_back({.task = add(Kind::remove, action, {}), .required = false});
    }
    for (const OrderStep &step : order_.steps) add_service(step);
    if (options_.start && options_.wait) add_waits();
    return std::move(steps_);
  }

 private:
  std::size_t add(Kind kind, const Action &action, std::vector<Task::Wait> after) {
    steps_.push_back({.kind = kind,
                      .service = action.service,
                      .container = action.name,
                      .number = action.number,
                      .id = action.id,
                      .after = std::move(after)});
    return steps_.size() - 1;
  }

  void add_service(const OrderStep &step) {
    std::vector<Made> &made = made_[step.service->name];
    for (const Action &action : changes_.actions) {
      if (is_of_order(action) && action.service == step.service->name) made.push_back({.action = &action});
    }
    for (Made &one : made) add_container(step, one);
  }

  void add_container(const OrderStep &step, Made &made) {
    const Act act = made.action->kind;
    if (act == Act::create || act == Act::recreate) {
      made.create = add(act == Act::create ? Kind::create : Kind::recreate, *made.action, creations_before(step));
    }
    if (!options_.start) return;
    std::vector<Task::Wait> after = conditions(step);
    if (made.create) after.insert(after.begin(), {.task = *made.create});
    if (made.create || act == Act::start) {
      made.start = add(Kind::start, *made.action, std::move(after));
    } else if (act == Act::unpause) {
      made.start = add(Kind::unpause, *made.action, std::move(after));
    } else if (follows_anew(step)) {
      made.start = add(Kind::restart, *made.action, std::move(after));
    }
  }

  // Whose namespaces and volumes it takes have to be there to be named.
  std::vector<Task::Wait> creations_before(const OrderStep &step) {
    std::vector<Task::Wait> after = removals_;
    for (const Dependency &wait : step.waits) {
      if (!shares(*step.service, wait.service)) continue;
      for (const Made &one : made_[wait.service]) {
        if (one.create) after.push_back({.task = *one.create});
      }
    }
    return after;
  }

  std::vector<Task::Wait> conditions(const OrderStep &step) {
    std::vector<Task::Wait> after = removals_;
    for (const Dependency &wait : step.waits) {
      for (Made &one : made_[wait.service]) {
        const std::optional<std::size_t> task = step_of(wait.condition, one);
        if (task) after.push_back({.task = *task, .required = wait.required});
      }
    }
    return after;
  }

  // What has to end well for the condition to be met; nothing where it is already.
  std::optional<std::size_t> step_of(Condition condition, Made &made) {
    if (condition == Condition::started) return made.start;
    const bool healthy = condition == Condition::healthy;
    std::optional<std::size_t> &step = healthy ? made.healthy : made.completed;
    if (!step) {
      std::vector<Task::Wait> after;
      if (made.start) after.push_back({.task = *made.start});
      step = add(healthy ? Kind::wait_healthy : Kind::wait_completed, *made.action, std::move(after));
    }
    return step;
  }

  // compose-spec, "depends_on", long syntax: restart.
  bool follows_anew(const OrderStep &step) {
    return std::ranges::any_of(step.waits, [&](const Dependency &wait) {
      return wait.restart &&
             contains(made_[wait.service], Act::recreate, [](const Made &one) { return one.action->kind; });
    });
  }

  // One that is waited for to complete need not run.
  void add_waits() {
    for (const OrderStep &step : order_.steps) {
      for (const Made &one : made_[step.service->name]) {
        if (one.completed || one.healthy) continue;
        std::vector<Task::Wait> after;
        if (one.start) after.push_back({.task = *one.start});
        add(Kind::wait_running, *one.action, std::move(after));
      }
    }
  }

  const StartOrder &order_;
  const Changes &changes_;
  const StepOptions &options_;
  std::vector<UpStep> steps_;
  std::vector<Task::Wait> removals_;
  std::map<std::string, std::vector<Made>> made_;
};

}  // namespace

std::vector<UpStep> make_up_steps(const StartOrder &order, const Changes &changes, const StepOptions &options) {
  return StepMaker(order, changes, options).make();
}

Task task_of(const UpStep &step) {
  const bool waits =
      step.kind == Kind::wait_running || step.kind == Kind::wait_healthy || step.kind == Kind::wait_completed;
  return {.name = step.container, .after = step.after, .waits = waits};
}

}  // namespace skiff::compose
