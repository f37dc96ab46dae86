#include "compose/project_lock.h"

#include <fmt/format.h>
#include <sys/file.h>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {

Result<kernel::Fd> lock_project(const Places &places, const std::string &project, const std::string &command) {
  const std::string folder = places.data + "/projects";
  TRY(kernel::make_directory(kernel::cwd, folder, 0700));
  const std::string path = fmt::format("{}/{}.lock", folder, project);
  kernel::Fd lock = TRY(lock_file(path, LOCK_EX | LOCK_NB));
  if (!lock.valid()) {
    std::string holder = TRY(read_if_there(path));
    // It has the lock and has not told its name yet.
    if (holder.empty()) holder = "another command";
    return fail(EBUSY, fmt::format("project {}: {} is changing it", project, holder), "wait for its end, or end it");
  }
  TRY(kernel::ftruncate(lock, 0));
  TRY(kernel::pwrite_all(lock, fmt::format("\"{}\" (process {})", command, kernel::getpid()), 0));
  return lock;
}

}  // namespace skiff::compose
