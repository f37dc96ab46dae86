// What a runtime may leave behind, found and removed: processes, cgroups, mounts, files.
#pragma once

#include <string>
#include <vector>

#include "spec/error.h"

namespace skiff::conformance {

// The directories of this cgroup in every mounted hierarchy, deepest first; those that exist.
[[nodiscard]] std::vector<std::string> find_cgroups(const std::string &cgroup);
// Where hierarchies are mounted: cgroup2, or the one with this controller of v1; "" where none is.
[[nodiscard]] std::string find_hierarchy(const std::string &controller);
// True where v2 alone is mounted.
[[nodiscard]] bool is_unified();

// The pids of this process's children.
[[nodiscard]] std::vector<std::string> own_children();

// Thaws and kills the processes of this cgroup and of those below it, in every hierarchy.
void kill_members(const std::string &cgroup);

// Kills and reaps the children of this process, then theirs where they have become ours.
void kill_children();
// Removes the directory with everything in it, what is mounted below it, and the cgroup with its processes. The error
// lists what was left of containers: cgroups and mounts.
[[nodiscard]] Status remove_leavings(const std::string &directory, const std::string &cgroup);

}  // namespace skiff::conformance
