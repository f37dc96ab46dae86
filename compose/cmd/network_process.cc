// The processes that an ordinary user's networks consist of.
#include "compose/cmd/command.h"
#include "compose/forward.h"
#include "compose/user_network.h"

namespace skiff::compose {
namespace {

Result<int> hold(const Context &context) {
  TRY(hold_user_network({.data = {}, .run = context.argument(0)}));
  return 0;
}

Result<int> forward(const Context & /*context*/) {
  TRY(run_forwarder());
  return 0;
}

}  // namespace

const CommandEntry hold_network_command = {.command = {.name = "hold-network",
                                                       .usage = "RUN",
                                                       .summary = "keep a user's network namespace; started with it",
                                                       .min_positionals = 1,
                                                       .max_positionals = 1,
                                                       .hidden = true},
                                           .run = hold};

const CommandEntry forward_command = {
    .command = {.name = "forward", .summary = "serve a user's published ports; started with them", .hidden = true},
    .run = forward};

}  // namespace skiff::compose
