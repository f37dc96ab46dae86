#include "compose/dashboard.h"

#include <fmt/format.h>

#include "compose/cmd/project_scope.h"

namespace skiff::compose {
namespace {

Result<int> run(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope(context, names_of(context)));
  const std::vector<std::string> names = names_of(context);
  if (!scope && !names.empty()) {
    return fail(ENOENT, fmt::format("dashboard {}: there is no project here", names.front()),
                "name its file with -f; without names it shows all containers");
  }
  const auto list = [&]() -> Result<std::vector<Container>> {
    if (scope) return containers_in(engine.places, *scope, names);
    return list_containers(engine.places);
  };
  return run_dashboard(engine, {.title = scope ? "project " + scope->name : "all containers",
                                .short_names = scope.has_value(),
                                .list = list,
                                .screen = {.colour = wants_colour(context)}});
}

}  // namespace

const CommandEntry dashboard_command = {
    .command = {.name = "dashboard",
                .usage = "[SERVICE...]",
                .summary = "containers, what they use and write, and keys to act on them, on the whole terminal",
                .description =
                    "It shows the containers of the project, or all, with their processors, memory, network and "
                    "disks as they are used, and the log of one. The keys stand in the last line, `?` tells all.\n\n"
                    "Columns that do not fit go, the least important first. Without a UTF-8 locale it draws with "
                    "ASCII, and without colours where NO_COLOR is set.",
                .max_positionals = cli::kUnlimited},
    .run = run,
    .dry_run = DryRun::reads};

}  // namespace skiff::compose
