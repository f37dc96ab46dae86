#include <fmt/format.h>

#include "runtime/cmd/command.h"
#include "runtime/create.h"
#include "runtime/signal.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 1> flags = {{
    {.name = "force",
     .letter = 'f',
     .kind = cli::Kind::Bool,
     .text = "kill what still runs; a container that does not exist is no error"},
}};

Status check_stopped(const Container &container) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const spec::ContainerStatus status = TRY(container.process_status(proc));
  if (status == spec::ContainerStatus::stopped) return {};
  return fail(fmt::format("cannot delete container \"{}\" that is not stopped: {}", container.record.id,
                          spec::status_name(status)),
              "`skiff kill` it first, or delete it with --force");
}

Status remove(const Context &context) {
  Container container = TRY(Container::load(context.root, context.id()));
  TRY(check_stopped(container));
  TRY(container.lock_and_reload());
  return destroy_container(container, context.log);
}

// Killed twice: before the lock, for a start that holds it may wait for this init, and after it, when a create that
// held it has told who its init is.
Status remove_by_force(const Context &context) {
  Container container = TRY(Container::load_any(context.root, context.id()));
  TRY(kill_init(container));
  TRY(container.lock_and_reload());
  TRY(kill_init(container));
  return destroy_container(container, context.log);
}

Result<int> run(const Context &context) {
  const bool force = context.flags().boolean("force");
  const Status removed = force ? remove_by_force(context) : remove(context);
  if (!removed && !(force && removed.error().text.ends_with("does not exist"))) {
    return std::unexpected(removed.error());
  }
  return 0;
}

}  // namespace

const CommandEntry delete_command = {.command = {.name = "delete",
                                                 .usage = "CONTAINER",
                                                 .summary = "remove a stopped container and all that belongs to it",
                                                 .flags = flags,
                                                 .min_positionals = 1,
                                                 .max_positionals = 1},
                                     .run = run};

}  // namespace skiff
