// The rules of the firewall that a network needs: its containers reach the world with the host's address, the world
// reaches of them the published ports alone, and those of an internal network reach one another and nobody else.
// iptables writes them where it is there, whatever its backend, as only its own FORWARD chain may overrule a policy
// that drops; nft where it is alone. The decisions are text, and pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose/network.h"

namespace skiff::compose {

// Ports of the host that follow one another, and where they lead.
struct PublishedPorts {
  std::string protocol;
  std::string host_address;  // empty: any
  std::uint16_t host = 0;
  std::uint16_t container = 0;
  std::uint16_t count = 1;
  std::vector<std::string> targets;  // "10.201.0.2", at most one of a kind
};

// Those that lead into this network: a container's go to its first endpoint that has a way out.
[[nodiscard]] std::vector<PublishedPorts> ports_into(const NetworkRecord &network,
                                                     const std::vector<NetworkState> &states);

// Makes them; there are none of this network before.
[[nodiscard]] Status add_rules(const NetworkRecord &network, const std::vector<PublishedPorts> &ports);
// Those that are there lead to these ports now.
[[nodiscard]] Status change_ports(const NetworkRecord &network, const std::vector<PublishedPorts> &ports);
// None there, or a part of them, is no error.
[[nodiscard]] Status remove_rules(const NetworkRecord &network);

enum class AddressFamily : std::uint8_t { ipv4, ipv6 };

// What iptables-restore(8) is told, without flushing.
[[nodiscard]] std::string rules_to_add(const NetworkRecord &network, const std::vector<PublishedPorts> &ports,
                                       AddressFamily family);
[[nodiscard]] std::string rules_of_ports(const NetworkRecord &network, const std::vector<PublishedPorts> &ports,
                                         AddressFamily family);
[[nodiscard]] std::string rules_to_remove(const NetworkRecord &network, AddressFamily family);
// The same of what iptables-save(8) still shows of it; empty where that is nothing.
[[nodiscard]] std::string rules_left(const NetworkRecord &network, std::string_view iptables_save);

// What nft(8) is told: all of it at once, instead of what may be there.
[[nodiscard]] std::string nft_rules(const NetworkRecord &network, const std::vector<PublishedPorts> &ports);
[[nodiscard]] std::string nft_removal(const NetworkRecord &network);

}  // namespace skiff::compose
