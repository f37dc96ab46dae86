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

Result<int> run(const Context &context) {
  const bool force = context.flags().boolean("force");
  Result<Container> container =
      force ? Container::load_any(context.root, context.id()) : Container::load(context.root, context.id());
  if (!container) {
    if (force && container.error().text.ends_with("does not exist")) return 0;
    return std::unexpected(std::move(container).error());
  }
  if (force) {
    TRY(kill_init(*container));
  } else {
    TRY(check_stopped(*container));
  }
  TRY(container->lock());
  TRY(destroy_container(*container, context.log));
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
