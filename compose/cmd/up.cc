#include "compose/up.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/contains.h"
#include "compose/log_view.h"
#include "compose/output.h"
#include "compose/project_lock.h"
#include "compose/project_state.h"
#include "compose/watch.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto up_flags = std::to_array<cli::FlagSpec>({
    {.name = "detach", .letter = 'd', .kind = Kind::Bool, .text = "leave them running and return"},
    {.name = "wait", .kind = Kind::Bool, .text = "wait until all run or are healthy; implies -d"},
    {.name = "wait-timeout", .kind = Kind::Integer, .value = "SECONDS", .text = "wait no longer than this"},
    {.name = "build", .kind = Kind::Bool, .text = "build images first, here or not"},
    {.name = "no-build", .kind = Kind::Bool, .text = "build none, even where it is missing"},
    {.name = "pull", .value = "POLICY", .text = "in place of the services' own", .choices = "always|missing|never"},
    {.name = "quiet-pull", .kind = Kind::Bool, .text = "no progress of pulls"},
    {.name = "force-recreate", .kind = Kind::Bool, .text = "make containers anew that have not changed"},
    {.name = "no-recreate", .kind = Kind::Bool, .text = "keep containers that have changed"},
    {.name = "always-recreate-deps", .kind = Kind::Bool, .text = "make anew what depends on what is made anew"},
    {.name = "renew-anon-volumes",
     .letter = 'V',
     .kind = Kind::Bool,
     .text = "new volumes without a name, in place of those of the container before"},
    {.name = "no-deps", .kind = Kind::Bool, .text = "leave alone what the services depend on"},
    {.name = "no-start", .kind = Kind::Bool, .text = "create them only"},
    {.name = "remove-orphans", .kind = Kind::Bool, .text = "remove containers of services that the project lacks"},
    {.name = "scale", .kind = Kind::Strings, .value = "SERVICE=N", .text = "how many containers a service has"},
    {.name = "abort-on-container-exit", .kind = Kind::Bool, .text = "stop all when one has ended"},
    {.name = "abort-on-container-failure", .kind = Kind::Bool, .text = "stop all when one has failed"},
    {.name = "exit-code-from", .value = "SERVICE", .text = "stop all when it has ended, and end with its exit code"},
    {.name = "attach", .kind = Kind::Strings, .value = "SERVICE", .text = "show the output of these alone"},
    {.name = "no-attach", .kind = Kind::Strings, .value = "SERVICE", .text = "do not show the output of these"},
    {.name = "no-log-prefix", .kind = Kind::Bool, .text = "no names in front of lines"},
    {.name = "no-color", .kind = Kind::Bool, .text = "no colours"},
    {.name = "timestamps", .kind = Kind::Bool, .text = "when each line was written"},
    {.name = "timeout",
     .letter = 't',
     .kind = Kind::Integer,
     .value = "SECONDS",
     .text = "before one is killed that is stopped"},
    {.name = "watch",
     .letter = 'w',
     .kind = Kind::Bool,
     .text = "and do what `watch` does while their output is shown"},
    {.name = "yes", .letter = 'y', .kind = Kind::Bool, .text = "nothing is asked", .hidden = true},
    {.name = "menu", .kind = Kind::Bool, .text = "accepted for docker's callers", .hidden = true},
});

std::optional<Duration> seconds(const cli::Flags &flags, std::string_view name) {
  const std::optional<std::int64_t> value = flags.integer(name);
  return value ? std::optional<Duration>(std::chrono::seconds(*value)) : std::nullopt;
}

Status refuse_contradictions(const cli::Flags &flags) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> pairs = {{
      {"force-recreate", "no-recreate"},
      {"build", "no-build"},
      {"wait", "abort-on-container-exit"},
      {"detach", "abort-on-container-exit"},
      {"detach", "attach"},
      {"wait", "no-start"},
      {"watch", "detach"},
      {"watch", "wait"},
      {"watch", "no-start"},
  }};
  for (const auto &[one, other] : pairs) {
    if (flags.given(one) && flags.given(other))
      return fail(fmt::format("up: --{} and --{} contradict each other", one, other));
  }
  return {};
}

Result<UpOptions> up_options(const Context &context) {
  const cli::Flags &flags = context.flags();
  TRY(refuse_contradictions(flags));
  UpOptions options;
  options.services = names_of(context);
  options.force_recreate = flags.boolean("force-recreate");
  options.no_recreate = flags.boolean("no-recreate");
  options.renew_dependents = flags.boolean("always-recreate-deps");
  options.renew_volumes = flags.boolean("renew-anon-volumes");
  options.no_deps = flags.boolean("no-deps");
  options.start = !flags.boolean("no-start");
  options.wait = flags.boolean("wait");
  options.remove_orphans = flags.boolean("remove-orphans");
  options.wait_timeout = seconds(flags, "wait-timeout");
  options.stop_timeout = seconds(flags, "timeout");
  options.images = {
      .pull = context.flag("pull"), .build = flags.boolean("build"), .no_build = flags.boolean("no-build")};
  options.quiet_pull = flags.boolean("quiet-pull");
  options.parallel = parallel_of(context);
  return options;
}

// The terminal's and other programs' wish to end; blocked, so that those we start for stopping do not see it.
Result<kernel::Fd> catch_signals() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&wanted, signal);
  TRY(kernel::block_signals(wanted));
  return kernel::signalfd(wanted);
}

struct Watched {
  std::vector<Container> containers;  // all that `up` is about
  std::string code_from;              // --exit-code-from
  bool at_exit = false;               // --abort-on-container-exit
  bool at_failure = false;            // --abort-on-container-failure
  std::optional<int> code;            // with which one has ended the whole
};

bool go_on(Watched &watched, const ContainerRecord &record, int code) {
  const bool named = !watched.code_from.empty() && record.service == watched.code_from;
  if (named) watched.code = code;
  if (watched.at_failure && code != 0) {
    watched.code = code;
    return false;
  }
  if (!named && !watched.at_exit) return true;
  // Of --exit-code-from it is that service's, whoever ends first.
  if (!named && watched.code_from.empty()) watched.code = code;
  return false;
}

// In a process of its own, so that a second signal can end the patience.
Result<int> stop_gently(const Engine &engine, const std::vector<Container> &containers, const kernel::Fd &signals,
                        const std::optional<Duration> &timeout, const Context &context) {
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    Progress progress = make_progress(context);
    const Status stopped = stop_in_order({.engine = engine,
                                          .progress = progress,
                                          .parallel = parallel_of(context),
                                          .stop = {.timeout = timeout, .signal = {}}},
                                         containers);
    if (!stopped) cli::report(context.log, context.program.name, stopped.error());
    ::_exit(stopped ? 0 : 1);
  }
  std::array<pollfd, 2> events = {{{child.pidfd().get(), POLLIN, 0}, {signals.get(), POLLIN, 0}}};
  TRY(kernel::poll(events, kernel::forever));
  if (events[0].revents == 0) {
    Progress progress = make_progress(context);
    TRY(act_on_all(progress, containers, "Killing", "Killed", [&](const Container &one) {
      return stop_container(engine, one.id(), {.timeout = Duration(0), .signal = "KILL"});
    }));
  }
  return TRY(child.wait()).shell_code();
}

bool is_shown(const Context &context, const Project &project, const ContainerRecord &record) {
  const auto names = [&](std::string_view flag) { return contains(context.flags().strings(flag), record.service); };
  if (context.flags().given("attach")) return names("attach");
  const Service *service = project.find(record.service);
  return !names("no-attach") && (service == nullptr || service->attach);
}

// A process of its own: it waits for files, we for output. The terminal's ctrl-c reaches both.
Result<kernel::Child> begin_watch(const Context &context, const Engine &engine, const Project &project,
                                  const UpOptions &options) {
  kernel::Child child = TRY(kernel::clone3({}));
  if (!child.is_this_process()) return child;
  WatchOptions watch{.services = options.services, .up = {}};
  watch.up.stop_timeout = options.stop_timeout;
  watch.up.parallel = options.parallel;
  Progress progress(ProgressStyle::plain);
  const Result<int> code = watch_project(engine, project, watch, progress);
  if (!code) cli::report(context.log, context.program.name, code.error());
  ::_exit(code ? *code : 1);
}

// What a rebuild has put in the place of others.
Status find_new(const Context &context, const Engine &engine, const Project &project, Watched &watched, LogView &view) {
  std::set<std::string> services;
  for (const Container &one : watched.containers) services.insert(one.record.service);
  std::vector<Container> now = TRY(containers_of_project(engine.places, project.name));
  std::erase_if(now,
                [&](const Container &one) { return one.record.one_off || !services.contains(one.record.service); });
  for (const Container &one : now) {
    if (!view.has(one.id())) TRY(view.add(one, is_shown(context, project, one.record)));
  }
  if (!now.empty()) watched.containers = std::move(now);
  return {};
}

Result<int> stay(const Context &context, const Engine &engine, const Project &project, Watched &watched,
                 const UpOptions &options, timespec since) {
  const kernel::Fd signals = TRY(catch_signals());
  const cli::Flags &flags = context.flags();
  LogView view(engine, {.tail = {},
                        .since = since,
                        .until = {},
                        .timestamps = flags.boolean("timestamps"),
                        .prefix = !flags.boolean("no-log-prefix"),
                        .colour = !flags.boolean("no-color") && wants_colour(context)});
  for (const Container &one : watched.containers) TRY(view.add(one, is_shown(context, project, one.record)));
  std::optional<kernel::Child> watch;
  std::function<Status()> refresh;
  if (flags.boolean("watch")) {
    watch = TRY(begin_watch(context, engine, project, options));
    refresh = [&] { return find_new(context, engine, project, watched, view); };
  }
  const LogView::End end = TRY(view.follow(
      signals, [&](const ContainerRecord &record, int code) { return go_on(watched, record, code); }, refresh));
  watch.reset();
  if (end == LogView::End::all_over) return watched.code.value_or(0);
  signalfd_siginfo info{};
  if (end == LogView::End::interrupted) {
    TRY(kernel::read_some(signals, {reinterpret_cast<char *>(&info), sizeof info}));
    TRY(print("\nGracefully stopping... (press Ctrl+C again to force)\n"));
  }
  TRY(stop_gently(engine, watched.containers, signals, options.stop_timeout, context));
  TRY(view.show());
  if (end == LogView::End::interrupted) return 128 + static_cast<int>(info.ssi_signo);
  if (!watched.code && !watched.code_from.empty()) {
    for (const Container &one : watched.containers) {
      if (one.record.service == watched.code_from) return TRY(read_state(engine.places, one.id())).run.exit_code;
    }
  }
  return watched.code.value_or(0);
}

Status scale_services(Project &project, const std::vector<std::string> &words) {
  for (const std::string &word : words) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const auto count =
        cli::parse_number<std::uint32_t>(std::string_view(word).substr(std::min(equals + 1, word.size())));
    if (!count) return fail(fmt::format("--scale: \"{}\" is no SERVICE=N", word));
    const std::string name = word.substr(0, equals);
    const auto service = std::ranges::find(project.services, name, &Service::name);
    if (service == project.services.end()) return fail(ENOENT, fmt::format("--scale: service {}", name));
    if (*count > 1 && !service->container_name.empty()) {
      return fail(
          fmt::format("service {}: container_name {} can be one container's alone", name, service->container_name),
          "take container_name out");
    }
    service->replicas = *count;
  }
  return {};
}

Result<int> bring_up_and_stay(const Context &context, const Project &project, const UpOptions &options) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  timespec since{};
  ::clock_gettime(CLOCK_REALTIME, &since);
  Progress progress = make_progress(context);
  const cli::Flags &flags = context.flags();
  Watched watched{.containers = {},
                  .code_from = context.flag("exit-code-from"),
                  .at_exit = flags.boolean("abort-on-container-exit"),
                  .at_failure = flags.boolean("abort-on-container-failure"),
                  .code = {}};
  if (!watched.code_from.empty() && project.find(watched.code_from) == nullptr) {
    return fail(ENOENT, fmt::format("--exit-code-from: service {}", watched.code_from));
  }
  {
    // Others may stop it, or take it down, while we show its output.
    const kernel::Fd lock = TRY(lock_project(engine.places, project.name, "up"));
    for (const std::string &id : TRY(bring_up(engine, project, options, progress))) {
      watched.containers.push_back(TRY(load_container(engine.places, id)));
    }
  }
  if (!options.start || options.wait || flags.boolean("detach")) return 0;
  return stay(context, engine, project, watched, options, since);
}

Result<int> print_plan(const Context &context, const Project &project, const UpOptions &options) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  return print(print_changes(TRY(plan_up(engine, project, options))));
}

Result<int> up(const Context &context) {
  UpOptions options = TRY(up_options(context));
  Project project = TRY(need_project(context, options.services, SecretValues::needed));
  std::vector<std::string> scales;
  for (const std::string_view word : context.flags().strings("scale")) scales.emplace_back(word);
  TRY(scale_services(project, scales));
  if (is_dry_run(context)) return print_plan(context, project, options);
  return bring_up_and_stay(context, project, options);
}

constexpr auto plan_flags = std::to_array<cli::FlagSpec>({
    format_flag("text|json"),
    {.name = "detailed-exitcode", .kind = Kind::Bool, .text = "end with 2 where something would change"},
    {.name = "force-recreate", .kind = Kind::Bool, .text = "as with up"},
    {.name = "no-recreate", .kind = Kind::Bool, .text = "as with up"},
    {.name = "no-deps", .kind = Kind::Bool, .text = "as with up"},
    {.name = "remove-orphans", .kind = Kind::Bool, .text = "as with up"},
    {.name = "scale", .kind = Kind::Strings, .value = "SERVICE=N", .text = "as with up"},
});

Result<int> plan(const Context &context) {
  const cli::Flags &flags = context.flags();
  UpOptions options;
  options.services = names_of(context);
  options.force_recreate = flags.boolean("force-recreate");
  options.no_recreate = flags.boolean("no-recreate");
  options.no_deps = flags.boolean("no-deps");
  options.remove_orphans = flags.boolean("remove-orphans");
  Project project = TRY(need_project(context, options.services));
  std::vector<std::string> scales;
  for (const std::string_view word : flags.strings("scale")) scales.emplace_back(word);
  TRY(scale_services(project, scales));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Changes changes = TRY(plan_up(engine, project, options));
  TRY(print(context.flag("format") == "json" ? print_changes_json(changes) : print_changes(changes, true)));
  return flags.boolean("detailed-exitcode") && !changes.none() ? 2 : 0;
}

constexpr auto scale_flags = std::to_array<cli::FlagSpec>({
    {.name = "no-deps", .kind = Kind::Bool, .text = "leave alone what the services depend on"},
    {.name = "timeout",
     .letter = 't',
     .kind = Kind::Integer,
     .value = "SECONDS",
     .text = "before one is killed that is stopped"},
});

Result<int> scale(const Context &context) {
  UpOptions options;
  for (const std::string &word : names_of(context)) options.services.push_back(word.substr(0, word.find('=')));
  options.no_deps = context.flags().boolean("no-deps");
  options.no_recreate = true;
  options.stop_timeout = seconds(context.flags(), "timeout");
  options.parallel = parallel_of(context);
  Project project = TRY(need_project(context, options.services, SecretValues::needed));
  TRY(scale_services(project, names_of(context)));
  if (is_dry_run(context)) return print_plan(context, project, options);
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const kernel::Fd lock = TRY(lock_project(engine.places, project.name, "scale"));
  Progress progress = make_progress(context);
  TRY(bring_up(engine, project, options, progress));
  return 0;
}

}  // namespace

const CommandEntry up_command = {
    .command = {.name = "up",
                .usage = "[SERVICE...]",
                .summary = "create and start the services of a project",
                .description =
                    "Only what has changed is made anew. Without -d it shows their output until all have ended; "
                    "Ctrl-C stops them.",
                .flags = up_flags,
                .max_positionals = cli::kUnlimited,
                .joined_values = true},
    .run = up,
    .dry_run = DryRun::shown};

const CommandEntry plan_command = {.command = {.name = "plan",
                                               .usage = "[SERVICE...]",
                                               .summary = "show what up would create, change and remove",
                                               .flags = plan_flags,
                                               .max_positionals = cli::kUnlimited},
                                   .run = plan,
                                   .dry_run = DryRun::reads};

const CommandEntry scale_command = {.command = {.name = "scale",
                                                .usage = "SERVICE=N...",
                                                .summary = "have so many containers of a service",
                                                .flags = scale_flags,
                                                .min_positionals = 1,
                                                .max_positionals = cli::kUnlimited,
                                                .joined_values = true},
                                    .run = scale,
                                    .dry_run = DryRun::shown};

}  // namespace skiff::compose
