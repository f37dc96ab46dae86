#include <fmt/format.h>

#include "compose/cmd/project_scope.h"
#include "compose/container.h"
#include "compose/engine.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

constexpr auto port_flags = std::to_array<cli::FlagSpec>({
    {.name = "index", .kind = cli::Kind::Uint32, .value = "N", .text = "of a service: which of its containers"},
    {.name = "protocol", .value = "NAME", .text = "of a port without one", .choices = "tcp|udp|sctp", .initial = "tcp"},
});

// Each with its name above, as docker compose has it.
Result<int> top_of_project(const Engine &engine, const std::vector<Container> &containers) {
  std::string text;
  for (const Container &one : containers) {
    if (!one.state.is_running()) continue;
    const std::string processes = TRY(call_program(engine.run_runtime({"ps", one.id()})));
    text += fmt::format("{}{}\n{}", text.empty() ? "" : "\n", one.record.name, processes);
  }
  return print(text);
}

Result<int> top(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope(context));
  const std::vector<std::string> names = names_of(context);
  if (scope && (names.empty() || !find_id(engine.places, names.front()))) {
    return top_of_project(engine, TRY(containers_in(engine.places, *scope, names)));
  }
  TRY(need_name(context));
  const Container container = TRY(find_container(engine.places, context.argument(0)));
  if (!container.state.is_running()) return fail(fmt::format("{} does not run", container.record.name));
  Words words = engine.run_runtime({"ps", container.id()});
  for (std::size_t i = 1; i < context.invocation.positionals.size(); ++i) words.push_back(context.argument(i));
  return print(TRY(call_program(words)));
}

Result<int> port(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Container container =
      TRY(find_named(context, engine, context.argument(0), context.flags().uint32("index").value_or(0)));
  std::string wanted = context.argument(1);
  if (context.flags().given("protocol") && !wanted.contains('/')) wanted += "/" + context.flag("protocol");
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
                                              .usage = "[CONTAINER [PS OPTIONS...] | SERVICE...]",
                                              .summary = "the processes of a container, or of a project's",
                                              .max_positionals = cli::kUnlimited,
                                              .stop_at_first_positional = true},
                                  .run = top,
                                  .dry_run = DryRun::reads};

const CommandEntry port_command = {.command = {.name = "port",
                                               .usage = "CONTAINER|SERVICE [PORT[/PROTOCOL]]",
                                               .summary = "where a container's ports are published",
                                               .flags = port_flags,
                                               .min_positionals = 1,
                                               .max_positionals = 2},
                                   .run = port,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
