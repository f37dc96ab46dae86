#include "runtime/cli/completion.h"

#include "compose/cmd/command.h"
#include "compose/output.h"
#include "runtime/cli/man.h"

namespace skiff::compose {
namespace {

Result<int> complete(const Context &context) {
  return print(TRY(cli::completion_script(context.program, context.invocation.positionals.front())));
}

Result<int> manual(const Context &context) { return print(cli::man_page(context.program)); }

}  // namespace

const CommandEntry completion_command = {.command = cli::completion_command, .run = complete, .dry_run = DryRun::reads};
const CommandEntry man_command = {.command = cli::man_command, .run = manual, .dry_run = DryRun::reads};

}  // namespace skiff::compose
