#include "spec/state.h"

#include <fmt/format.h>

#include "runtime/cmd/command.h"
#include "runtime/container.h"
#include "runtime/output.h"

namespace skiff {
namespace {

Result<int> run(const Context &context) {
  const Container container = TRY(Container::load(context.root, context.id()));
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const spec::ContainerStatus status = TRY(container.status(proc));
  return print(spec::print_state(container.state(status), true) + "\n");
}

}  // namespace

const CommandEntry state_command = {.command = {.name = "state",
                                                .usage = "CONTAINER",
                                                .summary = "print the state of a container as JSON",
                                                .min_positionals = 1,
                                                .max_positionals = 1},
                                    .run = run};

}  // namespace skiff
