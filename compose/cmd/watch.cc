#include "compose/watch.h"

#include "compose/cmd/project_scope.h"
#include "compose/project_lock.h"

namespace skiff::compose {
namespace {

using cli::Kind;

constexpr auto flags = std::to_array<cli::FlagSpec>({
    {.name = "no-up", .kind = Kind::Bool, .text = "the project is up already: build and start nothing first"},
    {.name = "prune",
     .kind = Kind::Bool,
     .text = "remove the images that a rebuild leaves without a name",
     .initial = "true"},
    {.name = "quiet", .kind = Kind::Bool, .text = "nothing but errors"},
});

Result<int> watch(const Context &context) {
  const std::vector<std::string> services = names_of(context);
  const Project project = TRY(need_project(context, services, SecretValues::needed));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  WatchOptions options{.services = services, .up = {}, .prune = context.flags().boolean("prune")};
  options.up.services = services;
  options.up.parallel = parallel_of(context);
  Progress progress = context.flags().boolean("quiet") ? Progress(ProgressStyle::quiet) : make_progress(context);
  if (!context.flags().boolean("no-up")) {
    UpOptions first = options.up;
    first.images.build = true;
    const kernel::Fd lock = TRY(lock_project(engine.places, project.name, "watch"));
    TRY(bring_up(engine, project, first, progress));
  }
  // What happens from now on is a story, not a picture that is drawn over.
  Progress story = progress.style() == ProgressStyle::terminal ? Progress(ProgressStyle::plain) : progress;
  return watch_project(engine, project, options, story);
}

}  // namespace

const CommandEntry watch_command = {
    .command = {.name = "watch",
                .usage = "[SERVICE...]",
                .summary = "bring files that change into the containers, by the rules of develop.watch",
                .description =
                    "It brings the project up, and then goes on until ctrl-c. A rule's action says what follows a "
                    "change below its path: `sync` copies files to its target, `restart` restarts the service, "
                    "`rebuild` builds its image and makes its containers anew; `sync+restart` and `sync+exec` are "
                    "both. Changes that come together are one batch. Files of the service's .dockerignore, of .git "
                    "and of editors are passed over. A .ctst file has no word for such rules.",
                .flags = flags,
                .max_positionals = cli::kUnlimited},
    .run = watch};

}  // namespace skiff::compose
