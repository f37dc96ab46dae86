#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <array>
#include <list>
#include <set>

#include "compose/forward_fields.h"
#include "compose/process_mark.h"
#include "compose/record_fields.h"
#include "compose/tcp_relay.h"
#include "compose/udp_relay.h"
#include "runtime/kernel/call.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

constexpr kernel::FdView starter{0};

// Every descriptor it waits for is known by its number, which nothing else has while it is open.
class Forwarder {
 public:
  [[nodiscard]] static Result<Forwarder> make(const ForwardRequest &request);
  [[nodiscard]] Status serve();

 private:
  explicit Forwarder(Fd epoll) : epoll_(std::move(epoll)), udp_(epoll_) {}
  Status listen(const Forward &forward, const Address &address);
  Status watch(const Fd &fd, std::uint32_t events);
  void take(int number);
  void accept_all(const Listener &listener);
  void move(int number);
  void close(TcpRelay &relay);
  void listen_again();

  Fd epoll_;
  std::map<int, Listener> listeners_;
  std::list<TcpRelay> relays_;
  std::map<int, std::list<TcpRelay>::iterator> by_number_;  // of both of its sockets
  std::set<int> busy_;                                      // clients of relays that have more to move
  bool full_ = false;                                       // no more descriptors: nobody is accepted
  UdpRelay udp_;
};

Status Forwarder::watch(const Fd &fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = fd.get()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0) return {};
  return kernel::call_failed("epoll_ctl", {epoll_, kernel::Argument::word("EPOLL_CTL_ADD"), fd});
}

Status Forwarder::listen(const Forward &forward, const Address &address) {
  Fd socket = TRY(open_inet_socket(address.v6, forward.protocol, SOCK_NONBLOCK));
  TRY(bind_inet_socket(socket, {.address = address, .port = forward.port}, forward.protocol));
  if (forward.protocol == "udp") TRY(want_own_address(socket, address.v6));
  TRY(watch(socket, EPOLLIN));
  const int number = socket.get();
  listeners_[number] = {.socket = std::move(socket), .forward = &forward};
  return {};
}

Result<Forwarder> Forwarder::make(const ForwardRequest &request) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return kernel::call_failed("epoll_create1", {});
  Forwarder made(std::move(epoll));
  for (const Forward &forward : request.forwards) {
    const std::string place = fmt::format("port {}/{}", forward.port, forward.protocol);
    const std::optional<Address> address = Address::parse(forward.address);
    TRY(in(place, made.listen(forward, address.value_or(Address{}))));
    if (address) continue;
    // A host without IPv6 (EAFNOSUPPORT, EADDRNOTAVAIL) has IPv4 alone.
    const Status both = made.listen(forward, Address{.v6 = true});
    if (!both && both.error().number == EADDRINUSE) return std::unexpected(in(place, both.error()));
  }
  return made;
}

void Forwarder::accept_all(const Listener &listener) {
  while (true) {
    SocketName name;
    Fd client(::accept4(listener.socket.get(), name.generic(), &name.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) {
      full_ = full_ || errno == EMFILE || errno == ENFILE;
      break;
    }
    // Who cannot be served is hung up on.
    Result<Fd> container = connect_backend(*listener.forward, name.inet());
    if (!container) continue;
    Result<TcpRelay> relay = TcpRelay::make(std::move(client), std::move(*container));
    if (!relay) continue;
    const auto place = relays_.insert(relays_.end(), std::move(*relay));
    for (const Fd *socket : {&place->client(), &place->container()}) {
      by_number_[socket->get()] = place;
      (void)watch(*socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
  }
  if (!full_) return;
  for (const auto &[number, one] : listeners_) (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, number, nullptr);
}

void Forwarder::listen_again() {
  if (!full_) return;
  full_ = false;
  for (const auto &[number, one] : listeners_) (void)watch(one.socket, EPOLLIN);
}

void Forwarder::close(TcpRelay &relay) {
  const auto place = by_number_.find(relay.client().get())->second;
  busy_.erase(relay.client().get());
  by_number_.erase(relay.container().get());
  by_number_.erase(relay.client().get());
  relays_.erase(place);
  listen_again();
}

void Forwarder::move(int number) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) return;
  TcpRelay &relay = *found->second;
  switch (relay.move()) {
    case TcpRelay::Moved::waits:
      busy_.erase(relay.client().get());
      break;
    case TcpRelay::Moved::more:
      busy_.insert(relay.client().get());
      break;
    case TcpRelay::Moved::over:
      close(relay);
      break;
  }
}

void Forwarder::take(int number) {
  const auto listener = listeners_.find(number);
  if (listener == listeners_.end()) {
    if (!udp_.answer(number)) move(number);
  } else if (listener->second.forward->protocol == "udp") {
    udp_.take_from(listener->second);
  } else {
    accept_all(listener->second);
  }
}

Status Forwarder::serve() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const auto patience = busy_.empty() ? udp_.patience() : std::chrono::milliseconds(0);
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), static_cast<int>(patience.count()));
    if (count < 0 && errno != EINTR) return kernel::call_failed("epoll_wait", {epoll_});
    // A number that was closed and given anew meanwhile is at worst moved for nothing.
    for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)].data.fd);
    for (const int number : std::set<int>(busy_)) move(number);
    udp_.drop_silent();
  }
}

// Each connection takes six descriptors.
void allow_all_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<ForwardRequest> read_request(const Fd &document) {
  TRY(kernel::lseek(document, 0, SEEK_SET));
  return parse_document<ForwardRequest>("forwards", TRY(kernel::read_all(document, std::size_t{64} << 20U)));
}

// The ports are the host's: they are taken before it leaves the host's network.
Result<Forwarder> prepare(const ForwardRequest &request) {
  TRY(kernel::set_name("skiff-forward"));
  allow_all_descriptors();
  Forwarder forwarder = TRY(Forwarder::make(request));
  TRY(kernel::setns(TRY(kernel::pidfd_open(request.network)), CLONE_NEWUSER | CLONE_NEWNET));
  TRY(mark_own_process(request.mark));
  return forwarder;
}

}  // namespace

Status run_forwarder() {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(starter, forward_wire::longest, 2));
  if (!message || message->fds.size() != 2) return fail("who started the forwarder has gone");
  const ForwardRequest request = TRY(read_request(message->fds.back()));
  Result<Forwarder> forwarder = prepare(request);
  // The lock of the networks: from here on it is found by its mark, or there is none.
  message.reset();
  (void)kernel::send_message(starter, forwarder ? std::string(forward_wire::ready) : forwarder.error().message());
  if (!forwarder) return std::unexpected(forwarder.error());
  TRY(kernel::dup_onto(TRY(kernel::open("/dev/null", O_RDWR)), 0));
  return forwarder->serve();
}

}  // namespace skiff::compose
