#include "compose/watch_work.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compose/execution.h"
#include "compose/project_lock.h"
#include "compose/project_state.h"
#include "compose/step_run.h"

namespace skiff::compose {
namespace {

std::string counted(std::size_t count) { return fmt::format("{} file{}", count, count == 1 ? "" : "s"); }

std::string folder_of(const std::string &path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

Status rebuild(const WatchRun &run, const Service &service) {
  UpOptions options = run.options.up;
  options.services = {service.name};
  options.no_deps = true;
  options.images = {.pull = {}, .build = true, .no_build = false};
  const kernel::Fd lock = TRY(lock_project(run.engine.places, run.project.name, "watch"));
  TRY(bring_up(run.engine, run.project, options, run.progress));
  return run.options.prune ? call_image(run.engine, {"prune"}, true) : Status();
}

Status run_inside(const Engine &engine, const Container &container, ExecRequest request) {
  const std::string name = request.args.front();
  const ProgramOutput output = TRY(run_in_container(engine, container, request));
  if (output.code == 0) return {};
  std::string said = output.err.empty() ? output.out : output.err;
  while (said.ends_with('\n')) said.pop_back();
  return fail(fmt::format("{}: {} ended with {}{}{}", container.record.name, name, output.code,
                          said.empty() ? "" : ": ", said));
}

// By the container's own program, with its own rights, as docker has it.
Status run_on_paths(const Engine &engine, const Container &container, Words words, const std::set<std::string> &paths) {
  if (paths.empty()) return {};
  words.insert(words.end(), paths.begin(), paths.end());
  return run_inside(engine, container, {.args = std::move(words), .environment = {}, .user = "0", .working_dir = {}});
}

Status sync(const Engine &engine, const Container &container, const WatchWork &work) {
  TRY(run_on_paths(engine, container, {"rm", "-rf", "--"}, {work.removals.begin(), work.removals.end()}));
  std::set<std::string> folders;
  for (const auto &[target, source] : work.copies) folders.insert(folder_of(target));
  TRY(run_on_paths(engine, container, {"mkdir", "-p", "--"}, folders));
  for (const auto &[target, source] : work.copies) {
    TRY(call_program(engine.run_self({"--no-project", "cp", source, fmt::format("{}:{}", container.id(), target)})));
  }
  return {};
}

Status run_hooks_of(const Engine &engine, const Container &container, const std::vector<Hook> &hooks) {
  for (const Hook &hook : hooks) {
    TRY(run_inside(engine, container,
                   {.args = hook.command,
                    .environment = hook.environment,
                    .user = hook.user,
                    .working_dir = hook.working_dir,
                    .terminal = false,
                    .privileged = hook.privileged}));
  }
  return {};
}

Status update(const WatchRun &run, const Container &container, const WatchWork &work) {
  const Engine &engine = run.engine;
  const std::size_t files = work.copies.size() + work.removals.size();
  const std::string what = "Container " + container.record.name;
  if (files > 0) {
    run.progress.set(what, "Syncing " + counted(files), Mark::working);
    TRY(sync(engine, container, work));
    run.progress.set(what, "Synced " + counted(files), Mark::done);
  }
  if (work.restart) {
    run.progress.set(what, "Restarting", Mark::working);
    TRY(stop_container(engine, container.id(), {.timeout = run.options.up.stop_timeout, .signal = {}}));
    TRY(start_container(engine, container.id(), {}));
    run.progress.set(what, "Restarted", Mark::done);
  }
  if (work.hooks.empty()) return {};
  TRY(run_hooks_of(engine, container, work.hooks));
  run.progress.set(what, "Ran " + work.hooks.front().command.front(), Mark::done);
  return {};
}

}  // namespace

void WatchWork::add(const WatchRule &rule, const WatchFilter &filter, const std::string &path, bool gone) {
  ++changes;
  rebuild = rebuild || rule.action == "rebuild";
  restart = restart || rule.action == "restart" || rule.action == "sync+restart";
  if (!rule.action.starts_with("sync")) return;
  const std::string target = filter.target_of(path);
  std::erase(removals, target);
  copies.erase(target);
  if (gone) {
    removals.push_back(target);
  } else {
    copies[target] = path;
  }
  const auto same = [&](const Hook &hook) { return hook.command == rule.exec.command; };
  if (rule.action == "sync+exec" && std::ranges::none_of(hooks, same)) hooks.push_back(rule.exec);
}

Status do_watch_work(const WatchRun &run, const Service &service, const WatchWork &work) {
  const std::string place = "service " + service.name;
  if (work.rebuild) TRY(in(place, rebuild(run, service)));
  for (const Container &container : TRY(containers_of_project(run.engine.places, run.project.name))) {
    if (container.record.service != service.name || container.record.one_off) continue;
    if (container.state.is_running()) TRY(in(place, update(run, container, work)));
  }
  return {};
}

}  // namespace skiff::compose
