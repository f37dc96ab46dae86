#include "compose/attachment.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <array>
#include <cstdlib>

#include "compose/attach_wire.h"
#include "compose/detach_keys.h"
#include "compose/lifecycle.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

using kernel::FdView;

constexpr FdView standard_in{0};

// Finds the keys in what is typed; what turned out to be none of them is passed on.
class KeyWatch {
 public:
  explicit KeyWatch(std::string keys) : keys_(std::move(keys)) {}

  // True when the whole sequence has come; `out` gets what is to be sent.
  bool take(std::string_view typed, std::string &out) {
    for (const char c : typed) {
      if (c != keys_[found_]) {
        out += keys_.substr(0, found_);
        found_ = 0;
      }
      if (c != keys_[found_]) {
        out += c;
      } else if (++found_ == keys_.size()) {
        return true;
      }
    }
    return false;
  }

 private:
  std::string keys_;
  std::size_t found_ = 0;
};

class Attached {
 public:
  Attached(const Engine &engine, const ContainerRecord &record, kernel::Fd monitor, const AttachOptions &options)
      : engine_(engine), record_(record), monitor_(std::move(monitor)), options_(options) {}
  Result<AttachEnd> stay(const SignalProxy *signals, std::string keys);

 private:
  Status read_input();
  void send_waiting();
  void send(std::string packet);
  void send_size();
  Status take_signal(const SignalProxy &signals);
  Result<bool> take_packet();

  const Engine &engine_;
  const ContainerRecord &record_;
  kernel::Fd monitor_;
  const AttachOptions &options_;
  std::optional<KeyWatch> keys_;
  std::string waiting_;  // a packet that the socket did not take
  bool input_open_ = false;
  AttachEnd end_;
};

void Attached::send(std::string packet) {
  waiting_ = std::move(packet);
  send_waiting();
}

void Attached::send_waiting() {
  const Status sent = kernel::send_message(monitor_, waiting_);
  // A monitor that is gone is seen where its packets are read.
  if (sent || sent.error().number != EAGAIN) waiting_.clear();
}

void Attached::send_size() {
  const Result<winsize> size = kernel::get_window_size(kernel::FdView(1));
  // Lost where the socket is full: the next change comes with all of it.
  if (size) (void)kernel::send_message(monitor_, fmt::format("{}{} {}", wire::size, size->ws_row, size->ws_col));
}

Status Attached::read_input() {
  std::array<char, wire::longest_packet - 1> buffer;
  const Result<std::size_t> count = kernel::read_some(standard_in, buffer);
  if (!count && count.error().number == EAGAIN) return {};
  // EIO: a terminal that is not ours in the background.
  if (!count || *count == 0) {
    input_open_ = false;
    if (record_.stdin_once) send(std::string(1, wire::input_end));
    return {};
  }
  std::string packet(1, wire::input);
  const std::string_view typed(buffer.data(), *count);
  if (keys_) {
    end_.detached = keys_->take(typed, packet);
  } else {
    packet += typed;
  }
  if (packet.size() > 1) send(std::move(packet));
  return {};
}

Status Attached::take_signal(const SignalProxy &signals) {
  signalfd_siginfo info{};
  TRY(kernel::read_some(signals.fd(), {reinterpret_cast<char *>(&info), sizeof info}));
  const int number = static_cast<int>(info.ssi_signo);
  if (number == SIGWINCH) {
    if (record_.tty) send_size();
    return {};
  }
  // It is ours alone, then.
  if (!options_.proxy) {
    end_.detached = true;
    return {};
  }
  const Result<Container> container = load_container(engine_.places, record_.id);
  if (!container) return {};
  const Status sent = signal_container(engine_, *container, number);
  return sent || sent.error().number == ESRCH ? Status() : sent;
}

// False when there will be no more.
Result<bool> Attached::take_packet() {
  const auto message = kernel::recv_message(monitor_, wire::longest_packet, 0);
  if (!message && message.error().number == EAGAIN) return true;
  // The monitor ended before it had read all that we sent. What it had said before is still to be heard.
  if (!message && message.error().number == ECONNRESET) return true;
  if (!message || !*message) {
    end_.code = TRY(wait_container(engine_, record_.id));
    return false;
  }
  const std::string_view bytes = (*message)->bytes;
  const std::string_view rest = bytes.substr(1);
  if (bytes.front() == wire::exit) {
    end_.code = std::atoi(std::string(rest).c_str());
    return false;
  }
  if (!options_.output) return true;
  const bool error = bytes.front() == wire::err;
  TRY(in(error ? "stderr" : "stdout", kernel::write_all(FdView(error ? 2 : 1), rest)));
  return true;
}

Result<AttachEnd> Attached::stay(const SignalProxy *signals, std::string keys) {
  std::optional<kernel::RawTerminal> raw;
  TRY(kernel::set_nonblocking(monitor_, true));
  input_open_ = options_.input;
  if (record_.tty) send_size();
  if (record_.tty && options_.input && kernel::is_terminal(standard_in)) {
    raw.emplace(TRY(kernel::RawTerminal::enter(standard_in)));
    keys_.emplace(std::move(keys));
  }
  while (!end_.detached) {
    const bool reads = input_open_ && waiting_.empty();
    const auto wanted = static_cast<short>(waiting_.empty() ? POLLIN : POLLIN | POLLOUT);
    std::array<pollfd, 3> events = {{{monitor_.get(), wanted, 0},
                                     {reads ? 0 : -1, POLLIN, 0},
                                     {signals == nullptr ? -1 : signals->fd().get(), POLLIN, 0}}};
    TRY(kernel::poll(events, kernel::forever));
    if (events[2].revents != 0) TRY(take_signal(*signals));
    if ((events[0].revents & POLLOUT) != 0) send_waiting();
    if ((events[0].revents & ~POLLOUT) != 0 && !TRY(take_packet())) break;
    if (events[1].revents != 0) TRY(read_input());
  }
  return end_;
}

}  // namespace

Result<kernel::Fd> connect_to_monitor(const Engine &engine, const std::string &id) {
  return remedy("its monitor was killed; `logs` still has what it wrote",
                kernel::connect_unix(kernel::cwd, engine.places.sockets(id) + "/" + wire::socket_name, SOCK_SEQPACKET));
}

Result<SignalProxy> SignalProxy::start() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGWINCH}) {
    sigaddset(&set, number);
  }
  TRY(kernel::block_signals(set));
  return SignalProxy(TRY(kernel::signalfd(set)));
}

Result<AttachEnd> stay_attached(const Engine &engine, const ContainerRecord &record, kernel::Fd monitor,
                                const SignalProxy *signals, const AttachOptions &options) {
  std::string keys = TRY(parse_detach_keys(options.detach_keys));
  return Attached(engine, record, std::move(monitor), options).stay(signals, std::move(keys));
}

}  // namespace skiff::compose
