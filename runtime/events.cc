#include "runtime/events.h"

#include <array>

#include "runtime/cgroup_stats.h"
#include "runtime/oom_watch.h"
#include "runtime/output.h"

namespace skiff {

Status print_statistics(const std::string &id, const Cgroup &cgroup) {
  TRY(print(print_stats_event(id, TRY(read_stats(cgroup))) + "\n"));
  return {};
}

Status follow_events(const std::string &id, const Cgroup &cgroup, const kernel::Fd &init,
                     std::chrono::milliseconds interval) {
  // A container without a memory controller has statistics all the same.
  Result<OomWatch> watch = OomWatch::start(cgroup);
  while (true) {
    std::array<pollfd, 2> fds = {{{init.get(), POLLIN, 0}, {watch ? watch->fd().get() : -1, POLLIN, 0}}};
    const int events = TRY(kernel::poll(fds, interval));
    if (events == 0) TRY(print_statistics(id, cgroup));
    if (fds[1].revents != 0) {
      const OomWatch::Event event = TRY(watch->next());
      if (event == OomWatch::Event::gone) return {};
      if (event == OomWatch::Event::oom) TRY(print(print_oom_event(id) + "\n"));
    }
    if (fds[0].revents != 0) return {};
  }
}

}  // namespace skiff
