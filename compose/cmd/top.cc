#include <fmt/format.h>

#include "compose/cmd/command.h"
#include "compose/container.h"
#include "compose/engine.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

Result<int> top(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Container container = TRY(find_container(engine.places, context.argument(0)));
  if (!container.state.is_running()) return fail(fmt::format("{} does not run", container.record.name));
  Words words = engine.run_runtime({"ps", container.id()});
  for (std::size_t i = 1; i < context.invocation.positionals.size(); ++i) words.push_back(context.argument(i));
  return print(TRY(call_program(words)));
}

Result<int> port(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const Container container = TRY(find_container(places, context.argument(0)));
  const std::string wanted = context.argument(1);
  std::string text;
  for (const Port &one : container.record.ports) {
    const std::string inside = fmt::format("{}/{}", one.container, one.protocol);
    const bool meant = wanted == inside || wanted + "/tcp" == inside;
    if (!one.host || (!wanted.empty() && !meant)) continue;
    const bool v6 = one.host_address.find(':') != std::string::npos;
    const std::string address = one.host_address.empty() ? "0.0.0.0"
                                : v6                     ? "[" + one.host_address + "]"
                                                         : one.host_address;
    const std::string outside = fmt::format("{}:{}\n", address, *one.host);
    text += wanted.empty() ? fmt::format("{} -> {}", inside, outside) : outside;
  }
  if (text.empty() && !wanted.empty()) {
    return fail(fmt::format("{} publishes no port {}", container.record.name, wanted),
                "`port CONTAINER` lists all of them");
  }
  return print(text);
}

}  // namespace

const CommandEntry top_command = {.command = {.name = "top",
                                              .usage = "CONTAINER [PS OPTIONS...]",
                                              .summary = "the processes of a container",
                                              .min_positionals = 1,
                                              .max_positionals = cli::kUnlimited,
                                              .stop_at_first_positional = true},
                                  .run = top,
                                  .dry_run = DryRun::reads};

const CommandEntry port_command = {.command = {.name = "port",
                                               .usage = "CONTAINER [PORT[/PROTOCOL]]",
                                               .summary = "where a container's ports are published",
                                               .min_positionals = 1,
                                               .max_positionals = 2},
                                   .run = port,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
