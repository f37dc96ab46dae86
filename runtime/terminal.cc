#include "runtime/terminal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>

#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"

namespace skiff {

Result<Terminal> open_terminal(const kernel::Fd &root, const std::optional<spec::ConsoleSize> &size) {
  constexpr std::string_view advice = "a terminal needs a mount of type devpts on /dev/pts";
  const kernel::Fd devpts = TRY(remedy(advice, kernel::open_in_root(root, "/dev/pts", O_PATH | O_DIRECTORY)));
  Terminal terminal;
  terminal.master = TRY(remedy(advice, kernel::open_ptmx(devpts)));
  TRY(kernel::unlockpt(terminal.master));
  terminal.slave = TRY(kernel::open_pty_peer(terminal.master));
  terminal.name = fmt::format("/dev/pts/{}", TRY(kernel::get_pty_number(terminal.master)));
  if (size && size->height != 0 && size->width != 0) {
    winsize window{};
    window.ws_row = static_cast<unsigned short>(size->height);
    window.ws_col = static_cast<unsigned short>(size->width);
    TRY(kernel::set_window_size(terminal.master, window));
  }
  return terminal;
}

Result<Console> make_console() {
  kernel::SocketPair pair = TRY(kernel::socketpair(SOCK_STREAM));
  return Console{.ours = std::move(pair.one), .theirs = std::move(pair.other)};
}

Result<kernel::Fd> connect_console(const std::string &path) {
  return in("--console-socket", kernel::connect_unix(kernel::cwd, path, SOCK_STREAM));
}

Status send_master(const kernel::Fd &console_socket, const Terminal &terminal) {
  const std::array<kernel::FdView, 1> fds = {terminal.master};
  return in("console socket", kernel::send_message(console_socket, terminal.name, fds));
}

Result<kernel::Fd> receive_master(const kernel::Fd &console_socket) {
  std::optional<kernel::Message> message = TRY(kernel::recv_message(console_socket, 4096, 1));
  if (!message || message->fds.size() != 1) return fail("console socket: the terminal did not arrive");
  return std::move(message->fds.front());
}

Status enter_session(const kernel::Fd &slave) {
  TRY(kernel::setsid());
  if (!slave.valid()) return {};
  TRY(kernel::set_controlling_terminal(slave));
  for (int number = 0; number <= 2; ++number) TRY(kernel::dup_onto(slave, number));
  return {};
}

}  // namespace skiff
