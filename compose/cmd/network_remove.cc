#include <algorithm>

#include "compose/cmd/command.h"
#include "compose/cmd/each_name.h"
#include "compose/contains.h"
#include "compose/filter.h"
#include "compose/network.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 1> rm_flags = {
    {{.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "one that is not there is no error"}}};
constexpr std::array<cli::FlagSpec, 2> prune_flags = {{
    {.name = "filter", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "by label"},
    {.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "accepted: nothing is asked"},
}};
constexpr std::array<std::string_view, 1> filter_keys = {"label"};

Result<int> remove(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  return for_each_name(context, [&](const std::string &name) -> Status {
    Status removed = remove_network(places, name);
    if (!removed && removed.error().number == ENOENT && context.flags().boolean("force")) return {};
    return removed;
  });
}

bool is_attached(const std::vector<NetworkState> &states, const NetworkRecord &network) {
  return std::ranges::any_of(
      states, [&](const NetworkState &state) { return contains(state.endpoints, network.name, &Endpoint::network); });
}

Result<int> prune(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  const Filters filters = TRY(Filters::parse(context.flags().strings("filter"), filter_keys));
  const std::vector<NetworkState> attached = TRY(list_attached(places));
  std::string removed;
  for (const NetworkRecord &network : TRY(list_networks(places))) {
    if (is_attached(attached, network) || !filters.matches_labels(network.labels)) continue;
    const Status gone = remove_network(places, network.name);
    // Somebody was attached meanwhile.
    if (!gone && gone.error().number != EBUSY && gone.error().number != ENOENT) return std::unexpected(gone.error());
    if (gone) removed += network.name + "\n";
  }
  return print(removed.empty() ? "" : "Deleted Networks:\n" + removed);
}

}  // namespace

const CommandEntry network_rm_command = {.command = {.name = "network rm",
                                                     .usage = "NETWORK...",
                                                     .summary = "remove networks that nobody is attached to",
                                                     .flags = rm_flags,
                                                     .min_positionals = 1,
                                                     .max_positionals = cli::kUnlimited},
                                         .run = remove};

const CommandEntry network_prune_command = {
    .command = {.name = "network prune", .summary = "remove all networks that nobody uses", .flags = prune_flags},
    .run = prune};

}  // namespace skiff::compose
