#include <fmt/format.h>

#include <map>

#include "runtime/cmd/command.h"
#include "runtime/container.h"
#include "runtime/output.h"
#include "runtime/user_name.h"

namespace skiff {
namespace {

constexpr std::array<cli::FlagSpec, 2> flags = {{
    {.name = "format",
     .letter = 'f',
     .value = "FORMAT",
     .text = "how to print them",
     .choices = "table|json",
     .initial = "table"},
    {.name = "quiet", .letter = 'q', .kind = cli::Kind::Bool, .text = "print the ids only"},
}};

Result<std::vector<spec::State>> load_all(const Context &context) {
  std::vector<spec::State> states;
  std::map<std::uint32_t, std::string> names;
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  for (const std::string &id : TRY(Container::list(context.root))) {
    const Result<Container> container = Container::load(context.root, id);
    if (!container) {
      // One that is being made or removed at this moment, or was cut short: no reason to show none of the others.
      cli::warning(context.log, container.error().message());
      continue;
    }
    spec::State state = container->state(TRY(container->status(proc)));
    const std::uint32_t owner = container->record.owner_uid;
    if (!names.contains(owner)) names[owner] = user_name(owner);
    state.owner = names[owner];
    states.push_back(std::move(state));
  }
  return states;
}

std::string table(const std::vector<spec::State> &states) {
  std::size_t id = 2;
  std::size_t bundle = 6;
  for (const spec::State &state : states) {
    id = std::max(id, state.id.size());
    bundle = std::max(bundle, state.bundle.size());
  }
  std::string text = fmt::format("{:<{}}   {:<10}  {:<8}   {:<{}}   {:<30}   {}\n", "ID", id, "PID", "STATUS", "BUNDLE",
                                 bundle, "CREATED", "OWNER");
  for (const spec::State &state : states) {
    text += fmt::format("{:<{}}   {:<10}  {:<8}   {:<{}}   {:<30}   {}\n", state.id, id, state.pid,
                        spec::status_name(state.status), state.bundle, bundle, state.created, state.owner);
  }
  return text;
}

Result<int> run(const Context &context) {
  const std::vector<spec::State> states = TRY(load_all(context));
  if (context.flags().boolean("quiet")) {
    std::string ids;
    for (const spec::State &state : states) ids += state.id + "\n";
    return print(ids);
  }
  return print(context.flag("format") == "json" ? spec::print_states(states) : table(states));
}

}  // namespace

const CommandEntry list_command = {
    .command = {.name = "list", .summary = "list the containers below the root", .flags = flags}, .run = run};

}  // namespace skiff
