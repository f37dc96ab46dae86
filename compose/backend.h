// The container's end of a forwarded connection, in the network namespace of the bridges.
#pragma once

#include <optional>

#include "compose/forward.h"
#include "compose/inet_socket.h"

namespace skiff::compose {

// Where a client's bytes go, and whether the container sees his address.
struct BackendChoice {
  InetName target;
  bool keeps_source = false;
};

// The address of the client's own kind where the container has one. The source cannot be kept of another kind, of a
// client on the host's loopback or a link, and of one whose address the container's network has for its own.
[[nodiscard]] std::optional<BackendChoice> choose_backend(const Forward &forward, const InetName &client);

// A socket that is connected, or about to be; it does not block.
[[nodiscard]] Result<kernel::Fd> connect_backend(const Forward &forward, const InetName &client);

}  // namespace skiff::compose
