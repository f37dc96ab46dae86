#include "compose/backend.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include "compose/kept_source.h"
#include "runtime/kernel/call.h"

namespace skiff::compose {
namespace {

bool is_of_link(const Address &address) {
  return address.v6 ? (address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0U) == 0x80)
                    : (address.bytes[0] == 169 && address.bytes[1] == 254);
}

Status take_source(const kernel::Fd &socket, const InetName &client) {
  const int on = 1;
  const int level = client.address.v6 ? int{SOL_IPV6} : int{SOL_IP};
  const int option = client.address.v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT;
  if (::setsockopt(socket.get(), level, option, &on, sizeof(on)) != 0) {
    return kernel::call_failed("setsockopt", {socket, kernel::Argument::word("IP_TRANSPARENT")});
  }
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &forwarded_mark, sizeof(forwarded_mark)) != 0) {
    return kernel::call_failed("setsockopt", {socket, kernel::Argument::word("SO_MARK")});
  }
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  SocketName name = SocketName::of(client);
  if (::bind(socket.get(), name.generic(), name.size) == 0) return {};
  const std::string address = client.address.text();
  return kernel::call_failed("bind", {std::string_view(address), int{client.port}});
}

}  // namespace

std::optional<BackendChoice> choose_backend(const Forward &forward, const InetName &client) {
  std::optional<BackendChoice> chosen;
  for (const std::string &text : forward.targets) {
    const std::optional<Address> address = Address::parse(text.substr(0, text.find('/')));
    const std::optional<Subnet> subnet = Subnet::parse(text);
    if (!address || !subnet) continue;
    const bool same_kind = address->v6 == client.address.v6;
    if (chosen && !same_kind) continue;
    chosen = BackendChoice{.target = {.address = *address, .port = forward.target_port},
                           .keeps_source = same_kind && !client.address.is_loopback() && !is_of_link(client.address) &&
                                           !subnet->contains(client.address)};
    if (same_kind) break;
  }
  return chosen;
}

Result<kernel::Fd> connect_backend(const Forward &forward, const InetName &client) {
  const std::optional<BackendChoice> chosen = choose_backend(forward, client);
  if (!chosen) return fail(EADDRNOTAVAIL, fmt::format("port {}: the container has no address", forward.port));
  kernel::Fd socket = TRY(open_inet_socket(chosen->target.address.v6, forward.protocol, SOCK_NONBLOCK));
  if (chosen->keeps_source && !take_source(socket, client)) {
    // Its port is in use between the two already (a client that is quick to come back): without its name, then.
    socket = TRY(open_inet_socket(chosen->target.address.v6, forward.protocol, SOCK_NONBLOCK));
  }
  SocketName target = SocketName::of(chosen->target);
  if (::connect(socket.get(), target.generic(), target.size) == 0 || errno == EINPROGRESS) return socket;
  const std::string address = chosen->target.address.text();
  return kernel::call_failed("connect", {std::string_view(address), int{chosen->target.port}});
}

}  // namespace skiff::compose
