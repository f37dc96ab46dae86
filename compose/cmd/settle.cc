#include "compose/cmd/command.h"
#include "compose/lifecycle.h"

namespace skiff::compose {
namespace {

Result<int> run(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log, Supervisors::leave));
  TRY(settle(engine, context.argument(0)));
  return 0;
}

}  // namespace

const CommandEntry settle_command = {.command = {.name = "settle",
                                                 .usage = "ID",
                                                 .summary = "what follows a container's end; run by its monitor",
                                                 .min_positionals = 1,
                                                 .max_positionals = 1,
                                                 .hidden = true},
                                     .run = run};

}  // namespace skiff::compose
