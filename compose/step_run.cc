#include "compose/step_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "compose/contains.h"
#include "compose/execution.h"
#include "compose/project_state.h"

namespace skiff::compose {
namespace {

using Fate = Schedule::Fate;
using Kind = UpStep::Kind;

struct StepWords {
  std::string_view doing;
  std::string_view done;
};
constexpr std::array<StepWords, 9> texts = {{{"Removing", "Removed"},
                                             {"Creating", "Created"},
                                             {"Recreating", "Recreated"},
                                             {"Starting", "Started"},
                                             {"Unpausing", "Unpaused"},
                                             {"Restarting", "Restarted"},
                                             {"Waiting", "Ready"},
                                             {"Waiting", "Healthy"},
                                             {"Waiting", "Exited"}}};

std::string line_of(const std::string &container) { return "Container " + container; }

void show(Progress &progress, const std::string &container, const StepWords &words, const Outcome &outcome) {
  switch (outcome.fate) {
    case Fate::running:
      progress.set(line_of(container), words.doing, Mark::working);
      break;
    case Fate::done:
      progress.set(line_of(container), words.done, Mark::done);
      break;
    case Fate::failed:
      progress.set(line_of(container), "Error: " + outcome.error->message(), Mark::failed);
      break;
    default:
      break;
  }
}

Status run_hooks(const Engine &engine, const std::string &id, const std::vector<Hook> &hooks, std::string_view kind) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const Container container = TRY(load_container(engine.places, id));
    const std::string place = fmt::format("{}[{}]", kind, i);
    const ProgramOutput output = TRY(in(place, run_in_container(engine, container,
                                                                {.args = hooks[i].command,
                                                                 .environment = hooks[i].environment,
                                                                 .user = hooks[i].user,
                                                                 .working_dir = hooks[i].working_dir,
                                                                 .terminal = false,
                                                                 .privileged = hooks[i].privileged})));
    if (output.code == 0) continue;
    return fail(fmt::format("{}: exit code {}: {}", place, output.code, output.err.empty() ? output.out : output.err));
  }
  return {};
}

Status start(const Engine &engine, const std::string &id) {
  const Started started = TRY(start_container(engine, id, {}));
  if (started.already) return {};
  const ContainerRecord record = TRY(load_record(engine.places, id));
  return run_hooks(engine, id, record.post_start, "post_start");
}

// A hook that fails does not keep a container from being stopped.
Status stop(const Engine &engine, const Container &container, const StopOptions &options) {
  Status hooks;
  if (container.state.phase == ContainerState::Phase::running) {
    hooks = run_hooks(engine, container.id(), container.record.pre_stop, "pre_stop");
  }
  TRY(stop_container(engine, container.id(), options));
  return hooks;
}

// What the old one keeps in volumes without a name the new one goes on with.
void inherit_volumes(const ContainerRecord &old, Service &service) {
  for (const MountRecord &mount : old.mounts) {
    if (mount.kind != Mount::Kind::volume || !mount.anonymous) continue;
    const auto wanted = std::ranges::find(service.mounts, mount.target, &Mount::target);
    if (wanted != service.mounts.end() && (wanted->kind != Mount::Kind::volume || !wanted->source.empty())) continue;
    Mount kept;
    if (wanted != service.mounts.end()) kept = *wanted;
    kept.kind = Mount::Kind::volume;
    kept.source = mount.name;
    kept.target = mount.target;
    if (wanted != service.mounts.end()) {
      *wanted = std::move(kept);
    } else {
      service.mounts.push_back(std::move(kept));
    }
  }
}

class StepRunner {
 public:
  StepRunner(const StepRun &run, const std::vector<UpStep> &steps) : run_(run), steps_(steps) {
    for (const Container &one : run.there) ids_.emplace(one.record.name, one.id());
    for (const UpStep &step : steps) {
      if (!step.id.empty() && step.kind != Kind::recreate) ids_[step.container] = step.id;
    }
  }

  Result<std::vector<std::string>> run() {
    std::vector<Job> jobs;
    for (const UpStep &step : steps_) {
      jobs.push_back({.task = task_of(step),
                      .run = [this, &step] { return in(fmt::format("service {}", step.service), act(step)); }});
    }
    const std::vector<Outcome> outcomes =
        TRY(run_parallel(jobs, {.limit = run_.parallel, .report = [&](std::size_t task, const Outcome &outcome) {
                                  take(steps_[task], outcome);
                                }}));
    TRY(gather_failures(jobs, outcomes));
    std::vector<std::string> ids;
    for (const UpStep &step : steps_) {
      const auto found = ids_.find(step.container);
      if (found != ids_.end() && step.kind != Kind::remove && !contains(ids, found->second))
        ids.push_back(found->second);
    }
    return ids;
  }

 private:
  void take(const UpStep &step, const Outcome &outcome) {
    show(run_.progress, step.container, texts[static_cast<std::size_t>(step.kind)], outcome);
    const bool makes = step.kind == Kind::create || step.kind == Kind::recreate;
    if (makes && outcome.fate == Fate::done) {
      ids_[step.container] = outcome.answer;
      made_[step.service].push_back(outcome.answer);
    }
  }

  Result<std::string> find(std::string_view service) const {
    const auto made = made_.find(std::string(service));
    if (made != made_.end()) return made->second.front();
    for (const Container &one : run_.there) {
      if (one.record.service == service && !one.record.one_off) return one.id();
    }
    return fail(ENOENT, fmt::format("service {} has no container", service));
  }

  [[nodiscard]] std::string id_of(const UpStep &step) const {
    const auto found = ids_.find(step.container);
    return found == ids_.end() ? step.id : found->second;
  }

  Result<std::string> create(const UpStep &step) {
    const CreateRequest request = TRY(run_.make_request(step, [this](std::string_view name) { return find(name); }));
    return TRY(create_container(run_.engine, request)).id;
  }

  // The new one is there before the old one goes: a failure leaves what was.
  Result<std::string> recreate(const UpStep &step) {
    const Engine &engine = run_.engine;
    CreateRequest request = TRY(run_.make_request(step, [this](std::string_view name) { return find(name); }));
    const Container old = TRY(load_container(engine.places, step.id));
    if (!run_.renew_volumes) inherit_volumes(old.record, request.service);
    request.name = fmt::format("{}_{}", old.short_id(), step.container);
    const ContainerRecord fresh = TRY(create_container(engine, request));
    TRY(stop(engine, old, {.timeout = run_.stop_timeout, .signal = {}}));
    TRY(remove_container(engine, old.id(), {.force = true, .volumes = run_.renew_volumes}));
    TRY(rename_container(engine, fresh.id, step.container));
    return fresh.id;
  }

  Result<std::string> act(const UpStep &step) {
    const Engine &engine = run_.engine;
    std::string id = id_of(step);
    switch (step.kind) {
      case Kind::create:
        return create(step);
      case Kind::recreate:
        return recreate(step);
      case Kind::start:
        TRY(start(engine, id));
        break;
      case Kind::unpause:
        TRY(call_program(engine.run_self({"--no-project", "unpause", id})));
        break;
      case Kind::restart:
        TRY(stop(engine, TRY(load_container(engine.places, id)), {.timeout = run_.stop_timeout, .signal = {}}));
        TRY(start(engine, id));
        break;
      case Kind::remove:
        TRY(stop(engine, TRY(load_container(engine.places, id)), {.timeout = run_.stop_timeout, .signal = {}}));
        TRY(remove_container(engine, id, {.force = true}));
        break;
      case Kind::wait_running:
        TRY(wait_until(engine, id, Wanted::running, run_.wait_until));
        break;
      case Kind::wait_healthy:
        TRY(wait_until(engine, id, Wanted::healthy, run_.wait_until));
        break;
      case Kind::wait_completed:
        TRY(wait_until(engine, id, Wanted::completed, run_.wait_until));
        break;
    }
    return id;
  }

  const StepRun &run_;
  const std::vector<UpStep> &steps_;
  std::map<std::string, std::string> ids_;                // by the container's name
  std::map<std::string, std::vector<std::string>> made_;  // by service
};

// Who depends on a container's service, directly: they go before it.
std::vector<Task::Wait> dependents_of(const Project &project, const std::vector<Container> &all,
                                      const Container &container) {
  std::vector<Task::Wait> after;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Service &other = *std::ranges::find(project.services, all[i].record.service, &Service::name);
    const bool depends = contains(other.depends_on, container.record.service, &Dependency::service);
    // Its own failure is told; nobody is left running for it.
    if (depends && other.name != container.record.service) after.push_back({.task = i, .required = false});
  }
  return after;
}

}  // namespace

Result<std::vector<std::string>> run_steps(const StepRun &run, const std::vector<UpStep> &steps) {
  return StepRunner(run, steps).run();
}

Status stop_in_order(const StopRun &run, const std::vector<Container> &containers) {
  const Project project = project_of_containers({}, containers);
  std::vector<Job> jobs;
  for (const Container &one : containers) {
    jobs.push_back({.task = {.name = one.record.name, .after = dependents_of(project, containers, one)},
                    .run = [&run, &one]() -> Result<std::string> {
                      const Status stopped = stop(run.engine, one, run.stop);
                      if (run.remove) {
                        TRY(remove_container(run.engine, one.id(), {.force = true, .volumes = run.volumes}));
                      }
                      if (!stopped) return std::unexpected(stopped.error());
                      return one.id();
                    }});
  }
  const StepWords words = run.remove ? StepWords{"Stopping", "Removed"} : StepWords{"Stopping", "Stopped"};
  const std::vector<Outcome> outcomes =
      TRY(run_parallel(jobs, {.limit = run.parallel, .report = [&](std::size_t task, const Outcome &outcome) {
                                show(run.progress, containers[task].record.name, words, outcome);
                              }}));
  return gather_failures(jobs, outcomes);
}

Status act_on_all(Progress &progress, const std::vector<Container> &containers, std::string_view doing,
                  std::string_view done, const std::function<Status(const Container &)> &act) {
  std::vector<Job> jobs;
  for (const Container &one : containers) {
    jobs.push_back({.task = {.name = one.record.name}, .run = [&]() -> Result<std::string> {
                      TRY(act(one));
                      return one.id();
                    }});
  }
  const std::vector<Outcome> outcomes =
      TRY(run_parallel(jobs, {.report = [&](std::size_t task, const Outcome &outcome) {
                         show(progress, containers[task].record.name, {doing, done}, outcome);
                       }}));
  return gather_failures(jobs, outcomes);
}

}  // namespace skiff::compose
