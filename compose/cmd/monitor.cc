#include "compose/monitor.h"

#include "compose/cmd/command.h"
#include "compose/engine.h"
#include "compose/user_network.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 7> flags = {{
    {.name = "log-file", .value = "FILE", .text = "where its output is kept"},
    {.name = "log-size", .kind = cli::Kind::Unsigned, .value = "BYTES", .text = "of one file of the log"},
    {.name = "log-files",
     .kind = cli::Kind::Uint32,
     .value = "N",
     .text = "how many files the log has",
     .initial = "1"},
    {.name = "bundle", .value = "DIR", .text = "the bundle"},
    {.name = "tty", .kind = cli::Kind::Bool, .text = "it has a terminal"},
    {.name = "user-network", .kind = cli::Kind::Bool, .text = "it is created in the user's network"},
    {.name = "stdin", .kind = cli::Kind::Bool, .text = "its standard input is open"},
}};

Result<int> run(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log, Supervisors::leave));
  MonitorRequest request;
  request.id = context.argument(0);
  request.sockets = engine.places.sockets(request.id);
  request.runtime = engine.runtime;
  request.bundle = context.flag("bundle");
  request.settle = engine.run_self({"settle", request.id});
  request.log = {.path = context.flag("log-file"),
                 .max_bytes = context.flags().unsigned64("log-size").value_or(0),
                 .max_files = *context.flags().uint32("log-files")};
  request.terminal = context.flags().boolean("tty");
  request.stdin_open = context.flags().boolean("stdin");
  if (context.flags().boolean("user-network")) request.inside = TRY(find_user_network(engine.places)).pidfd;
  return run_monitor(request);
}

}  // namespace

const CommandEntry monitor_command = {.command = {.name = "monitor",
                                                  .usage = "CONTAINER",
                                                  .summary = "stay beside a container; started by start and run",
                                                  .flags = flags,
                                                  .min_positionals = 1,
                                                  .max_positionals = 1,
                                                  .hidden = true},
                                      .run = run};

}  // namespace skiff::compose
