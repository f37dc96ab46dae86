// Tells when the kernel's OOM killer has struck in a container, and when the container's cgroup is gone.
#pragma once

#include <cstdint>

#include "runtime/cgroup.h"

namespace skiff {

class OomWatch {
 public:
  // v1: an eventfd at memory.oom_control; v2: inotify(7) on memory.events. Errors: no memory controller.
  [[nodiscard]] static Result<OomWatch> start(const Cgroup &cgroup);

  // Readable when something happened.
  [[nodiscard]] const kernel::Fd &fd() const { return fd_; }

  enum class Event : std::uint8_t { none, oom, gone };
  // What happened since the last call; to be called when fd() is readable. v2 reports each kill, v1 each time that
  // memory ran out.
  [[nodiscard]] Result<Event> next();

 private:
  kernel::Fd directory_;  // a copy: the Cgroup may go
  kernel::Fd fd_;
  kernel::Fd oom_control_;  // v1: the event lives as long as this file is open
  bool unified_ = false;
  std::uint64_t kills_ = 0;
};

}  // namespace skiff
