// A network's bridge on the host, and the cable from there into a container's namespace. The caller holds
// lock_networks and is where the bridges are.
#pragma once

#include "compose/network.h"

namespace skiff::compose {

// Makes the bridge and its rules where they are not there, and the endpoint's interface in the namespace at state.path.
// `attached` are all containers, this one among them. What has failed is taken away by leave_bridge.
[[nodiscard]] Status join_bridge(const NetworkRecord &network, const NetworkState &state, const Endpoint &endpoint,
                                 const std::vector<NetworkState> &attached);
// Of a namespace that lives on. None there is no error.
[[nodiscard]] Status cut_cable(const NetworkRecord &network, const Endpoint &endpoint);
// `others` are the other containers: without one of them on the network the bridge goes, with its cables and rules.
// Else the cable goes with its namespace, which nobody waits for: ten of them would wait for one another. None there is
// no error.
[[nodiscard]] Status leave_bridge(const NetworkRecord &network, const NetworkState &state,
                                  const std::vector<NetworkState> &others);

}  // namespace skiff::compose
