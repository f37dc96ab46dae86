#include <fmt/format.h>

#include <array>

#include "compose/cmd/project_scope.h"
#include "compose/engine.h"
#include "compose/log_reader.h"
#include "compose/log_view.h"
#include "compose/run_watch.h"
#include "compose/show_text.h"
#include "runtime/cli/value.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "follow",
     .letter = 'f',
     .kind = cli::Kind::Bool,
     .text = "go on with what is still to come, until its end"},
    {.name = "tail", .letter = 'n', .value = "LINES", .text = "begin with the last LINES", .initial = "all"},
    {.name = "since", .value = "TIME", .text = "what came after a time, or so long ago: 2026-01-02T15:04:05, 10m"},
    {.name = "until", .value = "TIME", .text = "what came before it"},
    {.name = "no-log-prefix", .kind = cli::Kind::Bool, .text = "of a project: no names in front of lines"},
    {.name = "no-color", .kind = cli::Kind::Bool, .text = "of a project: no colours"},
    {.name = "timestamps", .letter = 't', .kind = cli::Kind::Bool, .text = "when each line was written"},
});

struct Wanted {
  bool timestamps = false;
  std::optional<timespec> since;
  std::optional<timespec> until;
};

bool is_before(const timespec &one, const timespec &other) {
  return one.tv_sec != other.tv_sec ? one.tv_sec < other.tv_sec : one.tv_nsec < other.tv_nsec;
}

Result<std::optional<std::uint64_t>> tail_flag(const Context &context) {
  const std::string text = context.flag("tail");
  if (text == "all") return std::nullopt;
  const std::optional<std::uint64_t> lines = cli::parse_number<std::uint64_t>(text);
  if (!lines) return fail(fmt::format("--tail: \"{}\" is no number of lines", text), "a number, or all");
  return lines;
}

// Each stream to its own. False: nothing that comes later is wanted.
Result<bool> show(const LogEntry &entry, const Wanted &wanted) {
  const std::optional<timespec> time = parse_time(entry.time);
  if (time && wanted.until && !is_before(*time, *wanted.until)) return false;
  if (time && wanted.since && is_before(*time, *wanted.since)) return true;
  const std::string text = wanted.timestamps ? fmt::format("{} {}", entry.time, entry.text) : entry.text;
  TRY(in("stdout", kernel::write_all(kernel::FdView(entry.stream == Stream::err ? 2 : 1), text)));
  return true;
}

Result<bool> show_all(LogReader &reader, const Wanted &wanted) {
  while (const std::optional<LogEntry> entry = TRY(reader.next())) {
    if (!TRY(show(*entry, wanted))) return false;
  }
  return true;
}

Status follow(LogReader &reader, RunWatch &run, const Wanted &wanted) {
  while (!TRY(run.wait(std::chrono::milliseconds(0)))) {
    std::array<pollfd, 2> events = {{{reader.fd().get(), POLLIN, 0}, {run.fd().get(), POLLIN, 0}}};
    TRY(kernel::poll(events, kernel::forever));
    reader.forget();
    if (!TRY(show_all(reader, wanted))) return {};
  }
  TRY(show_all(reader, wanted));
  return {};
}

Result<int> show_project(const Context &context, const Engine &engine, const Scope &scope, const Wanted &wanted,
                         const std::optional<std::uint64_t> &tail) {
  const cli::Flags &given = context.flags();
  LogView view(engine, {.tail = tail,
                        .since = wanted.since,
                        .until = wanted.until,
                        .timestamps = wanted.timestamps,
                        .prefix = !given.boolean("no-log-prefix"),
                        .colour = !given.boolean("no-color") && wants_colour(context)});
  for (const Container &one : TRY(containers_in(engine.places, scope, names_of(context)))) TRY(view.add(one));
  TRY(view.show());
  if (given.boolean("follow")) TRY(view.follow(kernel::no_fd, [](const ContainerRecord &, int) { return true; }));
  return 0;
}

Result<int> run(const Context &context) {
  const Wanted wanted{.timestamps = context.flags().boolean("timestamps"),
                      .since = TRY(time_of_words("since", context.flag("since"))),
                      .until = TRY(time_of_words("until", context.flag("until")))};
  const std::optional<std::uint64_t> tail = TRY(tail_flag(context));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope_of_names(context, engine, names_of(context)));
  if (scope) return show_project(context, engine, *scope, wanted, tail);
  TRY(need_name(context));
  const Container container = TRY(find_container(engine.places, context.argument(0)));
  if (container.record.logging.driver == "none") {
    return fail(fmt::format("{} keeps no log: its log driver is none", container.record.name));
  }
  LogReader reader = TRY(LogReader::open(engine.places.directory(container.id()) + "/log", tail));
  std::optional<RunWatch> run;
  if (context.flags().boolean("follow") && container.state.is_running()) {
    run = TRY(RunWatch::open(engine, container.id()));
  }
  if (TRY(show_all(reader, wanted)) && run) TRY(follow(reader, *run, wanted));
  return 0;
}

}  // namespace

const CommandEntry logs_command = {.command = {.name = "logs",
                                               .usage = "[CONTAINER|SERVICE...]",
                                               .summary = "what a container has written",
                                               .flags = flags,
                                               .max_positionals = cli::kUnlimited,
                                               .joined_values = true},
                                   .run = run,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
