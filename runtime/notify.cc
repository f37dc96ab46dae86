#include "runtime/notify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"

namespace skiff {
namespace {

constexpr const char *socket_name = "notify/notify.sock";
constexpr std::size_t max_message_bytes = 64 << 10;

// sd_notify(3), "Well-known assignments", without MAINPID, FDSTORE, FDNAME, NOTIFYACCESS, BUSERROR and X_ lines.
constexpr std::array<std::string_view, 9> passed_on = {
    "READY=",         "RELOADING=",           "STOPPING=",      "STATUS=", "ERRNO=", "WATCHDOG=",
    "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=", "MONOTONIC_USEC="};

bool tells_ready(std::string_view lines) { return lines.starts_with("READY=1\n") || lines.contains("\nREADY=1\n"); }

}  // namespace

Status make_notify_directory(const kernel::Fd &state_directory) {
  constexpr mode_t everybody_may_enter = 0755;
  TRY(kernel::mkdirat(state_directory, notify_directory, everybody_may_enter));
  return kernel::fchmodat(state_directory, notify_directory, everybody_may_enter);  // whatever the umask says
}

std::string lines_to_pass_on(std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    const std::string_view line = message.substr(0, end);
    if (std::ranges::any_of(passed_on, [&](std::string_view name) { return line.starts_with(name); })) {
      out.append(line).push_back('\n');
    }
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return out;
}

Result<NotifySocket> NotifySocket::open(const kernel::Fd &state_directory, const std::string &service) {
  if (service.empty()) return NotifySocket{};
  if (const Result<kernel::Fd> made = kernel::openat(state_directory, notify_directory, O_PATH | O_DIRECTORY); !made) {
    return made.error().number == ENOENT ? Result<NotifySocket>(NotifySocket{}) : std::unexpected(made.error());
  }
  // In a user namespace's container other ids than ours talk to it.
  kernel::Fd socket = TRY(in("NOTIFY_SOCKET", kernel::bind_datagram(state_directory, socket_name, 0777)));
  return NotifySocket(std::move(socket), service);
}

Result<bool> NotifySocket::pass_on(pid_t main_pid) const {
  // Descriptors that come along are closed: so does a BARRIER=1 end.
  const Result<std::optional<kernel::Message>> message =
      kernel::recv_message(socket_, max_message_bytes, kernel::max_message_fds);
  if (!message && message.error().number != EMSGSIZE) return std::unexpected(message.error());
  if (!message || !*message) return false;
  std::string lines = lines_to_pass_on((*message)->bytes);
  if (lines.empty()) return false;
  const bool ready = tells_ready(lines);
  if (ready && main_pid != 0) lines += fmt::format("MAINPID={}\n", main_pid);
  TRY(remedy("start skiff without NOTIFY_SOCKET where no service manager listens",
             in("NOTIFY_SOCKET", kernel::send_datagram(service_, lines))));
  return ready;
}

void NotifySocket::pass_on_rest() const {
  constexpr int longest_queue = 1024;  // net.unix.max_dgram_qlen is less; a process left behind may not keep us here
  for (int i = 0; valid() && i < longest_queue; ++i) {
    if (!kernel::wait_readable(socket_, std::chrono::milliseconds(0)).value_or(false)) return;
    (void)pass_on(0);
  }
}

Status NotifySocket::pass_on_until_ready(const kernel::Fd &init, pid_t main_pid) const {
  while (true) {
    std::array<pollfd, 2> fds = {{{socket_.get(), POLLIN, 0}, {init.get(), POLLIN, 0}}};
    TRY(kernel::poll(fds, kernel::forever));
    // What a program said before it ended still counts.
    if (fds[0].revents == 0) return {};
    if (TRY(pass_on(main_pid))) return {};
  }
}

}  // namespace skiff
