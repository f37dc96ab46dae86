#include "compose/wait_file.h"

#include <sys/inotify.h>

#include <array>

#include "runtime/kernel/call.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {

Result<bool> wait_for_file(const std::string &directory, const std::string &name, std::chrono::milliseconds longest) {
  const std::string path = directory + "/" + name;
  const kernel::Fd watch(::inotify_init1(IN_CLOEXEC));
  if (!watch.valid()) return kernel::call_failed("inotify_init1", {});
  if (::inotify_add_watch(watch.get(), directory.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
    return kernel::call_failed("inotify_add_watch", {directory});
  }
  const auto end = std::chrono::steady_clock::now() + longest;
  // Looked for after the watch began, so that it cannot come unseen.
  while (!kernel::faccessat(kernel::cwd, path, F_OK)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !TRY(kernel::wait_readable(watch, left))) return false;
    std::array<char, 4096> events{};
    TRY(kernel::read_some(watch, events));
  }
  return true;
}

}  // namespace skiff::compose
