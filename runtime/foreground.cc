#include "runtime/foreground.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include <array>
#include <optional>

#include "runtime/kernel/tty.h"

namespace skiff {
namespace {

// Bytes on their way in one direction; what one write does not take waits for the next.
class Flow {
 public:
  Flow(int from, int to) : from_(from), to_(to) {}

  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] pollfd interest() const {
    if (!open_) return {-1, 0, 0};
    if (begin_ != end_) return {to_, POLLOUT, 0};
    return {from_, POLLIN, 0};
  }
  // EIO is how a master tells that the last slave has closed.
  void move() {
    if (begin_ == end_) {
      const Result<std::size_t> got = kernel::read_some(kernel::FdView(from_), buffer_);
      if (!got && got.error().number == EAGAIN) return;
      begin_ = 0;
      end_ = got ? *got : 0;
      if (end_ == 0) {
        open_ = false;
        return;
      }
    }
    const Result<std::size_t> went = kernel::write_some(kernel::FdView(to_), {buffer_.data() + begin_, end_ - begin_});
    if (!went && went.error().number == EAGAIN) return;
    begin_ = went ? begin_ + *went : end_;
    if (!went) open_ = false;
  }

 private:
  int from_;
  int to_;
  bool open_ = true;
  std::size_t begin_ = 0, end_ = 0;
  std::array<char, 16384> buffer_;  // of no value: without a terminal its pages are never touched
};

void copy_window_size(const kernel::Fd &master) {
  if (const Result<winsize> size = kernel::get_window_size(kernel::FdView(0)); size) {
    (void)kernel::set_window_size(master, *size);  // an old size is better than no container
  }
}

// SIGWINCH is for the terminal, everything else for the process.
Status forward(const kernel::Fd &signals, const kernel::Child &child, const kernel::Fd &master) {
  signalfd_siginfo info{};
  TRY(kernel::read_some(signals, {reinterpret_cast<char *>(&info), sizeof info}));
  const int number = static_cast<int>(info.ssi_signo);
  if (number == SIGWINCH && master.valid()) {
    copy_window_size(master);
    return {};
  }
  const Status sent = kernel::pidfd_send_signal(child.pidfd(), number);
  if (!sent && sent.error().number == ESRCH) return {};
  return sent;
}

// What the terminal still holds when its process has ended.
void drain(Flow &output) {
  while (output.open()) {
    pollfd ready = output.interest();
    const Result<int> events = kernel::poll({&ready, 1}, std::chrono::milliseconds(0));
    if (!events || *events == 0) return;
    output.move();
  }
}

}  // namespace

Result<Forwarding> Forwarding::start() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGTSTP, SIGTTIN,
                           SIGTTOU, SIGWINCH, SIGPIPE}) {
    sigaddset(&set, number);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
  TRY(kernel::block_signals(set));
  return Forwarding(TRY(kernel::signalfd(set)));
}

std::optional<spec::ConsoleSize> read_window_size() {
  if (!kernel::is_terminal(kernel::FdView(0))) return std::nullopt;
  const Result<winsize> size = kernel::get_window_size(kernel::FdView(0));
  if (!size) return std::nullopt;
  return spec::ConsoleSize{.height = size->ws_row, .width = size->ws_col};
}

Result<int> attend(kernel::Child &child, kernel::Fd master, const Forwarding &forwarding, const NotifySocket &notify) {
  std::optional<kernel::RawTerminal> raw;
  if (master.valid()) {
    if (kernel::is_terminal(kernel::FdView(0))) raw.emplace(TRY(kernel::RawTerminal::enter(kernel::FdView(0))));
    copy_window_size(master);
  }
  Flow input(0, master.get());
  Flow output(master.get(), 1);
  while (true) {
    std::array<pollfd, 5> fds = {{{child.pidfd().get(), POLLIN, 0},
                                  {forwarding.signals().get(), POLLIN, 0},
                                  master.valid() ? input.interest() : pollfd{-1, 0, 0},
                                  master.valid() ? output.interest() : pollfd{-1, 0, 0},
                                  {notify.fd().get(), POLLIN, 0}}};
    TRY(kernel::poll(fds, kernel::forever));
    if (fds[1].revents != 0) TRY(forward(forwarding.signals(), child, master));
    if (fds[2].revents != 0) input.move();
    if (fds[3].revents != 0) output.move();
    // A service manager that does not listen is no reason to end the program.
    if (fds[4].revents != 0) (void)notify.pass_on(0);
    if (fds[0].revents != 0) break;
  }
  drain(output);
  notify.pass_on_rest();
  return TRY(child.wait()).shell_code();
}

}  // namespace skiff
