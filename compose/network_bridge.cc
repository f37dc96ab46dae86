#include "compose/network_bridge.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "compose/address.h"
#include "compose/contains.h"
#include "compose/network_addresses.h"
#include "compose/network_rules.h"
#include "compose/state.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/netlink.h"
#include "spec/sha256.h"

namespace skiff::compose {
namespace {

using kernel::RouteSocket;

constexpr unsigned route_metric = 100;  // whoever adds another way out has the better one

std::string packed(const Address &address) {
  return {reinterpret_cast<const char *>(address.bytes.data()), address.bits() / 8};
}

// "02:42:0a:c9:00:02"
Result<std::string> parse_hardware_address(const std::string &text) {
  std::string bytes;
  for (std::size_t at = 0; at + 2 <= text.size() && bytes.size() < 7; at += 3) {
    unsigned byte = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + at + 2, byte, 16);
    const bool parted = at + 2 == text.size() || text[at + 2] == ':';
    if (read.ptr != text.data() + at + 2 || !parted) break;
    bytes += static_cast<char>(byte);
  }
  if (bytes.size() == 6 && text.size() == 17) return bytes;
  return fail(fmt::format("mac_address: \"{}\" is none", text), "write it as 02:42:ac:11:65:43");
}

// The name that the host's end of an endpoint's cable has. Whoever gets the address next finds by it a cable whose
// namespace is not gone yet.
std::string cable_of(const NetworkRecord &network, const Endpoint &endpoint) {
  return "skv" + spec::sha256_hex(network.id + endpoint.addresses.front()).substr(0, 11);
}

// Of the bridge and its cables: below 2^31, as ip(8) has it; 0 would be all links that have none.
unsigned group_of(const NetworkRecord &network) {
  unsigned group = 0;
  (void)std::from_chars(network.id.data(), network.id.data() + std::min<std::size_t>(network.id.size(), 7), group, 16);
  return group == 0 ? 1 : group;
}

Result<unsigned> mtu_of(const NetworkRecord &network) {
  const auto mtu = network.options.find("com.docker.network.driver.mtu");
  if (mtu == network.options.end()) return 0U;
  const std::optional<unsigned> number = cli::parse_number<unsigned>(mtu->second);
  if (number) return *number;
  return fail(fmt::format("network {}: com.docker.network.driver.mtu: \"{}\" is no number", network.name, mtu->second));
}

// What has it already is left alone: /proc/sys may be read-only.
Status set_sysctl(const std::string &name, std::string_view value) {
  const std::string path = "/proc/sys/net/" + name;
  if (TRY(read_if_there(path)).starts_with(value)) return {};
  return kernel::write_all(TRY(kernel::open(path, O_WRONLY)), value);
}

Status add_address(const RouteSocket &route, int link, const std::string &text) {
  const std::optional<Subnet> subnet = Subnet::parse(text);
  const std::optional<Address> address = Address::parse(text.substr(0, text.find('/')));
  if (!subnet || !address) return fail(fmt::format("\"{}\" is no address", text));
  // It is ours alone: nobody is asked whether he has it, which would take a second.
  kernel::LinkAddress wish{.family = static_cast<unsigned char>(address->v6 ? AF_INET6 : AF_INET),
                           .prefix_length = static_cast<unsigned char>(subnet->prefix),
                           .flags = address->v6 ? unsigned{IFA_F_NODAD} : 0U,
                           .address = {},
                           .local = packed(*address),
                           .broadcast = {}};
  if (!address->v6 && subnet->prefix < 31) wish.broadcast = packed(subnet->last());
  return route.add_address(link, wish);
}

Status set_forwarding(const NetworkRecord &network) {
  if (network.internal) return {};
  TRY(set_sysctl("ipv4/ip_forward", "1"));
  TRY(set_sysctl(fmt::format("ipv4/conf/{}/route_localnet", network.bridge), "1"));
  return network.ipv6 ? set_sysctl("ipv6/conf/all/forwarding", "1") : Status();
}

std::vector<std::string> bridge_addresses(const NetworkRecord &network) {
  std::vector<std::string> addresses;
  for (const SubnetRecord &subnet : network.subnets) {
    addresses.push_back(subnet.gateway + subnet.subnet.substr(subnet.subnet.find('/')));
  }
  return addresses;
}

// It is up when all of it is there, the rules too.
Status make_bridge(const RouteSocket &route, const NetworkRecord &network, const std::vector<NetworkState> &attached) {
  const std::vector<std::string> addresses = bridge_addresses(network);
  const std::string hardware = TRY(parse_hardware_address(choose_hardware_address(addresses)));
  TRY(route.add_bridge(network.bridge, hardware, TRY(mtu_of(network)), group_of(network)));
  TRY(set_forwarding(network));
  TRY(add_rules(network, ports_into(network, attached)));
  const int link = TRY(route.find_link(network.bridge));
  for (const std::string &address : addresses) TRY(add_address(route, link, address));
  return route.set_up(link);
}

// It goes down first: what is not up counts as half made or half gone.
Status remove_bridge(const RouteSocket &route, const NetworkRecord &network) {
  const Result<int> link = route.find_link(network.bridge);
  if (!link && link.error().number != ENODEV) return std::unexpected(link.error());
  if (link) TRY(route.set_up(*link, false));
  TRY(remove_rules(network));
  const Status removed = route.remove_group(group_of(network));
  return removed || removed.error().number == ENODEV ? Status() : removed;
}

// False: it was there.
Result<bool> ensure_bridge(const RouteSocket &route, const NetworkRecord &network,
                           const std::vector<NetworkState> &attached) {
  const Result<bool> up = route.is_up(network.bridge);
  if (!up && up.error().number != ENODEV) return std::unexpected(up.error());
  if (up && *up) return false;
  if (up) TRY(remove_bridge(route, network));
  TRY(make_bridge(route, network, attached));
  return true;
}

Status add_cable(const RouteSocket &route, const kernel::NewVeth &cable) {
  const Status added = route.add_veth(cable);
  if (added || added.error().number != EEXIST) return added;
  const Status removed = route.remove_link(cable.name);
  // The name that is taken is the one inside; or the kernel was faster.
  if (!removed && removed.error().number != ENODEV) return added;
  return route.add_veth(cable);
}

Status furnish_inside(const NetworkRecord &network, const NetworkState &state, const Endpoint &endpoint,
                      const RouteSocket &inside) {
  const int link = TRY(inside.find_link(endpoint.interface_name));
  for (const std::string &address : endpoint.addresses) TRY(add_address(inside, link, address));
  TRY(inside.set_up(link));
  if (network.internal) return {};
  for (const std::string &gateway : endpoint.gateways) {
    const std::optional<Address> address = Address::parse(gateway);
    if (!address) return fail(fmt::format("container {}: \"{}\" is no gateway", state.name, gateway));
    // Another network of it may be the way out already.
    const Status added = inside.add_default_route(link, packed(*address), route_metric);
    if (!added && added.error().number != EEXIST) return added;
  }
  return {};
}

bool is_attached(const std::vector<NetworkState> &states, const NetworkRecord &network) {
  return std::ranges::any_of(
      states, [&](const NetworkState &state) { return contains(state.endpoints, network.name, &Endpoint::network); });
}

}  // namespace

Status join_bridge(const NetworkRecord &network, const NetworkState &state, const Endpoint &endpoint,
                   const std::vector<NetworkState> &attached) {
  const RouteSocket route = TRY(RouteSocket::open());
  const bool made = TRY(ensure_bridge(route, network, attached));
  if (!made && !state.ports.empty()) TRY(change_ports(network, ports_into(network, attached)));
  const kernel::Fd here = TRY(kernel::open("/proc/self/ns/net", O_RDONLY));
  const kernel::Fd there = TRY(kernel::open(state.path, O_RDONLY));
  const kernel::NewVeth cable{.name = cable_of(network, endpoint),
                              .bridge = TRY(route.find_link(network.bridge)),
                              .group = group_of(network),
                              .netns = there,
                              .peer_name = endpoint.interface_name,
                              .peer_hardware_address = TRY(parse_hardware_address(endpoint.mac_address)),
                              .mtu = TRY(mtu_of(network))};
  TRY(add_cable(route, cable));
  return furnish_inside(network, state, endpoint, TRY(RouteSocket::open_in(there, here)));
}

Status cut_cable(const NetworkRecord &network, const Endpoint &endpoint) {
  const Status cut = TRY(RouteSocket::open()).remove_link(cable_of(network, endpoint));
  return cut || cut.error().number == ENODEV ? Status() : cut;
}

Status leave_bridge(const NetworkRecord &network, const NetworkState &state, const std::vector<NetworkState> &others) {
  if (!is_attached(others, network)) return remove_bridge(TRY(RouteSocket::open()), network);
  return state.ports.empty() ? Status() : change_ports(network, ports_into(network, others));
}

}  // namespace skiff::compose
