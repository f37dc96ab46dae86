#include "compose/tcp_relay.h"

#include <sys/socket.h>

namespace skiff::compose {
namespace {

constexpr std::size_t most_at_once = std::size_t{64} << 10U;  // what a pipe holds: pipe(7)
constexpr int longest_turn = 32;

enum class Progress { some, none, end, failed };

Progress splice_some(kernel::FdView from, kernel::FdView to, std::size_t most, std::size_t &count) {
  const ssize_t moved = ::splice(from.get(), nullptr, to.get(), nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved > 0) {
    count = static_cast<std::size_t>(moved);
    return Progress::some;
  }
  if (moved == 0) return Progress::end;
  return errno == EAGAIN || errno == EINTR ? Progress::none : Progress::failed;
}

}  // namespace

Result<TcpRelay> TcpRelay::make(kernel::Fd client, kernel::Fd container) {
  TcpRelay relay(std::move(client), std::move(container));
  const int on = 1;
  // A client that has lost its power says no goodbye.
  for (const kernel::Fd *socket : {&relay.client_, &relay.container_}) {
    (void)::setsockopt(socket->get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  }
  relay.up_.pipe = TRY(kernel::pipe2(O_NONBLOCK));
  relay.down_.pipe = TRY(kernel::pipe2(O_NONBLOCK));
  return relay;
}

TcpRelay::Moved TcpRelay::move(Direction &direction, const kernel::Fd &from, const kernel::Fd &to) {
  bool moves = true;
  for (int round = 0; moves && round < longest_turn; ++round) {
    moves = false;
    std::size_t count = 0;
    // Only into an empty pipe: a full one answers EAGAIN as a socket without bytes does.
    if (!direction.ended && direction.held == 0) {
      const Progress read = splice_some(from, direction.pipe.write, most_at_once, count);
      if (read == Progress::failed) return Moved::over;
      direction.ended = read == Progress::end;
      direction.held = read == Progress::some ? count : 0;
      moves = read == Progress::some;
    }
    if (direction.held > 0) {
      const Progress written = splice_some(direction.pipe.read, to, direction.held, count);
      if (written == Progress::failed) return Moved::over;
      if (written == Progress::some) direction.held -= count;
      moves = written == Progress::some;
    }
  }
  if (moves) return Moved::more;
  if (!direction.ended || direction.held > 0 || direction.told) return Moved::waits;
  direction.told = ::shutdown(to.get(), SHUT_WR) == 0;
  // ENOTCONN: it is connecting yet, and is told when it is.
  return direction.told || errno == ENOTCONN ? Moved::waits : Moved::over;
}

TcpRelay::Moved TcpRelay::move() {
  const Moved up = move(up_, client_, container_);
  const Moved down = up == Moved::over ? up : move(down_, container_, client_);
  if (up == Moved::over || down == Moved::over || (up_.told && down_.told)) return Moved::over;
  return up == Moved::more || down == Moved::more ? Moved::more : Moved::waits;
}

}  // namespace skiff::compose
