#include "runtime/cgroup.h"

#include <fmt/format.h>
#include <linux/magic.h>

#include <algorithm>

#include "runtime/cgroup_file.h"
#include "runtime/cgroup_tree.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

Result<Cgroup::Level> open_level(const std::string &path) {
  Cgroup::Level level{.path = path, .unified = false, .fd = {}, .made = {}};
  Result<kernel::Fd> fd = kernel::open(path, O_RDONLY | O_DIRECTORY);
  if (!fd && is_missing(fd.error())) return level;
  level.fd = TRY(std::move(fd));
  level.unified = TRY(kernel::fstatfs(level.fd)).f_type == CGROUP2_SUPER_MAGIC;
  return level;
}

bool has_controller(const Cgroup::Level &level, std::string_view controller) {
  // A v1 hierarchy is mounted under its controllers' names, as every distribution does it.
  std::string_view path = level.path;
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    std::string_view names = path.substr(slash + 1);
    while (!names.empty()) {
      const std::size_t comma = names.find(',');
      if (names.substr(0, comma) == controller) return true;
      names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
    }
    if (slash == std::string_view::npos) return false;
    path = path.substr(0, slash);
  }
  return false;
}

// The subdirectory `path` of a level, which must be there already.
Result<Cgroup::Level> find_below(const Cgroup::Level &level, std::string_view path) {
  kernel::Fd here = TRY(kernel::openat(level.fd, ".", directory_flags));
  std::string whole = level.path;
  const std::string_view whole_path = path;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (name == "..")
      return fail(fmt::format("{} is not a sub cgroup path: it leads out of {}", whole_path, level.path),
                  "name a cgroup below the container's own");
    Result<kernel::Fd> next = kernel::openat(here, name, directory_flags | O_NOFOLLOW);
    if (!next) {
      return fail(next.error().number,
                  fmt::format("adding pid of the process to cgroups: {}/{}/cgroup.procs", whole, name),
                  "make the cgroup first: exec only joins it");
    }
    here = *std::move(next);
    whole.append("/").append(name);
  }
  return Cgroup::Level{.path = std::move(whole), .unified = level.unified, .fd = std::move(here), .made = {}};
}

// The directory in or below `top` that the process is in. Found by looking, so that no cgroup namespace can make a
// path mean something else.
Result<kernel::Fd> find_process(kernel::FdView top, pid_t pid) {
  kernel::Fd found;
  const std::string wanted = fmt::to_string(pid);
  CgroupVisitor visitor;
  visitor.enter = [&](kernel::FdView dir) -> Status {
    // EOPNOTSUPP: a threaded cgroup, whose processes its domain lists.
    const std::string pids = read_cgroup_file(dir, "cgroup.procs").value_or(std::string());
    std::string_view rest = pids;
    while (std::optional<std::string_view> line = next_line(rest)) {
      if (*line == wanted) found = TRY(kernel::openat(dir, ".", directory_flags));
    }
    return {};
  };
  TRY(walk_cgroups(top, visitor));
  return found;
}

Status check_condition(kernel::FdView dir, const CgroupWrite &write) {
  if (!write.usage) return {};
  const auto &[file, limit, name] = *write.usage;
  const std::uint64_t now = TRY(read_cgroup_number(dir, file));
  if (now <= limit) return {};
  return fail(EBUSY, fmt::format("rejecting {}: {} is {}, more than the new limit of {}", name, file, now, limit),
              "use a higher limit, or leave memory.checkBeforeUpdate out to let the OOM killer make room");
}

Status write_one(kernel::FdView dir, const CgroupWrite &write, const std::string &file, const std::string &value) {
  TRY(check_condition(dir, write));
  if (!write.keep_first_word) return write_cgroup_file(dir, file, value);
  const std::string now = TRY(read_cgroup_file(dir, file));
  return write_cgroup_file(dir, file, now.substr(0, now.find(' ')) + " " + value);
}

Status write_with_fallbacks(kernel::FdView dir, const CgroupWrite &write) {
  Status status = write_one(dir, write, write.file, write.value);
  for (const CgroupWrite::Fallback &fallback : write.fallbacks) {
    if (status || status.error().number != ENOENT) break;
    status = write_one(dir, write, fallback.file, fallback.value);
  }
  if (!status && status.error().number == ENOENT && write.ignore_missing) return {};
  return status;
}

std::string_view remedy_for(const CgroupWrite &write, int number) {
  const bool memory = write.file.starts_with("memory.");
  switch (number) {
    case EBUSY:
      return memory ? "the cgroup uses more than that already: give it a higher limit" : "";
    case EINVAL:
    case ERANGE:
      if (write.file.starts_with("cpuset."))
        return "use CPUs and memory nodes that this host and the parent cgroup have";
      if (write.file.find("burst") != std::string::npos) return "a burst may not be larger than the quota";
      if (memory) return "memory and swap together may not be less than memory";
      if (write.file.starts_with("cpu.")) return "the parent cgroup's share is less, or the value is out of range";
      return "the value is out of range for this kernel";
    case ENOENT:
      if (write.file.find("swap") != std::string::npos || write.file.find("memsw") != std::string::npos) {
        return "this kernel does not count swap: boot it with swapaccount=1, or leave the swap limit out";
      }
      return "this kernel does not have that setting, or the controller is not enabled here: leave it out";
    case ENODEV:
    case ENXIO:
      return "there is no such device on this host";
    case EACCES:
    case EPERM:
    case EROFS:
      return "have the controller delegated to this user, or leave the limit out";
    default:
      return "";
  }
}

}  // namespace

Result<Cgroup> Cgroup::open(const std::vector<std::string> &paths) {
  Cgroup out;
  for (const std::string &path : paths) out.levels_.push_back(TRY(open_level(path)));
  return out;
}

Result<Cgroup> Cgroup::below(std::string_view path, std::string_view controllers) const {
  Cgroup out;
  bool found = controllers.empty();
  for (const Level &level : levels_) {
    if (!level.fd.valid()) continue;
    bool wanted = controllers.empty();
    for (std::string_view rest = controllers; !rest.empty() && !wanted;) {
      const std::size_t comma = rest.find(',');
      wanted = has_controller(level, rest.substr(0, comma));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    found = found || wanted;
    out.levels_.push_back(TRY(find_below(level, wanted ? path : std::string_view{})));
  }
  if (found) return out;
  return fail(fmt::format("unknown controller {}: the container is in no such hierarchy of cgroup v1", controllers),
              "leave the controller out to choose a cgroup in all hierarchies");
}

Result<Cgroup> Cgroup::beside(pid_t init) const {
  Cgroup out;
  for (const Level &level : levels_) {
    if (!level.fd.valid()) continue;
    Level found{.path = level.path, .unified = level.unified, .fd = TRY(find_process(level.fd, init)), .made = {}};
    if (!found.fd.valid()) found.fd = TRY(kernel::openat(level.fd, ".", directory_flags));
    out.levels_.push_back(std::move(found));
  }
  return out;
}

const kernel::Fd *Cgroup::clone_into() const {
  // Beside v1 hierarchies it would save nothing: those need the pid written to each.
  if (levels_.size() != 1 || !levels_.front().unified || !levels_.front().fd.valid()) return nullptr;
  return &levels_.front().fd;
}

Status Cgroup::place(pid_t pid) const {
  const std::string text = fmt::to_string(pid);
  for (const Level &level : levels_) {
    if (!level.fd.valid()) continue;
    Status status = write_cgroup_file(level.fd, "cgroup.procs", text);
    if (status) continue;
    if (may_go_without_ && is_refused(status.error())) continue;
    // The unified hierarchy of a hybrid host limits nothing; a container that has divided its own there takes no
    // process at the top.
    if (level.unified && levels_.size() > 1) continue;
    if (status.error().number == EBUSY && status.error().remedy.empty()) {
      status.error().remedy = "the cgroup has limited cgroups of its own below it: name one of them";
    }
    return status;
  }
  return {};
}

Status Cgroup::apply_limits(const std::vector<CgroupWrite> &writes) const {
  std::vector<const CgroupWrite *> waiting;
  waiting.reserve(writes.size());
  for (const CgroupWrite &write : writes) waiting.push_back(&write);
  for (bool last_round = false;;) {
    std::vector<const CgroupWrite *> refused;
    for (const CgroupWrite *write : waiting) {
      const Level *level = write->hierarchy < levels_.size() ? &levels_[write->hierarchy] : nullptr;
      if (level == nullptr || !level->fd.valid()) {
        return fail(fmt::format("{}: the container has no cgroup to limit", write->field),
                    "leave the limit out, or run where this user may make cgroups");
      }
      Status status = write_with_fallbacks(level->fd, *write);
      if (status) continue;
      const int number = status.error().number;
      if (write->interdependent && !last_round && (number == EINVAL || number == EBUSY)) {
        refused.push_back(write);
        continue;
      }
      return in(write->field, remedy(remedy_for(*write, number), std::move(status)));
    }
    if (refused.empty()) return {};
    // No progress: once more, for the error.
    last_round = refused.size() == waiting.size();
    waiting = std::move(refused);
  }
}

Status Cgroup::check_limits(const std::vector<CgroupWrite> &writes) const {
  for (const CgroupWrite &write : writes) {
    if (write.hierarchy >= levels_.size() || !levels_[write.hierarchy].fd.valid()) continue;
    TRY(in(write.field, check_condition(levels_[write.hierarchy].fd, write)));
  }
  return {};
}

std::vector<std::string> Cgroup::paths() const {
  std::vector<std::string> out;
  for (const Level &level : levels_) {
    if (level.fd.valid()) out.push_back(level.path);
  }
  return out;
}

const Cgroup::Level *Cgroup::find_file(std::string_view file, bool unified) const {
  const std::string name(file);
  for (const Level &level : levels_) {
    if (level.fd.valid() && level.unified == unified && kernel::faccessat(level.fd, name, F_OK)) return &level;
  }
  return nullptr;
}

}  // namespace skiff
