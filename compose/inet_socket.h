// Sockets of IPv4 and IPv6 by Address and port.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "compose/address.h"
#include "runtime/kernel/fd.h"

namespace skiff::compose {

// An address with a port: whom a socket is bound or connected to.
struct InetName {
  Address address;
  std::uint16_t port = 0;

  auto operator<=>(const InetName &) const = default;
};

// The kernel's form of it.
struct SocketName {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  [[nodiscard]] static SocketName of(const InetName &name);
  [[nodiscard]] InetName inet() const;
  [[nodiscard]] sockaddr *generic() { return reinterpret_cast<sockaddr *>(&storage); }
};

// socket(2) for "tcp" or "udp"; an IPv6 one is for IPv6 alone. `flags`: SOCK_NONBLOCK; SOCK_CLOEXEC is added.
[[nodiscard]] Result<kernel::Fd> open_inet_socket(bool v6, const std::string &protocol, int flags = 0);
// bind(2), for tcp listen(2) too. EADDRINUSE, EACCES below net.ipv4.ip_unprivileged_port_start.
[[nodiscard]] Status bind_inet_socket(const kernel::Fd &socket, const InetName &name, const std::string &protocol);
// getsockname(2).
[[nodiscard]] Result<InetName> name_of_socket(const kernel::Fd &socket);

}  // namespace skiff::compose
