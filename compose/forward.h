// A published port of an ordinary user's container, as its forwarder serves it.
#pragma once

#include <string>
#include <vector>

#include "compose/network.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

struct Forward {
  std::string protocol;  // tcp, udp
  std::string address;   // of the host; empty: every one, IPv4 and IPv6
  std::uint16_t port = 0;
  std::vector<std::string> targets = {};  // the container's addresses, "10.201.3.2/24"
  std::uint16_t target_port = 0;
};

struct ForwardRequest {
  pid_t network = 0;  // whose namespaces the containers' bridges are in
  std::string mark;   // the file that names the forwarder from then on (process_mark.h)
  std::vector<Forward> forwards = {};
};

// What has to be forwarded to that container: its ports, at the first interface that leads out. None where no network
// of it does: an internal one publishes nothing.
[[nodiscard]] std::vector<Forward> forwards_of(const NetworkState &state);

// Starts a forwarder for that container. It has its ports when this returns: EADDRINUSE, EACCES. `lock` as in
// ensure_user_network.
[[nodiscard]] Status start_forwarder(const Places &places, const NetworkState &state, const kernel::Fd &lock);
// None there is no error.
[[nodiscard]] Status stop_forwarder(const Places &places, const std::string &container);

// The forwarder itself: its standard input is a socket to start_forwarder. It returns with an error only.
[[nodiscard]] Status run_forwarder();

}  // namespace skiff::compose
