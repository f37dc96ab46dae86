#include "compose/events.h"

#include <fmt/format.h>
#include <sys/inotify.h>

#include <array>

#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/engine.h"
#include "compose/output.h"
#include "compose/project_labels.h"
#include "compose/show_text.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "since", .value = "TIME", .text = "those since then, before those to come"},
    {.name = "until", .value = "TIME", .text = "end there; without it the command goes on"},
    {.name = "filter",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "KEY=VALUE",
     .text = "only those: container, event, image, label, type"},
    format_flag("text|json"),
    {.name = "json", .kind = cli::Kind::Bool, .text = "the same as --format json"},
});

Result<std::optional<std::int64_t>> time_flag(const Context &context, std::string_view name) {
  const std::optional<timespec> time = TRY(time_of_words(name, context.flag(name)));
  if (!time) return std::nullopt;
  return time->tv_sec * 1'000'000'000 + time->tv_nsec;
}

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  TRY(make_places(places));
  EventQuery query;
  query.since = TRY(time_flag(context, "since"));
  query.until = TRY(time_flag(context, "until"));
  query.json = context.flag("format") == "json" || context.flags().boolean("json");
  std::vector<std::string_view> filters = context.flags().strings("filter");
  // Of a project: its containers alone.
  const std::optional<Scope> scope = TRY(find_scope(context));
  const std::string of_project = scope ? fmt::format("label={}={}", project_label, scope->name) : "";
  if (scope) filters.push_back(of_project);
  query.filters = TRY(Filters::parse(filters, event_keys));
  EventReader reader = TRY(EventReader::open(places, std::move(query)));
  while (true) {
    TRY(print(TRY(reader.read())));
    if (reader.is_over()) return 0;
    TRY(reader.wait());
  }
}

}  // namespace

const CommandEntry events_command = {.command = {.name = "events",
                                                 .summary = "what happens to containers, as it happens",
                                                 .flags = flags,
                                                 .joined_values = true},
                                     .run = run,
                                     .dry_run = DryRun::reads};

}  // namespace skiff::compose
