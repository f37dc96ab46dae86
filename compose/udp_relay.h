// Forwarded datagrams: each client has a socket to the container, which goes when both have been silent for long.
#pragma once

#include <chrono>
#include <map>

#include "compose/backend.h"

namespace skiff::compose {

// A bound socket of the host's network, with a port that is forwarded.
struct Listener {
  kernel::Fd socket;
  const Forward *forward = nullptr;
};

class UdpRelay {
 public:
  using Clock = std::chrono::steady_clock;
  // As conntrack(8) keeps a stream of UDP.
  static constexpr std::chrono::seconds longest_silence{120};

  // The descriptors of new sockets go into `epoll`, with their number as its data.
  explicit UdpRelay(kernel::FdView epoll) : epoll_(epoll) {}

  // What clients have sent.
  void take_from(const Listener &listener);
  // What the container has sent to the socket of that number. False: the number is none of ours.
  bool answer(int number);
  // How long until a socket may go; forever without any.
  [[nodiscard]] std::chrono::milliseconds patience() const;
  void drop_silent();

 private:
  // The host's address that the client has talked to is the one that answers him.
  struct Key {
    const Listener *listener = nullptr;
    InetName client;
    Address own;
    auto operator<=>(const Key &) const = default;
  };
  struct Flow {
    Key key;
    kernel::Fd socket;
    Clock::time_point last;
  };
  Flow *find(const Key &key);
  Flow *open(const Key &key);

  kernel::FdView epoll_;
  std::map<Key, int> numbers_;
  std::map<int, Flow> flows_;
  Clock::time_point next_look_;  // at who is silent
};

// So that its datagrams say which of the host's addresses they came to.
[[nodiscard]] Status want_own_address(const kernel::Fd &socket, bool v6);

}  // namespace skiff::compose
