// Who is attached to a container, as its monitor sees them.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

class AttachedClients {
 public:
  [[nodiscard]] static Result<AttachedClients> listen(const std::string &path);

  // Those that have connected already. An owner is the command that started the container: it is waited for however
  // slow it reads, others for a few seconds.
  [[nodiscard]] Status accept_waiting(bool owner);

  // A packet to all. What a full socket does not take waits here.
  void send(std::string_view packet);
  [[nodiscard]] bool are_full() const;
  [[nodiscard]] bool has_input() const { return !input_.empty(); }
  // Until when poll(2) may wait.
  [[nodiscard]] std::chrono::milliseconds patience() const;

  // The listener's event and one for each client; serve() gets them back. `in` is where their input goes; a client's
  // word that there is no more closes it, unless it is a terminal.
  void add_events(std::vector<pollfd> &events) const;
  void serve(std::span<const pollfd> events, kernel::Fd &in, bool terminal);
  // What has come for a standard input that was full.
  void feed(kernel::Fd &in);

  // Until all have taken what waits for them, or their time is up.
  [[nodiscard]] Status flush();
  void say_goodbye(int code);

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    kernel::Fd socket;
    bool owner = false;
    bool quiet = false;
    std::string waiting;
    Clock::time_point since;
  };
  explicit AttachedClients(kernel::Fd listener) : listener_(std::move(listener)) {}
  void give(Client &client, std::string_view packet);
  void take(Client &client, kernel::Fd &in, bool terminal);
  void drop_gone();

  kernel::Fd listener_;
  std::vector<Client> clients_;
  std::string input_;
  bool input_ends_ = false;
};

}  // namespace skiff::compose
