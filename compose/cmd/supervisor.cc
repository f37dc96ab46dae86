#include "compose/supervisor.h"

#include "compose/cmd/command.h"
#include "compose/lifecycle.h"

namespace skiff::compose {
namespace {

Result<int> supervise(const Context &context) {
  return run_supervisor(TRY(open_engine(context.global(), context.log, Supervisors::leave)), context.argument(0));
}

Result<int> start(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log, Supervisors::leave));
  TRY(start_container(engine, context.argument(0), {.by_policy = true}));
  return 0;
}

}  // namespace

const CommandEntry supervisor_command = {.command = {.name = "supervisor",
                                                     .usage = "GROUP",
                                                     .summary = "keep containers running; started with them",
                                                     .min_positionals = 1,
                                                     .max_positionals = 1,
                                                     .hidden = true},
                                         .run = supervise};

const CommandEntry start_by_policy_command = {.command = {.name = "start-by-policy",
                                                          .usage = "ID",
                                                          .summary = "start a container again; run by its supervisor",
                                                          .min_positionals = 1,
                                                          .max_positionals = 1,
                                                          .hidden = true},
                                              .run = start};

}  // namespace skiff::compose
