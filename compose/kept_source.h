// How a forwarded connection keeps its client's address: the forwarder's socket takes that address (IP_TRANSPARENT,
// ip(7)), and what the container answers to it is delivered here instead of to the client. Connections are told from
// others by their mark, which the connection tracker remembers.
#pragma once

#include <cstdint>

#include "spec/error.h"

namespace skiff::compose {

// SO_MARK of such a socket.
inline constexpr std::uint32_t forwarded_mark = 0x534b0001;

// The rules and routes for it in the current network namespace, once.
[[nodiscard]] Status route_kept_sources();

}  // namespace skiff::compose
