#include <fmt/format.h>
#include <signal.h>

#include <chrono>

#include "compose/cmd/containers.h"
#include "compose/cmd/project_life.h"
#include "compose/events.h"
#include "compose/output.h"
#include "compose/signal_name.h"

namespace skiff::compose {
namespace {

constexpr auto stop_flags = std::to_array<cli::FlagSpec>({
    {.name = "time",
     .letter = 't',
     .kind = cli::Kind::Integer,
     .value = "SECONDS",
     .text = "before it is killed; -1: never"},
    {.name = "timeout", .kind = cli::Kind::Integer, .value = "SECONDS", .text = "the same", .hidden = true},
    {.name = "signal", .letter = 's', .value = "SIGNAL", .text = "in place of the container's own stop signal"},
});

constexpr auto kill_flags = std::to_array<cli::FlagSpec>({
    {.name = "signal", .letter = 's', .value = "SIGNAL", .text = "which one", .initial = "KILL"},
});

constexpr auto rm_flags = std::to_array<cli::FlagSpec>({
    {.name = "force",
     .letter = 'f',
     .kind = cli::Kind::Bool,
     .text = "kill one that runs; one that is not there is no error"},
    {.name = "volumes", .letter = 'v', .kind = cli::Kind::Bool, .text = "its anonymous volumes as well"},
    {.name = "stop", .letter = 's', .kind = cli::Kind::Bool, .text = "of a project: stop them first"},
});

Result<StopOptions> stop_options(const Context &context) {
  StopOptions options;
  std::optional<std::int64_t> seconds = context.flags().integer("time");
  if (!seconds) seconds = context.flags().integer("timeout");
  if (seconds) options.timeout = std::chrono::seconds(*seconds);
  options.signal = context.flag("signal");
  if (!options.signal.empty()) TRY(parse_signal(options.signal));
  return options;
}

// Nothing: it is about containers.
using InProject = Result<int> (*)(const Context &, const Scope &, const std::vector<std::string> &);
Result<std::optional<int>> in_project(const Context &context, InProject act) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names_of(context)));
  if (!scope) return std::nullopt;
  return TRY(act(context, *scope, names_of(context)));
}

Result<int> stop(const Context &context) {
  const StopOptions options = TRY(stop_options(context));
  if (const std::optional<int> code = TRY(in_project(context, stop_project))) return *code;
  return for_each_container(
      context, [&](const Engine &engine, const std::string &id) { return stop_container(engine, id, options); });
}

Result<int> restart(const Context &context) {
  const StopOptions options = TRY(stop_options(context));
  if (const std::optional<int> code = TRY(in_project(context, restart_project))) return *code;
  return for_each_container(context, [&](const Engine &engine, const std::string &id) -> Status {
    const ContainerRecord record = TRY(load_record(engine.places, id));
    if (record.auto_remove) {
      return fail(fmt::format("{} is removed when it ends (--rm)", record.name), "run it anew");
    }
    TRY(stop_container(engine, id, options));
    TRY(start_container(engine, id, {}));
    record_event(engine.places, record, "restart");
    return {};
  });
}

// A container that is told to end does not come back by its policy; another signal is no order to end.
Result<int> kill(const Context &context) {
  const int signal = TRY(in("--signal", parse_signal(context.flag("signal"))));
  return for_each_container(context, [&](const Engine &engine, const std::string &id) -> Status {
    const Container container = TRY(load_container(engine.places, id));
    if (signal == SIGKILL && container.state.is_running()) {
      return stop_container(engine, id, {.timeout = Duration(-1), .signal = "KILL"});
    }
    return signal_container(engine, container, signal);
  });
}

Result<int> remove(const Context &context) {
  if (const std::optional<int> code = TRY(in_project(context, remove_project_containers))) return *code;
  const RemoveOptions options{.force = context.flags().boolean("force"), .volumes = context.flags().boolean("volumes")};
  if (options.force) {
    // Only what is there.
    const Engine engine = TRY(open_engine(context.global(), context.log));
    const auto &words = context.invocation.positionals;
    if (words.size() == 1) {
      const Result<std::string> id = find_id(engine.places, context.argument(0));
      if (!id && id.error().number == ENOENT) return 0;
    }
  }
  return for_each_container(
      context, [&](const Engine &engine, const std::string &id) { return remove_container(engine, id, options); });
}

Result<int> wait(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names_of(context)));
  if (!scope) TRY(need_name(context));
  std::vector<std::string> ids;
  if (scope) {
    for (const Container &one : TRY(containers_in(engine.places, *scope, names_of(context)))) ids.push_back(one.id());
  } else {
    for (const std::string &name : names_of(context)) ids.push_back(TRY(find_id(engine.places, name)));
  }
  for (const std::string &id : ids) {
    TRY(print(fmt::format("{}\n", TRY(wait_container(engine, id)))));
  }
  return 0;
}

Result<int> rename(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  TRY(rename_container(engine, TRY(find_id(engine.places, context.argument(0))), context.argument(1)));
  return 0;
}

Status set_frozen(const Engine &engine, const std::string &id, bool frozen) {
  using Phase = ContainerState::Phase;
  const kernel::Fd lock = TRY(lock_container(engine.places, id));
  const Container container = TRY(load_container(engine.places, id));
  const Phase wanted = frozen ? Phase::running : Phase::paused;
  if (container.state.phase != wanted) {
    return fail(
        fmt::format("{} is {}, not {}", container.record.name, phase_name(container.state.phase), phase_name(wanted)));
  }
  TRY(call_program(engine.run_runtime({frozen ? "pause" : "resume", id})));
  record_event(engine.places, container.record, frozen ? "pause" : "unpause");
  return {};
}

Result<int> pause(const Context &context) {
  return for_each_container(context,
                            [](const Engine &engine, const std::string &id) { return set_frozen(engine, id, true); });
}

Result<int> unpause(const Context &context) {
  return for_each_container(context,
                            [](const Engine &engine, const std::string &id) { return set_frozen(engine, id, false); });
}

consteval cli::Command several(std::string_view name, std::string_view summary,
                               std::span<const cli::FlagSpec> flags = {}) {
  return {.name = name,
          .usage = "[CONTAINER|SERVICE...]",
          .summary = summary,
          .flags = flags,
          .max_positionals = cli::kUnlimited,
          .joined_values = true};
}

}  // namespace

const CommandEntry stop_command = {
    .command = several("stop", "end containers, gently at first", stop_flags), .run = stop, .dry_run = DryRun::shown};
const CommandEntry restart_command = {.command = several("restart", "stop containers and start them again", stop_flags),
                                      .run = restart,
                                      .dry_run = DryRun::shown};
const CommandEntry kill_command = {
    .command = several("kill", "send a signal to containers", kill_flags), .run = kill, .dry_run = DryRun::shown};
const CommandEntry rm_command = {
    .command = several("rm", "remove containers", rm_flags), .run = remove, .dry_run = DryRun::shown};
const CommandEntry wait_command = {
    .command = several("wait", "wait for the end of containers, and print their exit codes"),
    .run = wait,
    .dry_run = DryRun::reads};
const CommandEntry pause_command = {
    .command = several("pause", "freeze all processes of containers"), .run = pause, .dry_run = DryRun::shown};
const CommandEntry unpause_command = {
    .command = several("unpause", "let the processes of containers go on"), .run = unpause, .dry_run = DryRun::shown};
const CommandEntry rename_command = {.command = {.name = "rename",
                                                 .usage = "CONTAINER NAME",
                                                 .summary = "give a container another name",
                                                 .min_positionals = 2,
                                                 .max_positionals = 2},
                                     .run = rename};

}  // namespace skiff::compose
