// sd_notify(3) through the container's wall: where the runtime was started with $NOTIFY_SOCKET, the container gets a
// socket of its own, in a directory that is mounted at /run/notify, and what the program says there is told to the
// service manager as far as a container may speak for the service: its readiness and what goes with it, never a main
// pid or descriptors, which would be the container's word for things of the host.
#pragma once

#include <string>
#include <string_view>

#include "runtime/kernel/process.h"

namespace skiff {

// create: the directory below the container's state directory, before it is mounted.
inline constexpr const char *notify_directory = "notify";
[[nodiscard]] Status make_notify_directory(const kernel::Fd &state_directory);

// The lines of a message that are passed on, each with its newline. Pure.
[[nodiscard]] std::string lines_to_pass_on(std::string_view message);

class NotifySocket {
 public:
  // Invalid where the runtime was not asked to notify: no `service`, or a container made without one.
  [[nodiscard]] static Result<NotifySocket> open(const kernel::Fd &state_directory, const std::string &service);
  NotifySocket() = default;
  [[nodiscard]] bool valid() const { return socket_.valid(); }
  [[nodiscard]] const kernel::Fd &fd() const { return socket_; }

  // Takes one message and passes it on; true where READY=1 was in it. `main_pid` other than 0 is added to that one, for
  // a runtime that ends while the container stays.
  [[nodiscard]] Result<bool> pass_on(pid_t main_pid) const;
  // Passes on all that waits: a program may speak and end at once. What cannot be passed on is lost.
  void pass_on_rest() const;
  // Passes on until the program is ready or has ended.
  [[nodiscard]] Status pass_on_until_ready(const kernel::Fd &init, pid_t main_pid) const;

 private:
  NotifySocket(kernel::Fd socket, std::string service) : socket_(std::move(socket)), service_(std::move(service)) {}
  kernel::Fd socket_;
  std::string service_;  // the address of the service manager's
};

}  // namespace skiff
