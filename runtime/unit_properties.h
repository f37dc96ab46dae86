// What is written into the files of a cgroup, as properties of its systemd unit. Pure.
//
// Both are set, as systemd writes the files again from its properties: at the next daemon-reload, and whenever another
// property of the unit or its slice changes. What has no property stays in the file alone.
#pragma once

#include <vector>

#include "runtime/cgroup_plan.h"
#include "runtime/plan_unit.h"

namespace skiff {

// What the files have now, for an `update` of a part: systemd takes quota and period as one, and idle as a weight.
struct CpuNow {
  std::int64_t quota = -1;  // microseconds in each period; -1: no limit
  std::uint64_t period = 100000;
  bool idle = false;
};
// "200000 100000" or "max 100000", as cpu.max has it.
[[nodiscard]] CpuNow parse_cpu_max(std::string_view text);

enum class UnitMoment : std::uint8_t { start, update };

struct UnitLimits {
  std::vector<UnitProperty> properties;
  std::vector<std::string> warnings;
};
// The writes are changed in two things. systemd counts a quota in whole percents of a CPU, and a quota between two of
// them is rounded up in the file too, or the file would change at systemd's next write. And of idle and a weight, which
// exclude each other, idle is left, with a warning.
[[nodiscard]] UnitLimits make_unit_limits(std::vector<CgroupWrite> &writes, const CpuNow &now, UnitMoment moment);

// DevicePolicy and DeviceAllow. systemd knows lists of what is allowed; where the rules are none, it is told on v2 to
// filter nothing, for the container's own program does, and on v1 to allow nothing, for its word there is the file.
[[nodiscard]] std::vector<UnitProperty> make_device_properties(const std::vector<DeviceRule> &rules, bool unified);

}  // namespace skiff
