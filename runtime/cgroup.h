// A container's cgroup: one directory in each hierarchy of cgroup v1, one directory in all on v2. Everything is done
// over the directories' descriptors, so that a path that changes its meaning later is never followed.
//
// The value owns its descriptors and nothing else: dropping it leaves the cgroup as it is.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/cgroup_plan.h"
#include "runtime/kernel/fd.h"

namespace skiff {

class Cgroup {
 public:
  // One hierarchy's directory. `fd` is not valid where this host would not let the runtime have one, or where the
  // directory of an existing container is gone.
  struct Level {
    std::string path;
    bool unified = false;  // cgroup v2
    kernel::Fd fd;
    std::string made;  // the topmost directory that create() made; empty: none
  };

  Cgroup() = default;

  // Makes each directory of the plan, parents included. On v1 a new cpuset gets its parent's cpus and mems, without
  // which it takes no process; on v2 the controllers needed are enabled from the root down. A directory that was there
  // before is taken if no process is in it or below it, and refused (EEXIST) otherwise: it is somebody else's.
  // What was made is removed again on failure. Errors: EBUSY where a parent on v2 has processes of its own ("no
  // internal processes", cgroups(7)); EACCES, EPERM, EROFS without delegation where a limit or this very path was asked
  // for. Where none was, those become a warning and the container runs without a cgroup of its own.
  [[nodiscard]] static Result<Cgroup> create(const CgroupPlan &plan);
  // Refuses directories of the plan that are there already and hold processes (EEXIST) or are frozen (EBUSY), as create
  // does: for a plan whose directories systemd makes.
  [[nodiscard]] static Status check_unused(const CgroupPlan &plan);
  // The cgroup of a container that exists: the record's cgroup_paths. A directory that is gone is no error.
  [[nodiscard]] static Result<Cgroup> open(const std::vector<std::string> &paths);

  // A directory below this one in each hierarchy: `exec --cgroup PATH`, or CONTROLLER:PATH for one hierarchy of v1
  // alone. ENOENT where it is not there; ".." and a controller that is nowhere are errors.
  [[nodiscard]] Result<Cgroup> below(std::string_view path, std::string_view controllers = {}) const;
  // Where the process `init` is now, in each hierarchy. On v2 a container that has divided its own cgroup takes no
  // process at the top (EBUSY); exec goes beside init then.
  [[nodiscard]] Result<Cgroup> beside(pid_t init) const;

  // The v2 directory for CLONE_INTO_CGROUP (Linux 5.7), or nullptr on v1 and where there is no cgroup.
  [[nodiscard]] const kernel::Fd *clone_into() const;
  // Writes the pid to cgroup.procs in each hierarchy; a process that is there already stays. An unprivileged runtime
  // that is refused goes without, as with create.
  [[nodiscard]] Status place(pid_t pid) const;

  // Writes plan.writes in their order. An error names the field, the file and the value.
  [[nodiscard]] Status apply_limits(const CgroupPlan &plan) const { return apply_limits(plan.writes); }
  [[nodiscard]] Status apply_limits(const std::vector<CgroupWrite> &writes) const;
  // The one condition that a write may have, memory.checkBeforeUpdate, asked without writing.
  [[nodiscard]] Status check_limits(const std::vector<CgroupWrite> &writes) const;
  // v1: devices.allow and devices.deny. v2: a BPF program, which takes the place of one that is attached already.
  [[nodiscard]] Status apply_devices(const CgroupPlan &plan) const;
  // Gives the directory and the files that /sys/kernel/cgroup/delegate names to the container's root (v2 only).
  [[nodiscard]] Status delegate(uid_t uid, gid_t gid) const;

  // The directory whose freezer the next function uses; empty without one.
  [[nodiscard]] std::string freezer_path() const;
  // Stops every process, in nested cgroups too; returns when all stand still. What does not freeze within the time
  // is thawed again, and an error.
  [[nodiscard]] Status freeze() const;
  // Lets them run; a nested cgroup that the container froze itself stays frozen.
  [[nodiscard]] Status thaw() const;
  [[nodiscard]] Result<bool> frozen() const;

  // The processes in the cgroup and below it, sorted, each once, as this pid namespace sees them.
  [[nodiscard]] Result<std::vector<pid_t>> processes() const;
  // Sends the signal to every process. With SIGKILL it also thaws whatever is frozen, and waits until the cgroup is
  // empty or the time is over (an error that names the pids that are left).
  [[nodiscard]] Status kill_all(int signal, std::chrono::milliseconds patience = std::chrono::seconds(10)) const;
  // Removes the directories, nested ones first, and the parents that this value made where they are empty. What is
  // gone already is no error. EBUSY when processes stay in it for longer than the time.
  [[nodiscard]] Status remove(std::chrono::milliseconds patience = std::chrono::seconds(10));

  // Removes these directories of an ended container, if nothing is left in them: without a look into them, for rmdir(2)
  // refuses a cgroup that has a process or another cgroup in it. False where one of them stays, which is not told why.
  [[nodiscard]] static bool remove_empty(const std::vector<std::string> &paths);

  // The directories' paths in the order of the hierarchies, for the record; empty without a cgroup.
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] const std::vector<Level> &levels() const { return levels_; }
  // The level that has this file: the first of v1, or the unified one. nullptr where none has it.
  [[nodiscard]] const Level *find_file(std::string_view file, bool unified) const;
  // What create() did without: logged by the command.
  [[nodiscard]] const std::vector<std::string> &warnings() const { return warnings_; }

 private:
  std::vector<Level> levels_;
  std::vector<std::string> warnings_;
  bool may_go_without_ = false;  // CgroupPlan::may_go_without
};

// Whether the container with these cgroup_paths is paused: for `state` and `list`, which need nothing else of a cgroup.
[[nodiscard]] Result<bool> is_cgroup_frozen(const std::vector<std::string> &paths);

}  // namespace skiff
