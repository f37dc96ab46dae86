#include "compose/inet_socket.h"

#include <netinet/in.h>

#include <algorithm>

#include "runtime/kernel/call.h"

namespace skiff::compose {

SocketName SocketName::of(const InetName &name) {
  SocketName made;
  if (name.address.v6) {
    auto &in6 = reinterpret_cast<sockaddr_in6 &>(made.storage);
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(name.port);
    std::ranges::copy(name.address.bytes, in6.sin6_addr.s6_addr);
    made.size = sizeof(in6);
  } else {
    auto &in4 = reinterpret_cast<sockaddr_in &>(made.storage);
    in4.sin_family = AF_INET;
    in4.sin_port = htons(name.port);
    std::copy_n(name.address.bytes.begin(), 4, reinterpret_cast<std::uint8_t *>(&in4.sin_addr));
    made.size = sizeof(in4);
  }
  return made;
}

InetName SocketName::inet() const {
  InetName name{.address = {.v6 = storage.ss_family == AF_INET6}, .port = 0};
  if (name.address.v6) {
    const auto &in6 = reinterpret_cast<const sockaddr_in6 &>(storage);
    std::ranges::copy(in6.sin6_addr.s6_addr, name.address.bytes.begin());
    name.port = ntohs(in6.sin6_port);
  } else {
    const auto &in4 = reinterpret_cast<const sockaddr_in &>(storage);
    std::copy_n(reinterpret_cast<const std::uint8_t *>(&in4.sin_addr), 4, name.address.bytes.begin());
    name.port = ntohs(in4.sin_port);
  }
  return name;
}

Result<kernel::Fd> open_inet_socket(bool v6, const std::string &protocol, int flags) {
  const int family = v6 ? AF_INET6 : AF_INET;
  const int type = (protocol == "udp" ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | flags;
  kernel::Fd socket(::socket(family, type, 0));
  if (!socket.valid()) return kernel::call_failed("socket", {family, type});
  const int on = 1;
  // Both families have a socket of their own on the same port.
  if (v6) (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  return socket;
}

Status bind_inet_socket(const kernel::Fd &socket, const InetName &name, const std::string &protocol) {
  const int on = 1;
  const bool listens = protocol != "udp";
  // A connection that has ended a moment ago is no reason to refuse. Of UDP it would let two have one port.
  if (listens) (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  SocketName kernels = SocketName::of(name);
  if (::bind(socket.get(), kernels.generic(), kernels.size) == 0 &&
      (!listens || ::listen(socket.get(), SOMAXCONN) == 0)) {
    return {};
  }
  const std::string address = name.address.text();
  return kernel::call_failed("bind", {std::string_view(address), int{name.port}});
}

Result<InetName> name_of_socket(const kernel::Fd &socket) {
  SocketName name;
  if (::getsockname(socket.get(), name.generic(), &name.size) != 0) return kernel::call_failed("getsockname", {socket});
  return name.inet();
}

}  // namespace skiff::compose
