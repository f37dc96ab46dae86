// Which ports of the host a container gets.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "compose/network_addresses.h"
#include "runtime/kernel/call.h"

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
  sockaddr_storage name{};
  socklen_t size = 0;
  if (address.v6) {
    auto &in6 = reinterpret_cast<sockaddr_in6 &>(name);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    std::ranges::copy(address.bytes, in6.sin6_addr.s6_addr);
    size = sizeof(in6);
  } else {
    auto &in4 = reinterpret_cast<sockaddr_in &>(name);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(port);
    std::copy_n(address.bytes.begin(), 4, reinterpret_cast<std::uint8_t *>(&in4.sin_addr));
    size = sizeof(in4);
  }
  const int type = (protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC;
  const kernel::Fd socket(::socket(name.ss_family, type, 0));
  if (!socket.valid()) return kernel::call_failed("socket", {int{name.ss_family}, type});
  // A connection that has ended a moment ago is no reason to refuse.
  const int on = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  auto *generic = reinterpret_cast<sockaddr *>(&name);
  if (::bind(socket.get(), generic, size) != 0 || (protocol != "udp" && ::listen(socket.get(), 1) != 0) ||
      ::getsockname(socket.get(), generic, &size) != 0) {
    return kernel::call_failed("bind", {address.text(), int{port}});
  }
  const auto &in4 = reinterpret_cast<const sockaddr_in &>(name);
  const auto &in6 = reinterpret_cast<const sockaddr_in6 &>(name);
  return ntohs(address.v6 ? in6.sin6_port : in4.sin_port);
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

Result<Port> choose_any(Port port, const Address &address, const std::vector<NetworkState> &others) {
  for (int tries = 0; tries < 100; ++tries) {
    port.host = TRY(bind_port(address, port.protocol, 0));
    if (owner_of(port, others) == nullptr) return port;
  }
  return fail(EADDRINUSE, fmt::format("port {}: no port of the host is free", port.container));
}

}  // namespace

Result<std::vector<Port>> choose_ports(const std::vector<Port> &ports, const std::vector<NetworkState> &others) {
  std::vector<Port> chosen;
  for (const Port &port : ports) {
    const Address address = TRY(address_of(port));
    Port one = TRY((port.host ? choose_given : choose_any)(port, address, others));
    if (std::ranges::any_of(chosen, [&](const Port &other) { return is_same_port(other, one); })) {
      return fail(EADDRINUSE, fmt::format("port {} is published twice", name_of(one)));
    }
    chosen.push_back(std::move(one));
  }
  return chosen;
}

}  // namespace skiff::compose
