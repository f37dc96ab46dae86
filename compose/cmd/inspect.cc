#include "compose/cmd/command.h"
#include "compose/cmd/format_flag.h"
#include "compose/inspection.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

constexpr auto flags = std::to_array<cli::FlagSpec>({
    format_flag("json", 'f'),
    {.name = "type", .value = "TYPE", .text = "accepted for docker's callers", .choices = "container", .hidden = true},
});

Result<int> run(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  std::string text;
  for (std::size_t i = 0; i < context.invocation.positionals.size(); ++i) {
    const Container container = TRY(find_container(engine.places, context.argument(i)));
    text += (text.empty() ? "[\n" : ",\n") + TRY(inspection(engine, container));
  }
  return print(text + "\n]\n");
}

}  // namespace

const CommandEntry inspect_command = {.command = {.name = "inspect",
                                                  .usage = "CONTAINER...",
                                                  .summary = "everything about containers, as docker's JSON",
                                                  .flags = flags,
                                                  .min_positionals = 1,
                                                  .max_positionals = cli::kUnlimited,
                                                  .joined_values = true},
                                      .run = run,
                                      .dry_run = DryRun::reads};

}  // namespace skiff::compose
