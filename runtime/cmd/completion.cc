#include "runtime/cli/completion.h"

#include "runtime/cli/man.h"
#include "runtime/cmd/command.h"
#include "runtime/output.h"

namespace skiff {
namespace {

Result<int> complete(const Context &context) {
  return print(TRY(cli::completion_script(context.program, context.invocation.positionals.front())));
}

Result<int> manual(const Context &context) { return print(cli::man_page(context.program)); }

}  // namespace

const CommandEntry completion_command = {.command = cli::completion_command, .run = complete};
const CommandEntry man_command = {.command = cli::man_command, .run = manual};

}  // namespace skiff
