// inotify(7): what happens to files.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// inotify_init1(2). IN_CLOEXEC is always added. EMFILE: fs.inotify.max_user_instances.
[[nodiscard]] Result<Fd> inotify_init1(int flags = IN_NONBLOCK);
// inotify_add_watch(2); the number of the watch. ENOSPC: fs.inotify.max_user_watches.
[[nodiscard]] Result<int> inotify_add_watch(FdView notices, CString path, std::uint32_t events);

struct Notice {
  int watch = -1;  // none where `events` is IN_Q_OVERFLOW
  std::uint32_t events = 0;
  std::string_view name;  // in the directory that is watched; empty: the watched file itself
};
// All that are there now, in their order; an error of `take` ends it. `notices` is non-blocking.
[[nodiscard]] Status read_notices(FdView notices, const std::function<Status(const Notice &)> &take);

}  // namespace skiff::kernel
