#include "compose/wait_file.h"

#include "runtime/kernel/inotify.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {

namespace {

using Clock = std::chrono::steady_clock;

// Until it is there, or until it is not.
Result<bool> wait_for(const std::string &directory, const std::string &name, std::chrono::milliseconds longest,
                      bool there) {
  const std::string path = directory + "/" + name;
  const kernel::Fd watch = TRY(kernel::inotify_init1());
  TRY(kernel::inotify_add_watch(watch, directory, there ? IN_CLOSE_WRITE | IN_MOVED_TO : IN_DELETE | IN_MOVED_FROM));
  const Clock::time_point end = Clock::now() + longest;
  // Looked for after the watch began, so that it cannot come or go unseen.
  while (kernel::faccessat(kernel::cwd, path, F_OK).has_value() != there) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || !TRY(kernel::wait_readable(watch, left))) return false;
    TRY(kernel::read_notices(watch, [](const kernel::Notice &) { return Status(); }));
  }
  return true;
}

}  // namespace

Result<bool> wait_for_file(const std::string &directory, const std::string &name, std::chrono::milliseconds longest) {
  return wait_for(directory, name, longest, true);
}

Result<bool> wait_until_gone(const std::string &directory, const std::string &name, std::chrono::milliseconds longest) {
  return wait_for(directory, name, longest, false);
}

}  // namespace skiff::compose
