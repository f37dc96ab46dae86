#include "runtime/cmd/command.h"
#include "runtime/signal.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 1> flags = {{
    {.name = "all", .letter = 'a', .kind = cli::Kind::Bool, .text = "signal every process of the container"},
}};

Result<int> run(const Context &context) {
  const auto &words = context.invocation.positionals;
  const int number = TRY(parse_signal(words.size() > 1 ? words[1] : "SIGTERM"));
  const Container container = TRY(Container::load(context.root, context.id()));
  TRY(signal_container(container, number, context.flags().boolean("all")));
  return 0;
}

}  // namespace

const CommandEntry kill_command = {.command = {.name = "kill",
                                               .usage = "CONTAINER [SIGNAL]",
                                               .summary = "send a signal, SIGTERM by default, to the container's init",
                                               .flags = flags,
                                               .min_positionals = 1,
                                               .max_positionals = 2},
                                   .run = run};

}  // namespace skiff
