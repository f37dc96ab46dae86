// Networks and attached containers as files, and the locks around them. For the parts of network.h.
#pragma once

#include <string>
#include <vector>

#include "compose/network.h"
#include "runtime/kernel/fd.h"
#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::compose {

// Everything that touches interfaces, firewall rules or addresses holds it, as no
// two commands may at once. Root's belongs to the network namespace, so that other state directories hold the same one.
[[nodiscard]] Result<kernel::Fd> lock_networks(const Places &places);

[[nodiscard]] std::string networks_directory(const Places &places);    // DATA/networks
[[nodiscard]] std::string attached_directory(const Places &places);    // RUN/networks/attached
[[nodiscard]] std::string namespaces_directory(const Places &places);  // RUN/networks/namespaces
[[nodiscard]] std::string names_directory(const Places &places);       // RUN/networks/names: of aardvark-dns
[[nodiscard]] Status make_network_directories(const Places &places);

[[nodiscard]] Result<NetworkRecord> load_network(const Places &places, const std::string &name);
[[nodiscard]] Status save_network(const Places &places, const NetworkRecord &record);
[[nodiscard]] Status forget_network(const Places &places, const std::string &name);
// Other subnets where the host or another network has come to use those of a network that nobody is attached to and
// whose subnets nobody chose.
[[nodiscard]] Status choose_subnets_again(const Places &places, NetworkRecord &record);

[[nodiscard]] Result<NetworkState> load_attached(const Places &places, const std::string &container);
[[nodiscard]] Status save_attached(const Places &places, const NetworkState &state);
[[nodiscard]] Status forget_attached(const Places &places, const std::string &container);

void fields(auto &v, spec::Like<SubnetRecord> auto &subnet) {
  v.required("subnet", subnet.subnet);
  v.optional("gateway", subnet.gateway);
  v.optional("range", subnet.range);
  v.optional("reserved", subnet.reserved);
}

void fields(auto &v, spec::Like<NetworkRecord> auto &network) {
  v.required("name", network.name);
  v.required("id", network.id);
  v.optional("created", network.created);
  v.optional("bridge", network.bridge);
  v.optional("internal", network.internal);
  v.optional("ipv6", network.ipv6);
  v.optional("automatic", network.automatic);
  v.optional("subnets", network.subnets);
  v.optional("options", network.options);
  v.free_text("labels", network.labels);
}

void fields(auto &v, spec::Like<Endpoint> auto &endpoint) {
  v.required("network", endpoint.network);
  v.required("interface", endpoint.interface_name);
  v.optional("macAddress", endpoint.mac_address);
  v.optional("addresses", endpoint.addresses);
  v.optional("gateways", endpoint.gateways);
  v.optional("aliases", endpoint.aliases);
  v.optional("nameServers", endpoint.name_servers);
}

void fields(auto &v, spec::Like<NetworkState> auto &state) {
  v.required("container", state.container);
  v.required("name", state.name);
  v.required("bootId", state.boot_id);
  v.required("path", state.path);
  v.optional("endpoints", state.endpoints);
  v.optional("ports", state.ports);
}

}  // namespace skiff::compose
