#include "runtime/create.h"

#include "runtime/cmd/command.h"
#include "runtime/cmd/create_flags.h"

namespace skiff {
namespace {

Result<int> run(const Context &context) {
  CreateRequest request = create_request(context);
  Created created = TRY(create_container(std::move(request), context.log));
  (void)created.launched.init.release();  // it outlives us
  return 0;
}

}  // namespace

const CommandEntry create_command = {
    .command = {.name = "create",
                .usage = "CONTAINER",
                .summary = "make a container from a bundle, without running its program yet",
                .description = "Everything but the program itself is done when the command ends: namespaces, cgroup, "
                               "mounts, hooks, credentials. `start` runs the program.",
                .flags = create_flags,
                .min_positionals = 1,
                .max_positionals = 1},
    .run = run,
    .enters_container = true};

}  // namespace skiff
