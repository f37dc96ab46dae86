// Waiting of a process that does next to nothing for hours, one a container or a project: it keeps little memory.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>

#include "spec/error.h"

namespace skiff::compose {

class LongSleep {
 public:
  // As kernel::poll. After a second in which nothing happens the pages of the program are let go: they are in the page
  // cache, and the few that the next event needs come back by themselves. Who ends sooner does not pay for it.
  [[nodiscard]] Result<int> poll(std::span<pollfd> fds, std::chrono::milliseconds timeout);

 private:
  bool light_ = false;
};

}  // namespace skiff::compose
