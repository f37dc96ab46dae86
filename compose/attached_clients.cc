#include "compose/attached_clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "compose/attach_wire.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"
#include "runtime/kernel/tty.h"

namespace skiff::compose {
namespace {

constexpr std::chrono::seconds longest_wait{5};

void resize(const kernel::Fd &terminal, std::string_view text) {
  winsize size{};
  unsigned rows = 0;
  unsigned columns = 0;
  if (std::sscanf(std::string(text).c_str(), "%u %u", &rows, &columns) != 2) return;
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  (void)kernel::set_window_size(terminal, size);  // the size it has is better than no container
}

}  // namespace

Result<AttachedClients> AttachedClients::listen(const std::string &path) {
  const Status removed = kernel::unlinkat(kernel::cwd, path);
  if (!removed && removed.error().number != ENOENT) return std::unexpected(removed.error());
  kernel::Fd listener = TRY(kernel::listen_unix(kernel::cwd, path, SOCK_SEQPACKET, 64));
  TRY(kernel::set_nonblocking(listener, true));
  return AttachedClients(std::move(listener));
}

Status AttachedClients::accept_waiting(bool owner) {
  while (true) {
    Result<kernel::Fd> socket = kernel::accept4(listener_, SOCK_NONBLOCK);
    if (!socket) return {};
    clients_.push_back({.socket = std::move(*socket), .owner = owner, .quiet = false, .waiting = {}, .since = {}});
  }
}

void AttachedClients::give(Client &client, std::string_view packet) {
  const Status sent = kernel::send_message(client.socket, packet);
  if (sent) {
    client.waiting.clear();
  } else if (sent.error().number != EAGAIN) {
    client.socket.reset();
  } else if (client.waiting.empty()) {
    client.waiting = packet;
    client.since = Clock::now();
  }
}

void AttachedClients::send(std::string_view packet) {
  for (Client &client : clients_) {
    if (!client.quiet) give(client, packet);
  }
  drop_gone();
}

bool AttachedClients::are_full() const {
  return std::ranges::any_of(clients_, [](const Client &client) { return !client.waiting.empty(); });
}

std::chrono::milliseconds AttachedClients::patience() const {
  const bool hurried =
      std::ranges::any_of(clients_, [](const Client &client) { return !client.waiting.empty() && !client.owner; });
  return hurried ? std::chrono::milliseconds(500) : kernel::forever;
}

void AttachedClients::add_events(std::vector<pollfd> &events) const {
  events.push_back({listener_.get(), POLLIN, 0});
  for (const Client &client : clients_) {
    // Its input waits until what came before is gone.
    const short wanted = input_.empty() ? POLLIN : 0;
    events.push_back({client.socket.get(), static_cast<short>(client.waiting.empty() ? wanted : wanted | POLLOUT), 0});
  }
}

void AttachedClients::serve(std::span<const pollfd> events, kernel::Fd &in, bool terminal) {
  for (Client &client : clients_) {
    const auto event = std::ranges::find_if(events, [&](const pollfd &one) { return one.fd == client.socket.get(); });
    if (event == events.end() || !client.socket.valid()) continue;
    if ((event->revents & (POLLIN | POLLHUP | POLLERR)) != 0) take(client, in, terminal);
    if (client.socket.valid() && !client.waiting.empty() && (event->revents & POLLOUT) != 0) {
      give(client, std::string(client.waiting));
    }
    const bool late = !client.owner && !client.waiting.empty() && Clock::now() - client.since > longest_wait;
    if (late) client.socket.reset();
  }
  drop_gone();
  if (events.front().revents != 0) (void)accept_waiting(false);
}

void AttachedClients::take(Client &client, kernel::Fd &in, bool terminal) {
  auto message = kernel::recv_message(client.socket, wire::longest_packet, 0);
  if (!message && message.error().number == EAGAIN) return;
  if (!message || !*message || (*message)->bytes.empty()) {
    client.socket.reset();
    return;
  }
  const std::string_view rest = std::string_view((*message)->bytes).substr(1);
  switch ((*message)->bytes.front()) {
    case wire::input:
      input_ = rest;
      feed(in);
      return;
    case wire::input_end:
      if (!terminal) {
        input_ends_ = true;
        feed(in);
      }
      return;
    case wire::size:
      if (terminal) resize(in, rest);
      return;
    case wire::quiet:
      client.quiet = true;
      return;
    default:
      client.socket.reset();
  }
}

void AttachedClients::feed(kernel::Fd &in) {
  if (!in.valid()) input_.clear();
  if (!input_.empty()) {
    const Result<std::size_t> went = kernel::write_some(in, input_);
    if (!went && went.error().number == EAGAIN) return;
    if (!went) in.reset();
    input_.erase(0, went ? *went : input_.size());
  }
  if (input_.empty() && input_ends_) in.reset();
}

void AttachedClients::drop_gone() {
  std::erase_if(clients_, [](const Client &client) { return !client.socket.valid(); });
}

Status AttachedClients::flush() {
  kernel::Fd none;
  while (are_full()) {
    std::vector<pollfd> events;
    add_events(events);
    TRY(kernel::poll(events, patience()));
    serve(events, none, false);
  }
  return {};
}

void AttachedClients::say_goodbye(int code) {
  (void)accept_waiting(false);
  for (Client &client : clients_) give(client, fmt::format("{}{}", wire::exit, code));
  (void)flush();
}

}  // namespace skiff::compose
