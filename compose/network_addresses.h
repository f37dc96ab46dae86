// Deciding about addresses and ports: which subnet a network gets, which address a container, which port of the host.
// Nothing here touches anything but the ports it tries.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compose/address.h"
#include "compose/network.h"

namespace skiff::compose {

// The subnets that a network asks for, with gateways, and one that is chosen where it asks for none of a kind; `taken`
// are the host's and those of other networks. Errors name the field.
[[nodiscard]] Result<std::vector<SubnetRecord>> choose_subnets(const Network &network, const std::string &id,
                                                               const std::vector<Subnet> &taken);

// The addresses of one more container, "ADDRESS/PREFIX", one of each subnet: what `wish` says, else the lowest that is
// neither reserved nor in `used`.
[[nodiscard]] Result<std::vector<std::string>> choose_addresses(const NetworkRecord &network, const Attachment &wish,
                                                                const std::vector<std::string> &used);

// The hardware address of who has these addresses, as Docker makes it: whoever gets the address next, or again after a
// restart, has the same one, so that what the neighbours remember is still true.
[[nodiscard]] std::string choose_hardware_address(const std::vector<std::string> &addresses);

// The same ports, each with its port of the host. One that another container or program has is an error (EADDRINUSE)
// that says whose it is.
[[nodiscard]] Result<std::vector<Port>> choose_ports(const std::vector<Port> &ports,
                                                     const std::vector<NetworkState> &others);

}  // namespace skiff::compose
