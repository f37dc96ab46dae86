// Which ports of the host a container gets.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "compose/inet_socket.h"
#include "compose/network_addresses.h"

namespace skiff::compose {
namespace {

bool covers(const std::string &one, const std::string &other) {
  const auto any = [](const std::string &address) {
    return address.empty() || address == "0.0.0.0" || address == "::";
  };
  return any(one) || any(other) || one == other;
}

bool is_same_port(const Port &one, const Port &other) {
  return one.host == other.host && one.protocol == other.protocol && covers(one.host_address, other.host_address);
}

std::string name_of(const Port &port) {
  const std::string address = port.host_address.contains(':') ? "[" + port.host_address + "]" : port.host_address;
  return fmt::format("{}{}{}/{}", address, address.empty() ? "" : ":", port.host.value_or(0), port.protocol);
}

// The port it got: `port` itself, or with 0 one that is free. SCTP has no program on most hosts: it counts as free.
Result<std::uint16_t> bind_port(const Address &address, const std::string &protocol, std::uint16_t port) {
  const kernel::Fd socket = TRY(open_inet_socket(address.v6, protocol));
  TRY(remedy("publish a port from 1024 on, or as root: sysctl net.ipv4.ip_unprivileged_port_start=0",
             bind_inet_socket(socket, {.address = address, .port = port}, protocol)));
  return TRY(name_of_socket(socket)).port;
}

Result<Address> address_of(const Port &port) {
  if (port.host_address.empty()) return Address{};
  const std::optional<Address> address = Address::parse(port.host_address);
  if (!address) return fail(fmt::format("ports: \"{}\" is no address of the host", port.host_address));
  return *address;
}

const NetworkState *owner_of(const Port &port, const std::vector<NetworkState> &others) {
  const auto found = std::ranges::find_if(others, [&](const NetworkState &other) {
    return std::ranges::any_of(other.ports, [&](const Port &one) { return is_same_port(one, port); });
  });
  return found == others.end() ? nullptr : &*found;
}

// A published port is a rule of the firewall, which binds nothing: another container's has to be looked for as well.
Result<Port> choose_given(Port port, const Address &address, const std::vector<NetworkState> &others) {
  if (const NetworkState *owner = owner_of(port, others)) {
    return fail(EADDRINUSE, fmt::format("port {}: container {} has it", name_of(port), owner->name),
                "publish another port, or stop that container");
  }
  const Result<std::uint16_t> bound = bind_port(address, port.protocol, *port.host);
  if (!bound && bound.error().number == EADDRINUSE) {
    return fail(EADDRINUSE, fmt::format("port {}: a program of the host has it", name_of(port)),
                "publish another port; `ss -lnp` shows whose it is");
  }
  TRY(bound);
  return port;
}

// Docker takes the first of them that is free.
Result<Port> choose_of_range(const Port &port, const Address &address, const std::vector<NetworkState> &others) {
  for (std::uint32_t number = *port.host; number <= *port.host_last; ++number) {
    Port one = port;
    one.host = static_cast<std::uint16_t>(number);
    Result<Port> chosen = choose_given(std::move(one), address, others);
    if (chosen || chosen.error().number != EADDRINUSE) return chosen;
  }
  return fail(EADDRINUSE, fmt::format("port {}: none of {} to {} is free", port.container, *port.host, *port.host_last),
              "publish a longer range, or stop a container; `ss -lnp` shows who has them");
}

Result<Port> choose_any(Port port, const Address &address, const std::vector<NetworkState> &others) {
  for (int tries = 0; tries < 100; ++tries) {
    port.host = TRY(bind_port(address, port.protocol, 0));
    if (owner_of(port, others) == nullptr) return port;
  }
  return fail(EADDRINUSE, fmt::format("port {}: no port of the host is free", port.container));
}

Result<Port> choose(const Port &port, const Address &address, const std::vector<NetworkState> &others) {
  if (!port.host) return choose_any(port, address, others);
  return port.host_last ? choose_of_range(port, address, others) : choose_given(port, address, others);
}

}  // namespace

Result<std::vector<Port>> choose_ports(const std::vector<Port> &ports, const std::vector<NetworkState> &others) {
  std::vector<Port> chosen;
  for (const Port &port : ports) {
    const Address address = TRY(address_of(port));
    Port one = TRY(choose(port, address, others));
    if (std::ranges::any_of(chosen, [&](const Port &other) { return is_same_port(other, one); })) {
      return fail(EADDRINUSE, fmt::format("port {} is published twice", name_of(one)));
    }
    chosen.push_back(std::move(one));
  }
  return chosen;
}

}  // namespace skiff::compose
