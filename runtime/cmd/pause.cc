#include <fmt/format.h>

#include "runtime/cgroup.h"
#include "runtime/cmd/command.h"
#include "runtime/container.h"

namespace skiff {
namespace {

Result<Container> load_in_state(const Context &context, std::initializer_list<spec::ContainerStatus> accepted) {
  Container container = TRY(Container::load(context.root, context.id()));
  TRY(container.lock());
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const spec::ContainerStatus status = TRY(container.status(proc));
  for (const spec::ContainerStatus wanted : accepted) {
    if (status == wanted) return container;
  }
  if (status == spec::ContainerStatus::stopped) return fail("container not running");
  return fail(fmt::format("container not in the right state to {}: it is {}", context.invocation.command->name,
                          spec::status_name(status)));
}

Result<int> pause(const Context &context) {
  const Container container =
      TRY(load_in_state(context, {spec::ContainerStatus::running, spec::ContainerStatus::created}));
  TRY(TRY(Cgroup::open(container.record.cgroup_paths)).freeze());
  return 0;
}

Result<int> resume(const Context &context) {
  const Container container = TRY(load_in_state(context, {spec::ContainerStatus::paused}));
  TRY(TRY(Cgroup::open(container.record.cgroup_paths)).thaw());
  return 0;
}

}  // namespace

const CommandEntry pause_command = {.command = {.name = "pause",
                                                .usage = "CONTAINER",
                                                .summary = "freeze every process of the container",
                                                .min_positionals = 1,
                                                .max_positionals = 1},
                                    .run = pause};

const CommandEntry resume_command = {.command = {.name = "resume",
                                                 .usage = "CONTAINER",
                                                 .summary = "let the processes of a paused container go on",
                                                 .min_positionals = 1,
                                                 .max_positionals = 1},
                                     .run = resume};

}  // namespace skiff
