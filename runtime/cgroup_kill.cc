// The processes of a cgroup: listing them, signalling them all, and removing the directories when they are gone.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "runtime/cgroup.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_tree.h"
#include "runtime/cgroup_wait.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff {
namespace {

void append_pids(std::string_view text, std::vector<pid_t> &out) {
  while (std::optional<std::string_view> line = next_line(text)) {
    pid_t pid = 0;
    std::from_chars(line->data(), line->data() + line->size(), pid);
    // 0 is a process of a pid namespace that this one does not see.
    if (pid > 0) out.push_back(pid);
  }
}

Status list_processes(kernel::FdView top, std::vector<pid_t> &out) {
  CgroupVisitor visitor;
  visitor.enter = [&](kernel::FdView dir) -> Status {
    const Result<std::string> text = read_cgroup_file(dir, "cgroup.procs");
    if (text) append_pids(*text, out);
    // EOPNOTSUPP: the processes of a threaded cgroup stand in the cgroup it belongs to.
    if (text || text.error().number == EOPNOTSUPP || is_missing(text.error())) return {};
    return std::unexpected(text.error());
  };
  return walk_cgroups(top, visitor);
}

struct Target {
  pid_t pid = 0;
  kernel::Fd pidfd;
};

// A pid stands for its process only while that has not been reaped: a pidfd first, then a second look (drop_gone)
// whether the pid is still in the cgroup.
Result<std::vector<Target>> hold(const std::vector<pid_t> &pids) {
  std::vector<Target> out;
  for (const pid_t pid : pids) {
    Result<kernel::Fd> pidfd = kernel::pidfd_open(pid);
    // EINVAL: a thread that leads no group any more.
    if (!pidfd && (pidfd.error().number == ESRCH || pidfd.error().number == EINVAL)) continue;
    out.push_back({.pid = pid, .pidfd = TRY(std::move(pidfd))});
  }
  return out;
}

void drop_gone(std::vector<Target> &targets, const std::vector<pid_t> &still_here) {
  std::erase_if(targets, [&](const Target &target) { return !std::ranges::binary_search(still_here, target.pid); });
}

Status send(const std::vector<Target> &targets, int signal) {
  for (const Target &target : targets) {
    Status status = kernel::pidfd_send_signal(target.pidfd, signal);
    if (!status && status.error().number != ESRCH) return status;
  }
  return {};
}

// Until every one of them has ended, or the time is over.
Status wait_for(const std::vector<Target> &targets, const Deadline &deadline) {
  std::vector<pollfd> fds;
  fds.reserve(targets.size());
  for (const Target &target : targets) fds.push_back({.fd = target.pidfd.get(), .events = POLLIN, .revents = 0});
  if (fds.empty()) return rest(deadline);
  while (!fds.empty() && TRY(kernel::poll(fds, deadline.left())) > 0) {
    std::erase_if(fds, [](const pollfd &fd) { return fd.revents != 0; });
  }
  return {};
}

// v1 gives a frozen process no signal, SIGKILL included; the container may have frozen cgroups of its own.
Status thaw_everything(const Cgroup::Level &level) {
  CgroupVisitor visitor;
  visitor.enter = [&](kernel::FdView dir) -> Status {
    Status status =
        write_cgroup_file(dir, level.unified ? "cgroup.freeze" : "freezer.state", level.unified ? "0" : "THAWED");
    if (!status && !is_missing(status.error())) return status;
    return {};
  };
  return walk_cgroups(level.fd, visitor);
}

std::string print_pids(const std::vector<pid_t> &pids) {
  std::string out;
  for (std::size_t i = 0; i < pids.size() && i < 8; ++i) out.append(" ").append(fmt::to_string(pids[i]));
  return pids.size() > 8 ? out + " ..." : out;
}

Status remove_nested(kernel::FdView dir) {
  CgroupVisitor visitor;
  visitor.leave = [](kernel::FdView parent, const std::string &name) -> Status {
    Status status = kernel::unlinkat(parent, name, AT_REMOVEDIR);
    if (!status && !is_missing(status.error())) return status;
    return {};
  };
  return walk_cgroups(dir, visitor);
}

// The directory itself. Its parent is found from the descriptor, so that the path's meaning of today does not matter.
Status remove_directory(const Cgroup::Level &level) {
  if (Status status = remove_nested(level.fd); !status) return status;
  Result<kernel::Fd> parent = kernel::openat(level.fd, "..", O_RDONLY | O_DIRECTORY);
  if (!parent) return is_missing(parent.error()) ? Status{} : std::unexpected(std::move(parent).error());
  Status status = kernel::unlinkat(*parent, level.path.substr(level.path.rfind('/') + 1), AT_REMOVEDIR);
  if (!status && !is_missing(status.error())) return status;
  return {};
}

// The parents that create() made, as far as they are empty. Somebody else's container in one of them keeps it (EBUSY).
void remove_parents(const Cgroup::Level &level) {
  std::string path = level.path;
  while (!level.made.empty() && path.size() > level.made.size()) {
    path.resize(path.rfind('/'));
    if (!kernel::unlinkat(kernel::cwd, path, AT_REMOVEDIR)) return;
  }
}

Status remove_level(const Cgroup::Level &level, const Deadline &deadline) {
  for (;;) {
    Status status = remove_directory(level);
    if (status) break;
    if (status.error().number != EBUSY) return status;
    std::vector<pid_t> pids;
    TRY(list_processes(level.fd, pids));
    if (deadline.over()) {
      return fail(EBUSY,
                  fmt::format("rmdir(\"{}\"), with the processes{}", level.path,
                              pids.empty() ? " of another pid namespace" : print_pids(pids)),
                  "kill the container first, or wait for what its processes wait for");
    }
    // A process that has just ended is in the cgroup for an instant longer than in its list.
    if (level.unified && pids.empty()) {
      if (TRY(wait_for_event(level.fd, "populated", 0, deadline))) TRY(rest(deadline));
    } else {
      TRY(wait_for(TRY(hold(pids)), deadline));
    }
  }
  remove_parents(level);
  return {};
}

}  // namespace

Result<std::vector<pid_t>> Cgroup::processes() const {
  std::vector<pid_t> out;
  for (const Level &level : levels_) {
    if (level.fd.valid()) TRY(list_processes(level.fd, out));
  }
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Status Cgroup::kill_all(int signal, std::chrono::milliseconds patience) const {
  if (signal != SIGKILL) {
    // Frozen, so that no process forks away from its signal. Where it does not freeze, the signal goes out all the
    // same.
    const bool was_frozen = TRY(frozen());
    const bool froze = !was_frozen && freeze().has_value();
    std::vector<Target> targets = TRY(hold(TRY(processes())));
    drop_gone(targets, TRY(processes()));
    Status sent = send(targets, signal);
    if (froze) TRY(thaw());
    return sent;
  }
  const Deadline deadline(patience);
  for (;;) {
    std::vector<Target> targets = TRY(hold(TRY(processes())));
    for (const Level &level : levels_) {
      // Linux 5.14: every process at once, none forks away. ENOENT before.
      if (level.fd.valid() && level.unified) (void)write_cgroup_file(level.fd, "cgroup.kill", "1");
    }
    const std::vector<pid_t> still_here = TRY(processes());
    if (still_here.empty()) return {};
    drop_gone(targets, still_here);
    TRY(send(targets, SIGKILL));
    for (const Level &level : levels_) {
      if (level.fd.valid()) TRY(thaw_everything(level));
    }
    if (deadline.over()) {
      return fail(ETIMEDOUT, fmt::format("kill(SIGKILL) did not end the processes{}", print_pids(still_here)),
                  "they wait for a device or a file server, or a parent cgroup is frozen");
    }
    TRY(wait_for(targets, deadline));
  }
}

bool Cgroup::remove_empty(const std::vector<std::string> &paths) {
  return std::ranges::all_of(paths, [](const std::string &path) {
    const Status removed = kernel::unlinkat(kernel::cwd, path, AT_REMOVEDIR);
    return removed || is_missing(removed.error());
  });
}

Status Cgroup::remove(std::chrono::milliseconds patience) {
  const Deadline deadline(patience);
  Status first;
  for (const Level &level : levels_) {
    if (!level.fd.valid()) {
      // create() failed on its way down.
      if (!level.made.empty()) (void)kernel::unlinkat(kernel::cwd, level.path, AT_REMOVEDIR);
      remove_parents(level);
      continue;
    }
    Status status = remove_level(level, deadline);
    if (!status && first) first = std::move(status);
  }
  return first;
}

}  // namespace skiff
