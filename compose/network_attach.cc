#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "compose/contains.h"
#include "compose/forward.h"
#include "compose/name_server.h"
#include "compose/network.h"
#include "compose/network_addresses.h"
#include "compose/network_bridge.h"
#include "compose/network_namespace.h"
#include "compose/network_record.h"
#include "compose/network_rules.h"
#include "compose/record_fields.h"
#include "compose/user_network.h"

namespace skiff::compose {
namespace {

std::vector<std::string> used_addresses(const std::vector<NetworkState> &states, const std::string &network) {
  std::vector<std::string> used;
  for (const NetworkState &state : states) {
    for (const Endpoint &endpoint : state.endpoints) {
      if (endpoint.network != network) continue;
      used.insert(used.end(), endpoint.addresses.begin(), endpoint.addresses.end());
    }
  }
  return used;
}

std::string free_interface(const std::vector<Endpoint> &endpoints) {
  for (std::size_t number = 0;; ++number) {
    std::string name = fmt::format("eth{}", number);
    if (!contains(endpoints, name, &Endpoint::interface_name)) return name;
  }
}

// One interface more in `state`, which is not made yet. `others` are the other containers.
Status add_endpoint(const Places &places, const Attachment &wish, const std::vector<NetworkState> &others,
                    NetworkState &state) {
  NetworkRecord network = TRY(find_network(places, wish.network));
  const std::vector<std::string> used = used_addresses(others, network.name);
  // Nobody is on it: its bridge is not there, and its subnet may be somebody else's by now.
  if (used.empty()) TRY(choose_subnets_again(places, network));
  Endpoint endpoint{.network = network.name, .mac_address = wish.mac_address, .aliases = wish.aliases};
  endpoint.interface_name = wish.interface_name.empty() ? free_interface(state.endpoints) : wish.interface_name;
  endpoint.addresses = TRY(choose_addresses(network, wish, used));
  if (endpoint.mac_address.empty()) endpoint.mac_address = choose_hardware_address(endpoint.addresses);
  for (const SubnetRecord &subnet : network.subnets) {
    if (!network.internal) endpoint.gateways.push_back(subnet.gateway);
  }
  // The beginning of its id is a name too, as Docker has it.
  endpoint.aliases.push_back(state.container.substr(0, 12));
  state.endpoints.push_back(std::move(endpoint));
  return {};
}

// compose-spec: the network of the highest priority is the first interface; otherwise by name.
std::vector<Attachment> in_order(std::vector<Attachment> attachments) {
  std::ranges::stable_sort(attachments, [](const Attachment &one, const Attachment &other) {
    return one.priority != other.priority ? one.priority > other.priority : one.network < other.network;
  });
  return attachments;
}

Result<std::vector<NetworkState>> other_containers(const Places &places, const std::string &container) {
  std::vector<NetworkState> states = TRY(list_attached(places));
  std::erase_if(states, [&](const NetworkState &state) { return state.container == container; });
  return states;
}

// All networks that one of the containers is on.
Result<std::vector<NetworkRecord>> networks_of(const Places &places, const std::vector<NetworkState> &states) {
  std::vector<NetworkRecord> networks;
  for (const NetworkState &state : states) {
    for (const Endpoint &endpoint : state.endpoints) {
      if (contains(networks, endpoint.network, &NetworkRecord::name)) continue;
      Result<NetworkRecord> network = load_network(places, endpoint.network);
      if (network) networks.push_back(std::move(*network));
      if (!network && network.error().number != ENOENT) return std::unexpected(network.error());
    }
  }
  return networks;
}

Status tell_names(const Places &places, const std::vector<NetworkState> &attached) {
  return tell_name_server(places, TRY(networks_of(places, attached)), attached);
}

// The name servers are known by then: they are the gateways.
Status join(const Places &places, NetworkState &state, Endpoint &endpoint, const std::vector<NetworkState> &attached) {
  const NetworkRecord network = TRY(load_network(places, endpoint.network));
  TRY(in("network " + network.name, join_bridge(network, state, endpoint, attached)));
  endpoint.name_servers.clear();
  for (const SubnetRecord &subnet : network.subnets) endpoint.name_servers.push_back(subnet.gateway);
  return {};
}

Status leave(const Places &places, const NetworkState &state, const Endpoint &endpoint,
             const std::vector<NetworkState> &others) {
  const NetworkRecord network = TRY(load_network(places, endpoint.network));
  return in("network " + network.name, leave_bridge(network, state, others));
}

// As much of it as can be, whatever fails.
Status tear_down(const Places &places, const NetworkState &state) {
  const std::vector<NetworkState> others = TRY(other_containers(places, state.container));
  Status torn;
  for (const Endpoint &endpoint : state.endpoints) {
    const Status left = leave(places, state, endpoint, others);
    if (!left) torn = left;
  }
  if (state.endpoints.empty()) return {};
  const Status told = tell_names(places, others);
  return torn ? told : torn;
}

// Where the bridges are: root's own namespaces, or those of an ordinary user's network. `state` comes back as `work`
// leaves it.
using Work = std::function<Status(NetworkState &)>;
Status at_the_bridges(const Places &places, NetworkState &state, const Work &work) {
  if (!is_rootless()) return work(state);
  const std::string text = TRY(inside_user_network(places, [&]() -> Result<std::string> {
    TRY(work(state));
    return spec::Writer("").document(state);
  }));
  state = TRY(parse_document<NetworkState>("the user's network", text));
  return {};
}

Status at_the_bridges(const Places &places, const NetworkState &state, const Work &work) {
  NetworkState copy = state;
  return at_the_bridges(places, copy, work);
}

Status forget(const Places &places, const std::string &container) {
  const Status forgotten = forget_attached(places, container);
  if (!forgotten && forgotten.error().number != ENOENT) return forgotten;
  return {};
}

// Of a user, once the process that held his network is gone, nothing is left of it but names of files.
Status take_away(const Places &places, const std::string &container, const Result<NetworkState> &state) {
  const std::string path = fmt::format("{}/{}", namespaces_directory(places), container);
  if (is_rootless() && !TRY(find_user_network(places)).pidfd.valid()) return remove_network_namespace(path);
  return at_the_bridges(places, state.value_or(NetworkState{}), [&](NetworkState &mine) {
    const Status torn = state ? tear_down(places, mine) : Status();
    const Status removed = remove_network_namespace(path);
    return torn ? removed : torn;
  });
}

Status detach_locked(const Places &places, const std::string &container) {
  Result<NetworkState> state = find_attached(places, container);
  if (!state && state.error().number != ENOENT) return std::unexpected(state.error());
  if (is_rootless()) TRY(stop_forwarder(places, container));
  const Status taken = take_away(places, container, state);
  TRY(forget(places, container));
  if (!TRY(list_attached(places)).empty()) return taken;
  if (is_rootless()) TRY(end_user_network(places));
  return taken;
}

// A user's container makes its own namespace.
Status make(const Places &places, const NetworkState &state, const kernel::Fd &lock) {
  TRY(save_attached(places, state));
  return is_rootless() ? ensure_user_network(places, lock) : make_network_namespace(state.path);
}

Status check_rootless(const NetworkRequest &request) {
  for (const Port &port : request.ports) {
    if (port.protocol != "sctp") continue;
    return fail(fmt::format("port {}: sctp cannot be published without root", port.container), "use tcp or udp");
  }
  return {};
}

// The ports of one that has lost a network may have another way in.
Status lead_ports(const Places &places, const NetworkState &state, const std::vector<NetworkState> &attached) {
  for (const Endpoint &endpoint : state.endpoints) {
    const NetworkRecord network = TRY(load_network(places, endpoint.network));
    TRY(change_ports(network, ports_into(network, attached)));
  }
  return {};
}

// The record last: killed before, it is done again.
Status disconnect(const Places &places, NetworkState &state, const std::string &network) {
  const auto endpoint = std::ranges::find(state.endpoints, network, &Endpoint::network);
  const Endpoint gone = std::move(*endpoint);
  state.endpoints.erase(endpoint);
  std::vector<NetworkState> left = TRY(other_containers(places, state.container));
  left.push_back(state);
  TRY(at_the_bridges(places, state, [&](NetworkState &mine) -> Status {
    TRY(cut_cable(TRY(load_network(places, network)), gone));
    TRY(leave(places, mine, gone, left));
    if (!mine.ports.empty()) TRY(lead_ports(places, mine, left));
    return tell_names(places, left);
  }));
  return save_attached(places, state);
}

}  // namespace

Result<NetworkState> attach_networks(const Places &places, const NetworkRequest &request) {
  TRY(make_network_directories(places));
  const kernel::Fd lock = TRY(lock_networks(places));
  if (is_rootless()) TRY(check_rootless(request));
  TRY(detach_locked(places, request.container));
  const std::vector<NetworkState> others = TRY(other_containers(places, request.container));
  NetworkState state{.container = request.container, .name = request.name, .boot_id = TRY(read_boot_id())};
  state.path = fmt::format("{}/{}", namespaces_directory(places), request.container);
  for (const Attachment &wish : in_order(request.attachments)) TRY(add_endpoint(places, wish, others, state));
  state.ports = TRY(choose_ports(request.ports, others));
  const Status made = make(places, state, lock);
  if (made) return state;
  (void)detach_locked(places, request.container);
  return std::unexpected(made.error());
}

Result<NetworkState> join_networks(const Places &places, const std::string &container, pid_t pid) {
  const kernel::Fd lock = TRY(lock_networks(places));
  NetworkState state = TRY(find_attached(places, container));
  const std::vector<NetworkState> attached = TRY(list_attached(places));
  // In there he is root.
  const bool is_users = is_rootless();
  TRY(at_the_bridges(places, state, [&](NetworkState &mine) -> Status {
    if (is_users) TRY(keep_network_namespace(mine.path, pid));
    for (Endpoint &endpoint : mine.endpoints) TRY(join(places, mine, endpoint, attached));
    return mine.endpoints.empty() ? Status() : tell_names(places, attached);
  }));
  TRY(save_attached(places, state));
  if (is_users) TRY(start_forwarder(places, state, lock));
  return state;
}

Status detach_networks(const Places &places, const std::string &container) {
  const kernel::Fd lock = TRY(lock_networks(places));
  return in(fmt::format("networks of container {}", container.substr(0, 12)), detach_locked(places, container));
}

Result<NetworkState> connect_network(const Places &places, const std::string &container, const Attachment &attachment) {
  const kernel::Fd lock = TRY(lock_networks(places));
  NetworkState state = TRY(find_attached(places, container));
  const NetworkRecord network = TRY(find_network(places, attachment.network));
  if (contains(state.endpoints, network.name, &Endpoint::network)) {
    return fail(EEXIST, fmt::format("container {} on network {}", state.name, network.name));
  }
  TRY(add_endpoint(places, attachment, TRY(other_containers(places, container)), state));
  TRY(save_attached(places, state));
  const std::vector<NetworkState> attached = TRY(list_attached(places));
  const Status made = at_the_bridges(places, state, [&](NetworkState &mine) -> Status {
    TRY(join(places, mine, mine.endpoints.back(), attached));
    return tell_names(places, attached);
  });
  if (made) TRY(save_attached(places, state));
  if (made) return state;
  (void)disconnect(places, state, network.name);
  return std::unexpected(made.error());
}

Result<NetworkState> disconnect_network(const Places &places, const std::string &container,
                                        const std::string &network) {
  const kernel::Fd lock = TRY(lock_networks(places));
  NetworkState state = TRY(find_attached(places, container));
  const NetworkRecord record = TRY(find_network(places, network));
  if (!contains(state.endpoints, record.name, &Endpoint::network)) {
    return fail(ENOENT, fmt::format("container {} on network {}", state.name, record.name));
  }
  TRY(disconnect(places, state, record.name));
  return state;
}

}  // namespace skiff::compose
