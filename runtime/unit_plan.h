// linux.cgroupsPath, annotations and limits as a systemd unit. Pure.
//
// cgroupsPath is slice:prefix:name, as callers of runc write it. A container is a transient scope prefix-name.scope in
// the slice, with Delegate=yes: below the scope's directory the cgroup tree is the container's, and systemd leaves it
// alone (systemd.io/CGROUP_DELEGATION).
#pragma once

#include <string>
#include <string_view>

#include "runtime/cgroup_plan.h"
#include "runtime/plan_unit.h"

namespace skiff {

struct UnitPlace {
  std::string slice;  // machine.slice
  std::string unit;   // libpod-1234.scope
};
// Without cgroupsPath: skiff-ID.scope. Without a slice: system.slice, or user.slice of the user's systemd. A name that
// ends in ".slice" is the unit's own.
[[nodiscard]] Result<UnitPlace> parse_unit_place(const std::string &cgroups_path, const std::string &id, bool user);

// Where systemd puts a slice below the root of its tree: "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is "".
[[nodiscard]] Result<std::string> expand_slice(std::string_view slice);

// The unit of a container with these annotations, without its limits.
[[nodiscard]] Result<Unit> make_unit(const UnitPlace &place, const spec::StringMap &annotations, const std::string &id,
                                     bool user, bool unified);

}  // namespace skiff
