#include <fmt/format.h>

#include "compose/cmd/command.h"
#include "compose/container_filter.h"
#include "compose/engine.h"
#include "compose/lifecycle.h"
#include "compose/output.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr auto prune_flags = std::to_array<cli::FlagSpec>({
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "accepted for docker's callers", .hidden = true},
    {.name = "filter", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "only those, as ps has them"},
    {.name = "volumes", .kind = cli::Kind::Bool, .text = "their anonymous volumes as well"},
});

Result<int> prune(const Context &context) {
  const ContainerFilter filter = TRY(ContainerFilter::parse(context.flags().strings("filter")));
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::vector<Container> all = TRY(list_containers(engine.places));
  for (const Container &container : all) {
    if (container.state.is_running() || !filter.takes(container, all)) continue;
    TRY(remove_container(engine, container.id(), {.force = false, .volumes = context.flags().boolean("volumes")}));
    TRY(print(container.id() + "\n"));
  }
  return 0;
}

Result<int> version(const Context &context) {
  return print(fmt::format("{} version {}\n", context.program.name, context.program.version));
}

Result<int> info(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  std::size_t running = 0;
  std::size_t paused = 0;
  const std::vector<Container> all = TRY(list_containers(engine.places));
  for (const Container &container : all) {
    running += container.state.phase == ContainerState::Phase::running ? 1 : 0;
    paused += container.state.phase == ContainerState::Phase::paused ? 1 : 0;
  }
  const bool unified = kernel::faccessat(kernel::cwd, "/sys/fs/cgroup/cgroup.controllers", F_OK).has_value();
  return print(
      fmt::format("Containers: {}\n Running: {}\n Paused: {}\n Stopped: {}\nState: {}\nRun: {}\n"
                  "Runtime: {}\nImage program: {}\nCgroup version: {}\nVersion: {}\n",
                  all.size(), running, paused, all.size() - running - paused, engine.places.data, engine.places.run,
                  engine.runtime.front(), engine.image.front(), unified ? 2 : 1, context.program.version));
}

}  // namespace

const CommandEntry prune_command = {
    .command = {.name = "prune", .summary = "remove all containers that do not run", .flags = prune_flags},
    .run = prune};
const CommandEntry version_command = {
    .command = {.name = "version", .summary = "print the version"}, .run = version, .dry_run = DryRun::reads};
const CommandEntry info_command = {.command = {.name = "info", .summary = "what is here, and where it is kept"},
                                   .run = info,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
