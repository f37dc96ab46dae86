#include "compose/exec_streams.h"

#include <sys/signalfd.h>

#include <array>

#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

// What a pipe that is writable surely takes (pipe(7): PIPE_BUF).
constexpr std::size_t piece = 4096;

Status pass_on(const SignalProxy &signals, const kernel::Child &child) {
  signalfd_siginfo info{};
  TRY(kernel::read_some(signals.fd(), {reinterpret_cast<char *>(&info), sizeof info}));
  const Status sent = kernel::pidfd_send_signal(child.pidfd(), static_cast<int>(info.ssi_signo));
  return sent || sent.error().number == ESRCH ? Status() : sent;
}

}  // namespace

Result<ExecStreams> ExecStreams::open(bool input, bool terminal) {
  ExecStreams streams;
  streams.streams_ = {
      .in = input ? kernel::FdView(0) : kernel::no_fd, .out = kernel::FdView(1), .err = kernel::FdView(2)};
  if (terminal) return streams;
  if (input) TRY(streams.add_lane(kernel::FdView(0), true, streams.streams_.in));
  TRY(streams.add_lane(kernel::FdView(1), false, streams.streams_.out));
  TRY(streams.add_lane(kernel::FdView(2), false, streams.streams_.err));
  return streams;
}

Status ExecStreams::add_lane(kernel::FdView ours, bool inwards, kernel::FdView &of_program) {
  if (!kernel::is_terminal(ours)) return {};
  lanes_.push_back({.terminal = ours, .pipe = TRY(kernel::pipe2()), .inwards = inwards});
  const kernel::Pipe &pipe = lanes_.back().pipe;
  of_program = inwards ? pipe.read : pipe.write;
  return {};
}

void ExecStreams::close_program_ends() {
  for (Lane &lane : lanes_) (lane.inwards ? lane.pipe.read : lane.pipe.write) = {};
}

pollfd ExecStreams::event_of(const Lane &lane) {
  if (!lane.inwards) return {lane.pipe.read.get(), POLLIN, 0};
  if (!lane.pipe.write.valid()) return {-1, 0, 0};
  if (!lane.pending.empty()) return {lane.pipe.write.get(), POLLOUT, 0};
  return {lane.terminal.get(), POLLIN, 0};
}

Status ExecStreams::move_some(Lane &lane) {
  if (!lane.pending.empty()) {
    // It reads no more where that fails.
    if (!kernel::write_all(lane.pipe.write, std::exchange(lane.pending, {}))) lane.pipe.write = {};
    return {};
  }
  std::array<char, piece> bytes{};
  const kernel::FdView from = lane.inwards ? lane.terminal : kernel::FdView(lane.pipe.read);
  const Result<std::size_t> count = kernel::read_some(from, bytes);
  if (!count && count.error().number == EAGAIN) return {};
  if (!count || *count == 0) {
    (lane.inwards ? lane.pipe.write : lane.pipe.read) = {};
    return {};
  }
  lane.pending.assign(bytes.data(), *count);
  if (lane.inwards) return {};
  return kernel::write_all(lane.terminal, std::exchange(lane.pending, {}));
}

Result<int> ExecStreams::attend(kernel::Child &child, const SignalProxy &signals) {
  close_program_ends();
  while (true) {
    std::vector<pollfd> events = {{child.pidfd().get(), POLLIN, 0}, {signals.fd().get(), POLLIN, 0}};
    for (const Lane &lane : lanes_) events.push_back(event_of(lane));
    TRY(kernel::poll(events, kernel::forever));
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (events[i + 2].revents != 0) TRY(move_some(lanes_[i]));
    }
    if (events[1].revents != 0) TRY(pass_on(signals, child));
    if (events[0].revents == 0) continue;
    const int code = TRY(child.wait()).shell_code();
    // Its last words; what it has left running may hold the pipes for long.
    for (Lane &lane : lanes_) {
      while (!lane.inwards && lane.pipe.read.valid() && TRY(kernel::wait_readable(lane.pipe.read, {}))) {
        TRY(move_some(lane));
      }
    }
    return code;
  }
}

}  // namespace skiff::compose
