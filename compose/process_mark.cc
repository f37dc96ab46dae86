#include "compose/process_mark.h"

#include <fmt/format.h>

#include "compose/state.h"
#include "compose/words.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"
#include "runtime/kernel/process.h"

namespace skiff::compose {
namespace {

Status end(const MarkedProcess &process, const std::string &path) {
  if (process.pidfd.valid()) {
    const Status killed = kernel::pidfd_send_signal(process.pidfd, SIGKILL);
    if (!killed && killed.error().number != ESRCH) return killed;
    TRY(kernel::wait_readable(process.pidfd, kernel::forever));
  }
  const Status gone = kernel::unlinkat(kernel::cwd, path);
  if (!gone && gone.error().number != ENOENT) return gone;
  return {};
}

}  // namespace

Result<std::string> own_process_mark() {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const pid_t own = kernel::getpid();
  return fmt::format("{} {}", own, TRY(proc.read_start_time(own)));
}

Status mark_own_process(const std::string &path) { return replace_file(path, TRY(own_process_mark())); }

Result<MarkedProcess> find_marked_process(const std::string &path) {
  const std::string text = TRY(read_if_there(path));
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() != 2) return MarkedProcess{};
  MarkedProcess process{.pid = cli::parse_number<pid_t>(words[0]).value_or(0), .pidfd = {}};
  if (process.pid <= 0) return MarkedProcess{};
  Result<kernel::Fd> pidfd = kernel::pidfd_open(process.pid);
  if (!pidfd) return MarkedProcess{};
  // The descriptor is of whoever has the number now.
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const Result<kernel::ProcessStat> stat = proc.read_stat(process.pid);
  if (!stat || stat->state == 'Z' || fmt::to_string(stat->start_time) != words[1]) return MarkedProcess{};
  process.pidfd = std::move(*pidfd);
  return process;
}

Status end_marked_process(const std::string &path) { return end(TRY(find_marked_process(path)), path); }

Result<MarkedProcess> find_by_pid_file(const std::string &path, std::string_view name) {
  std::string text = TRY(read_if_there(path));
  text = text.substr(0, text.find('\n'));
  const pid_t pid = cli::parse_number<pid_t>(text).value_or(0);
  if (pid <= 0) return MarkedProcess{};
  Result<kernel::Fd> process = kernel::pidfd_open(pid);
  if (!process || !TRY(read_if_there(fmt::format("/proc/{}/comm", pid))).starts_with(name)) return MarkedProcess{};
  return MarkedProcess{.pid = pid, .pidfd = std::move(*process)};
}

Status end_by_pid_file(const std::string &path, std::string_view name) {
  return end(TRY(find_by_pid_file(path, name)), path);
}

}  // namespace skiff::compose
