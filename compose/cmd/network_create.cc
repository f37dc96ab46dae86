#include <fmt/format.h>

#include "compose/cmd/command.h"
#include "compose/filter.h"
#include "compose/network.h"
#include "compose/output.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 11> flags = {{
    {.name = "driver", .letter = 'd', .value = "DRIVER", .text = "what makes the network", .initial = "bridge"},
    {.name = "subnet", .kind = cli::Kind::Strings, .value = "SUBNET", .text = "a subnet, as 10.5.0.0/16"},
    {.name = "gateway", .kind = cli::Kind::Strings, .value = "ADDRESS", .text = "the host's address in the subnet"},
    {.name = "ip-range", .kind = cli::Kind::Strings, .value = "SUBNET", .text = "where containers get addresses from"},
    {.name = "aux-address",
     .kind = cli::Kind::Strings,
     .value = "NAME=ADDRESS",
     .text = "an address that no container gets"},
    {.name = "internal", .kind = cli::Kind::Bool, .text = "without a way out"},
    {.name = "ipv6", .kind = cli::Kind::Bool, .text = "with IPv6 addresses"},
    {.name = "attachable", .kind = cli::Kind::Bool, .text = "accepted: every network is", .hidden = true},
    {.name = "opt", .letter = 'o', .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "an option of the driver"},
    {.name = "label", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "a label"},
    {.name = "ipam-driver", .value = "DRIVER", .text = "accepted", .initial = "default", .hidden = true},
}};

std::string one_of(const std::vector<std::string_view> &values, std::size_t index) {
  return index < values.size() ? std::string(values[index]) : std::string();
}

// Gateways and ranges belong to the subnets in their order, as docker has it.
Result<std::vector<AddressPool>> pools_of(const cli::Flags &given) {
  const std::vector<std::string_view> &subnets = given.strings("subnet");
  std::vector<AddressPool> pools;
  for (std::size_t i = 0; i < subnets.size(); ++i) {
    pools.push_back({.subnet = std::string(subnets[i]),
                     .gateway = one_of(given.strings("gateway"), i),
                     .range = one_of(given.strings("ip-range"), i),
                     .reserved = {}});
  }
  for (const char *flag : {"gateway", "ip-range", "aux-address"}) {
    if (pools.empty() && given.given(flag)) return fail(fmt::format("--{} is of a --subnet, and there is none", flag));
  }
  for (const auto &[name, address] : labels_of(given.strings("aux-address"))) pools.front().reserved[name] = address;
  return pools;
}

Result<int> run(const Context &context) {
  const Places places = TRY(find_places(context.global()));
  Network network;
  network.key = network.name = context.argument(0);
  network.driver = context.flag("driver");
  network.pools = TRY(pools_of(context.flags()));
  network.internal = context.flags().boolean("internal");
  network.enable_ipv6 = context.flags().boolean("ipv6");
  network.driver_options = labels_of(context.flags().strings("opt"));
  network.labels = labels_of(context.flags().strings("label"));
  TRY(make_places(places));
  const NetworkRecord record = TRY(create_network(places, network));
  return print(record.id + "\n");
}

}  // namespace

const CommandEntry network_create_command = {.command = {.name = "network create",
                                                         .usage = "NETWORK",
                                                         .summary = "make a network",
                                                         .flags = flags,
                                                         .min_positionals = 1,
                                                         .max_positionals = 1},
                                             .run = run};

}  // namespace skiff::compose
