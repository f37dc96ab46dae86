#include <fmt/format.h>

#include "compose/cmd/project_scope.h"
#include "compose/output.h"
#include "compose/project_lock.h"
#include "compose/project_state.h"
#include "compose/up.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "volumes", .letter = 'v', .kind = Kind::Bool, .text = "its volumes as well, and those without a name"},
    {.name = "rmi",
     .value = "WHICH",
     .text = "images too: all, or those without an image name (local)",
     .choices = "all|local"},
    {.name = "remove-orphans", .kind = Kind::Bool, .text = "containers of services that the file does not have, too"},
    {.name = "timeout", .letter = 't', .kind = Kind::Integer, .value = "SECONDS", .text = "before one is killed"},
});

// What would go, as `plan` writes it.
Result<int> print_what_goes(const Engine &engine, const Scope &scope) {
  std::string text;
  for (const Container &one : TRY(containers_of_project(engine.places, scope.name))) {
    text += fmt::format("- {}  remove container\n", one.record.name);
  }
  return print(text.empty() ? "Nothing to change.\n" : text);
}

Result<int> run(const Context &context) {
  const Scope scope = TRY(need_scope(context));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  if (is_dry_run(context)) return print_what_goes(engine, scope);
  DownOptions options;
  options.services = names_of(context);
  options.volumes = context.flags().boolean("volumes");
  options.remove_orphans = context.flags().boolean("remove-orphans");
  options.images = context.flag("rmi");
  if (const auto seconds = context.flags().integer("timeout")) options.stop_timeout = std::chrono::seconds(*seconds);
  options.parallel = parallel_of(context);
  kernel::Fd lock = TRY(lock_project(engine.places, scope.name, "down"));
  Progress progress = make_progress(context);
  TRY(bring_down(engine, scope.name, scope.project(), options, progress));
  TRY(forget_lock(engine.places, scope.name, std::move(lock)));
  return 0;
}

}  // namespace

const CommandEntry down_command = {
    .command = {.name = "down",
                .usage = "[SERVICE...]",
                .summary = "stop and remove the containers and networks of a project",
                .description = "Works without the project's file, by -p NAME. Volumes stay, but for -v.",
                .flags = flags,
                .max_positionals = cli::kUnlimited,
                .joined_values = true},
    .run = run,
    .dry_run = DryRun::shown};

}  // namespace skiff::compose
