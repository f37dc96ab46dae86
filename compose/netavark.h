// netavark, the program that makes bridges, their rules and aardvark-dns: what it is told and what it says (its types
// are those of netavark 1.4 and later).
#pragma once

#include <string>
#include <vector>

#include "compose/network.h"

namespace skiff::compose {

enum class Netavark : std::uint8_t { setup, teardown };

// In the folders where Podman looks for it too, else as find_program does.
[[nodiscard]] Result<std::string> find_network_program(const std::string &name);

// For the endpoints of `state` on `networks`, in its namespace. The hardware addresses and name servers that netavark
// chose are filled in by setup. The caller holds lock_networks.
[[nodiscard]] Status run_netavark(Netavark verb, const Places &places, const std::vector<NetworkRecord> &networks,
                                  NetworkState &state);

// Its document on standard input.
[[nodiscard]] std::string netavark_input(const std::vector<NetworkRecord> &networks, const NetworkState &state);
// What setup printed.
[[nodiscard]] Status read_netavark_output(std::string_view text, NetworkState &state);

// Removes the chains that netavark leaves when the last of its networks is gone, unless another program's are in them.
[[nodiscard]] Status remove_empty_chains();
// The commands of iptables-restore(8) for that, one table after the other; empty where something is in use.
[[nodiscard]] std::string chain_removal(std::string_view iptables_save);

}  // namespace skiff::compose
