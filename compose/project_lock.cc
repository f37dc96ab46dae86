#include "compose/project_lock.h"

#include <fmt/format.h>
#include <sys/file.h>

#include "compose/patient_lock.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

std::string lock_path(const Places &places, const std::string &project) {
  return fmt::format("{}/projects/{}.lock", places.data, project);
}

// `down` may have removed the file between its opening and its locking.
Result<bool> is_in_place(const kernel::Fd &lock, const std::string &path) {
  const Result<struct stat> named = kernel::fstatat(kernel::cwd, path);
  if (!named && named.error().number == ENOENT) return false;
  if (!named) return std::unexpected(named.error());
  return TRY(kernel::fstat(lock)).st_ino == named->st_ino;
}

// "..." (process PID): one that was killed, whose own processes, which have the lock with it, are about to follow it.
bool is_gone(std::string_view holder) {
  constexpr std::string_view mark = "(process ";
  const std::size_t at = holder.rfind(mark);
  if (at == std::string_view::npos || !holder.ends_with(')')) return false;
  const std::string_view digits = holder.substr(at + mark.size(), holder.size() - at - mark.size() - 1);
  const auto pid = cli::parse_number<pid_t>(digits);
  if (!pid) return false;
  const Result<kernel::Fd> process = kernel::pidfd_open(*pid);
  // Or nobody has waited for it yet.
  if (process) return kernel::wait_readable(*process, std::chrono::milliseconds(0)).value_or(false);
  return process.error().number == ESRCH;
}

// Invalid where somebody else has it.
Result<kernel::Fd> try_lock(const std::string &path) {
  kernel::Fd lock = TRY(lock_file(path, LOCK_EX | LOCK_NB));
  if (lock.valid() || !is_gone(TRY(read_if_there(path)))) return lock;
  return lock_patiently(path);
}

}  // namespace

Result<kernel::Fd> lock_project(const Places &places, const std::string &project, const std::string &command) {
  const std::string path = lock_path(places, project);
  TRY(kernel::make_parents(path, 0700));
  kernel::Fd lock;
  do {
    lock = TRY(try_lock(path));
  } while (lock.valid() && !TRY(is_in_place(lock, path)));
  if (!lock.valid()) {
    std::string holder = TRY(read_if_there(path));
    // It has the lock and has not told its name yet.
    if (holder.empty()) holder = "another command";
    return fail(fmt::format("project {}: {} is changing it", project, holder), "wait for its end, or end it");
  }
  TRY(kernel::ftruncate(lock, 0));
  TRY(kernel::pwrite_all(lock, fmt::format("\"{}\" (process {})", command, kernel::getpid()), 0));
  return lock;
}

Status forget_lock(const Places &places, const std::string &project, kernel::Fd lock) {
  if (!lock.valid()) return {};
  return kernel::unlinkat(kernel::cwd, lock_path(places, project));
}

}  // namespace skiff::compose
