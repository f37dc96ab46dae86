// What the starter and the holder of a user's network say to each other, over a seqpacket socket, in this order.
#pragma once

#include <string_view>

namespace skiff::compose::holder_wire {

// The first word is the holder's: its pid, when it has its namespaces and no ids yet.
inline constexpr std::string_view mapped = "mapped";  // with the lock of the networks
inline constexpr std::string_view ready = "ready";    // from the holder: its files are in place
inline constexpr std::string_view stay = "stay";      // pasta runs: the holder may do without its starter
inline constexpr std::string_view marked = "marked";  // from the holder; any other word of his is an error

// Where the holder's resolv.conf sends what the host's resolver is to answer: pasta takes it from there.
inline constexpr const char *name_server = "169.254.77.9";

}  // namespace skiff::compose::holder_wire
