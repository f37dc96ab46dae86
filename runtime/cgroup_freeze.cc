// The freezer: cgroup.freeze of v2 (Linux 5.2), freezer.state of v1.
//
// On a hybrid host the unified hierarchy's is used where the container is in it: v1's may never come to rest while new
// processes keep appearing, and what it froze cannot be killed.
#include <fmt/format.h>

#include "runtime/cgroup.h"
#include "runtime/cgroup_file.h"
#include "runtime/cgroup_wait.h"

namespace skiff {
namespace {

constexpr std::chrono::seconds patience{10};

bool is_populated(kernel::FdView dir) {
  const Result<std::string> events = read_cgroup_file(dir, "cgroup.events");
  return events && find_key(*events, "populated") == 1U;
}

// The directory to freeze, or nullptr.
const Cgroup::Level *freezer(const Cgroup &cgroup) {
  const Cgroup::Level *v1 = cgroup.find_file("freezer.state", false);
  const Cgroup::Level *v2 = cgroup.find_file("cgroup.freeze", true);
  if (v2 == nullptr) return v1;
  return v1 == nullptr || is_populated(v2->fd) ? v2 : v1;
}

Status freeze_v2(const Cgroup::Level &level) {
  TRY(write_cgroup_file(level.fd, "cgroup.freeze", "1"));
  if (TRY(wait_for_event(level.fd, "frozen", 1, Deadline(patience)))) return {};
  (void)write_cgroup_file(level.fd, "cgroup.freeze", "0");
  return fail(ETIMEDOUT, fmt::format("{}/cgroup.freeze: a process does not stop", level.path),
              "a process waits for a device or a file server; pause again when it has answered");
}

Status freeze_v1(const Cgroup::Level &level) {
  const Deadline deadline(patience);
  // A process that forks while it is frozen leaves the state at FREEZING until it is written again
  // (Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst).
  while (!deadline.over()) {
    TRY(write_cgroup_file(level.fd, "freezer.state", "FROZEN"));
    if (TRY(read_cgroup_file(level.fd, "freezer.state")) == "FROZEN") return {};
    TRY(rest(deadline));
  }
  (void)write_cgroup_file(level.fd, "freezer.state", "THAWED");
  return fail(ETIMEDOUT, fmt::format("{}/freezer.state: a process does not stop", level.path),
              "a process waits for a device or a file server; pause again when it has answered");
}

// False where the file is not there.
Result<bool> has_text(kernel::FdView dir, const std::string &file, std::string_view text) {
  const Result<std::string> found = read_cgroup_file(dir, file);
  if (found) return *found == text;
  if (is_missing(found.error())) return false;
  return std::unexpected(found.error());
}

}  // namespace

std::string Cgroup::freezer_path() const {
  const Level *level = freezer(*this);
  return level == nullptr ? std::string() : level->path;
}

Status Cgroup::freeze() const {
  const Level *level = freezer(*this);
  if (level == nullptr) {
    return fail("the container has no cgroup with a freezer", "pause needs a cgroup: run where this user may make one");
  }
  return level->unified ? freeze_v2(*level) : freeze_v1(*level);
}

Status Cgroup::thaw() const {
  for (const Level &level : levels_) {
    if (!level.fd.valid()) continue;
    Status status =
        write_cgroup_file(level.fd, level.unified ? "cgroup.freeze" : "freezer.state", level.unified ? "0" : "THAWED");
    if (!status && !is_missing(status.error())) return status;
  }
  return {};
}

Result<bool> Cgroup::frozen() const {
  for (const Level &level : levels_) {
    if (!level.fd.valid()) continue;
    // The container's own state: one that a parent froze (a pod, a machine that is suspended) is not paused.
    const bool frozen = TRY(has_text(level.fd, level.unified ? "cgroup.freeze" : "freezer.self_freezing", "1"));
    if (frozen) return true;
  }
  return false;
}

Result<bool> is_cgroup_frozen(const std::vector<std::string> &paths) {
  // The freezer's directory is the first, the unified one of a hybrid host the second.
  for (std::size_t i = 0; i < paths.size() && i < 2; ++i) {
    for (const char *file : {"/cgroup.freeze", "/freezer.self_freezing"}) {
      const Result<std::string> found = read_cgroup_file(kernel::cwd, paths[i] + file);
      if (found && *found == "1") return true;
      if (found) break;  // it has the one or the other
      if (!is_missing(found.error())) return std::unexpected(found.error());
    }
  }
  return false;
}

}  // namespace skiff
