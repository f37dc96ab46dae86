#include "compose/udp_relay.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/kernel/call.h"

namespace skiff::compose {
namespace {

constexpr std::size_t most_flows = 16384;  // more clients than that wait for others to fall silent
constexpr std::chrono::seconds between_looks = UdpRelay::longest_silence / 4;
constexpr int longest_turn = 64;  // datagrams of one socket, before others have their turn

std::array<char, 65536> &buffer() {
  static std::array<char, 65536> bytes;
  return bytes;
}

struct Datagram {
  std::size_t size = 0;
  InetName client;
  Address own;
};

union Control {
  cmsghdr align;
  std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

Address own_address(msghdr &message) {
  Address own;
  for (cmsghdr *one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level == SOL_IP && one->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(one), sizeof(info));
      std::memcpy(own.bytes.data(), &info.ipi_addr, sizeof(info.ipi_addr));
    }
    if (one->cmsg_level == SOL_IPV6 && one->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(one), sizeof(info));
      own.v6 = true;
      std::memcpy(own.bytes.data(), &info.ipi6_addr, sizeof(info.ipi6_addr));
    }
  }
  return own;
}

msghdr message_of(SocketName &name, Control &control, iovec &part) {
  msghdr message{};
  message.msg_name = name.generic();
  message.msg_namelen = name.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  return message;
}

std::optional<Datagram> receive(const kernel::Fd &socket) {
  SocketName name;
  Control control{};
  iovec part{.iov_base = buffer().data(), .iov_len = buffer().size()};
  msghdr message = message_of(name, control, part);
  const ssize_t size = ::recvmsg(socket.get(), &message, MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  return Datagram{.size = static_cast<std::size_t>(size), .client = name.inet(), .own = own_address(message)};
}

template <class Info>
void put_control(msghdr &message, int level, int type, const Info &info) {
  message.msg_controllen = CMSG_SPACE(sizeof(info));
  cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = level;
  head->cmsg_type = type;
  head->cmsg_len = CMSG_LEN(sizeof(info));
  std::memcpy(CMSG_DATA(head), &info, sizeof(info));
}

void send_to(const kernel::Fd &socket, const InetName &client, const Address &own, std::size_t size) {
  SocketName name = SocketName::of(client);
  Control control{};
  iovec part{.iov_base = buffer().data(), .iov_len = size};
  msghdr message = message_of(name, control, part);
  if (own.v6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, own.bytes.data(), sizeof(info.ipi6_addr));
    put_control(message, SOL_IPV6, IPV6_PKTINFO, info);
  } else {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, own.bytes.data(), sizeof(info.ipi_spec_dst));
    put_control(message, SOL_IP, IP_PKTINFO, info);
  }
  // A datagram may be lost.
  (void)::sendmsg(socket.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Status want_own_address(const kernel::Fd &socket, bool v6) {
  const int on = 1;
  if (::setsockopt(socket.get(), v6 ? int{SOL_IPV6} : int{SOL_IP}, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on,
                   sizeof(on)) == 0) {
    return {};
  }
  return kernel::call_failed("setsockopt", {socket, kernel::Argument::word("IP_PKTINFO")});
}

UdpRelay::Flow *UdpRelay::find(const Key &key) {
  const auto number = numbers_.find(key);
  return number == numbers_.end() ? nullptr : &flows_.find(number->second)->second;
}

UdpRelay::Flow *UdpRelay::open(const Key &key) {
  if (flows_.size() >= most_flows) return nullptr;
  Result<kernel::Fd> socket = connect_backend(*key.listener->forward, key.client);
  if (!socket) return nullptr;
  const int number = socket->get();
  epoll_event event{.events = EPOLLIN, .data = {.fd = number}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, number, &event) != 0) return nullptr;
  numbers_[key] = number;
  return &flows_.insert_or_assign(number, Flow{.key = key, .socket = std::move(*socket), .last = Clock::now()})
              .first->second;
}

void UdpRelay::take_from(const Listener &listener) {
  for (int i = 0; i < longest_turn; ++i) {
    const std::optional<Datagram> datagram = receive(listener.socket);
    if (!datagram) return;
    const Key key{.listener = &listener, .client = datagram->client, .own = datagram->own};
    Flow *flow = find(key);
    if (flow == nullptr) flow = open(key);
    if (flow == nullptr) continue;
    flow->last = Clock::now();
    (void)::send(flow->socket.get(), buffer().data(), datagram->size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

bool UdpRelay::answer(int number) {
  const auto found = flows_.find(number);
  if (found == flows_.end()) return false;
  Flow &flow = found->second;
  for (int i = 0; i < longest_turn; ++i) {
    const ssize_t size = ::recv(number, buffer().data(), buffer().size(), MSG_DONTWAIT);
    // ECONNREFUSED: nobody listens there yet, which is told once.
    if (size < 0) break;
    flow.last = Clock::now();
    send_to(flow.key.listener->socket, flow.key.client, flow.key.own, static_cast<std::size_t>(size));
  }
  return true;
}

std::chrono::milliseconds UdpRelay::patience() const {
  return flows_.empty() ? kernel::forever : std::chrono::milliseconds(between_looks);
}

void UdpRelay::drop_silent() {
  const Clock::time_point now = Clock::now();
  if (now < next_look_) return;
  next_look_ = now + between_looks;
  const Clock::time_point oldest = now - longest_silence;
  std::erase_if(numbers_, [&](const auto &one) { return flows_.find(one.second)->second.last < oldest; });
  std::erase_if(flows_, [&](const auto &one) { return one.second.last < oldest; });
}

}  // namespace skiff::compose
