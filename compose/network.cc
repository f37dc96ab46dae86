#include "compose/network.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/container.h"
#include "compose/contains.h"
#include "compose/host_subnets.h"
#include "compose/network_addresses.h"
#include "compose/network_record.h"
#include "compose/user_network.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

constexpr const char *bridge_option = "com.docker.network.bridge.name";
constexpr std::size_t longest_interface = 15;  // IFNAMSIZ less its NUL

Result<std::string> bridge_name(const Network &network, const std::string &id) {
  const auto given = network.driver_options.find(bridge_option);
  if (given == network.driver_options.end()) return "sk-" + id.substr(0, 12);
  if (given->second.empty() || given->second.size() > longest_interface || given->second.contains('/')) {
    return fail(fmt::format("networks.{}.driver_opts.{}: \"{}\" is no name of an interface", network.key, bridge_option,
                            given->second));
  }
  return given->second;
}

// A bridge is its network's alone: it is taken down with the last container.
Status check_bridge(const Network &network, const std::string &bridge, const std::vector<NetworkRecord> &others) {
  if (!network.driver_options.contains(bridge_option)) return {};
  const auto taken = [&](std::string_view by) {
    return fail(EEXIST, fmt::format("networks.{}.driver_opts.{}: {}, {}", network.key, bridge_option, bridge, by),
                "give it another name, or none");
  };
  const auto other = std::ranges::find(others, bridge, &NetworkRecord::bridge);
  if (other != others.end()) return taken("the bridge of network " + other->name);
  // An ordinary user's bridges are in a network namespace of his own.
  if (is_rootless()) return {};
  const Result<int> link = TRY(kernel::RouteSocket::open()).find_link(bridge);
  if (link) return taken("an interface of the host");
  return link.error().number == ENODEV ? Status() : std::unexpected(link.error());
}

Status check_driver(const Network &network) {
  if (network.driver.empty() || network.driver == "bridge") return {};
  return fail(fmt::format("networks.{}.driver: there is no driver {}", network.key, network.driver),
              "bridge is what there is; use network_mode for host and none");
}

Result<std::vector<Subnet>> taken_subnets(const std::vector<NetworkRecord> &networks, std::string_view name) {
  std::vector<Subnet> taken = TRY(read_host_subnets());
  for (const NetworkRecord &network : networks) {
    if (network.name == name) continue;
    for (const SubnetRecord &one : network.subnets) {
      if (const std::optional<Subnet> subnet = Subnet::parse(one.subnet)) taken.push_back(*subnet);
    }
  }
  return taken;
}

std::string names_of_attached(const std::vector<NetworkState> &states, const std::string &network) {
  std::string names;
  for (const NetworkState &state : states) {
    if (!contains(state.endpoints, network, &Endpoint::network)) continue;
    names += (names.empty() ? "" : ", ") + state.name;
  }
  return names;
}

}  // namespace

Result<NetworkRecord> create_network(const Places &places, const Network &network) {
  TRY(check_name(network.name));
  TRY(check_driver(network));
  TRY(make_network_directories(places));
  const kernel::Fd lock = TRY(lock_networks(places));
  const Result<NetworkRecord> other = load_network(places, network.name);
  if (other) return fail(EEXIST, fmt::format("network {}: its id is {}", network.name, other->id.substr(0, 12)));
  if (other.error().number != ENOENT) return other;
  NetworkRecord record{.name = network.name, .id = TRY(make_id()), .created = time_now()};
  record.bridge = TRY(bridge_name(network, record.id));
  const std::vector<NetworkRecord> others = TRY(list_networks(places));
  TRY(check_bridge(network, record.bridge, others));
  const std::vector<Subnet> taken = TRY(taken_subnets(others, network.name));
  record.subnets = TRY(choose_subnets(network, record.id, taken));
  record.automatic = network.pools.empty();
  record.internal = network.internal;
  record.ipv6 = std::ranges::any_of(record.subnets, [](const auto &one) { return one.subnet.contains(':'); });
  record.options = network.driver_options;
  record.labels = network.labels;
  TRY(save_network(places, record));
  return record;
}

Status choose_subnets_again(const Places &places, NetworkRecord &record) {
  const std::vector<Subnet> taken = TRY(taken_subnets(TRY(list_networks(places)), record.name));
  const bool free = std::ranges::none_of(record.subnets, [&](const SubnetRecord &one) {
    const std::optional<Subnet> subnet = Subnet::parse(one.subnet);
    return subnet && std::ranges::any_of(taken, [&](const Subnet &other) { return other.overlaps(*subnet); });
  });
  if (free || !record.automatic) return {};
  Network wish;
  wish.key = record.name;
  wish.enable_ipv6 = record.ipv6;
  record.subnets = TRY(choose_subnets(wish, record.id, taken));
  return save_network(places, record);
}

Result<NetworkRecord> find_network(const Places &places, const std::string &name) {
  const Result<NetworkRecord> exact = name.contains('/') ? fail(ENOENT, name) : load_network(places, name);
  if (exact || exact.error().number != ENOENT) return exact;
  for (NetworkRecord &record : TRY(list_networks(places))) {
    if (!name.empty() && record.id.starts_with(name)) return std::move(record);
  }
  return fail(ENOENT, fmt::format("network {}", name), "skiff-compose network ls shows those there are");
}

Status remove_network(const Places &places, const std::string &name) {
  const kernel::Fd lock = TRY(lock_networks(places));
  const NetworkRecord record = TRY(find_network(places, name));
  const std::string attached = names_of_attached(TRY(list_attached(places)), record.name);
  if (!attached.empty()) {
    return fail(EBUSY, fmt::format("network {}: attached are {}", record.name, attached),
                "remove those containers, or disconnect them");
  }
  return forget_network(places, record.name);
}

}  // namespace skiff::compose
