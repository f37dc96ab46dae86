// One forwarded connection: what comes from either side goes to the other, by splice(2), without a copy through us.
#pragma once

#include <cstddef>

#include "runtime/kernel/fd.h"

namespace skiff::compose {

class TcpRelay {
 public:
  // Both sockets do not block; the container's may still be connecting.
  [[nodiscard]] static Result<TcpRelay> make(kernel::Fd client, kernel::Fd container);

  // `more`: it could go on, and others have their turn first. `over`: both directions have come to their end, or a
  // socket has failed.
  enum class Moved { waits, more, over };
  [[nodiscard]] Moved move();

  [[nodiscard]] const kernel::Fd &client() const { return client_; }
  [[nodiscard]] const kernel::Fd &container() const { return container_; }

 private:
  struct Direction {
    kernel::Pipe pipe;
    std::size_t held = 0;  // bytes in the pipe
    bool ended = false;    // the sender has said its last
    bool told = false;     // and the receiver knows
  };
  TcpRelay(kernel::Fd client, kernel::Fd container) : client_(std::move(client)), container_(std::move(container)) {}
  static Moved move(Direction &direction, const kernel::Fd &from, const kernel::Fd &to);

  kernel::Fd client_;
  kernel::Fd container_;
  Direction up_;
  Direction down_;
};

}  // namespace skiff::compose
