// A cgroup that systemd makes: the two of them together at each point of a container's life.
#pragma once

#include "runtime/cgroup.h"
#include "runtime/cli/log.h"
#include "spec/state.h"

namespace skiff {

// Host::user_manager, where a plan with the systemd driver needs it.
[[nodiscard]] Status find_user_manager(Host &host);

// Starts the plan's unit with this process in it, and opens its cgroup; what systemd does not know of (v1 hierarchies,
// controllers) is made and enabled as by Cgroup::create, and the process put there too. On an error the unit is gone.
[[nodiscard]] Result<Cgroup> make_cgroup_of_unit(const CgroupPlan &plan, pid_t pid, std::vector<std::string> &warnings);

// Stops a container's unit, once its processes have ended.
[[nodiscard]] Status stop_unit(const std::string &unit);

// What a create that fails leaves of a cgroup, and of its unit where there is one: best effort, for the first error is
// the one to tell.
void discard(Cgroup &cgroup, const std::string &unit);

// Moves a process into the unit's cgroup, or the one `below` it, an absolute path from there.
[[nodiscard]] Status attach_to_unit(const std::string &unit, const std::string &below, pid_t pid);

// `update`: changes the limits of a running container, in its unit where it has one, and in its cgroup's files.
[[nodiscard]] Status update_limits(const spec::Record &record, const spec::Resources &resources, const Host &host,
                                   const cli::Log &log);

}  // namespace skiff
