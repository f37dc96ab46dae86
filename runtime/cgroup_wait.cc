#include "runtime/cgroup_wait.h"

#include <algorithm>
#include <span>

#include "runtime/cgroup_file.h"

namespace skiff {

Result<bool> wait_for_event(kernel::FdView dir, std::string_view key, std::uint64_t value, const Deadline &deadline) {
  const kernel::Fd events = TRY(kernel::openat(dir, "cgroup.events", O_RDONLY));
  for (;;) {
    // The event is a change since the last read, so each round reads first.
    TRY(kernel::lseek(events, 0, SEEK_SET));
    if (find_key(TRY(kernel::read_all(events, 4096)), key) == value) return true;
    if (deadline.over()) return false;
    pollfd wanted{.fd = events.get(), .events = POLLPRI, .revents = 0};
    TRY(kernel::poll(std::span(&wanted, 1), deadline.left()));
  }
}

Status rest(const Deadline &deadline) {
  TRY(kernel::poll({}, std::min(deadline.left(), std::chrono::milliseconds(1))));
  return {};
}

}  // namespace skiff
