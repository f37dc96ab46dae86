// The systemd unit that holds a container's cgroup, decided by the plan: unit_plan.h makes it, systemd.h starts it.
#pragma once

#include <string>
#include <vector>

#include "runtime/bus_value.h"

namespace skiff {

struct UnitProperty {
  std::string field;  // of config.json: linux.resources.memory.limit; "systemd" for what every unit gets
  std::string name;   // MemoryMax, as org.freedesktop.systemd1(5) has it
  BusValue value;
  int since = 0;  // the first version of systemd that knows it, where that is above 239: an older one is not told, and
                  // what is in the cgroup's file counts alone
};

struct Unit {
  std::string name;    // skiff-ID.scope; empty: systemd is not asked
  bool slice = false;  // the name is a slice's: no process is given to it at its start, the runtime moves init in
  bool user = false;   // of the user's systemd, not the system's
  std::vector<UnitProperty> properties;  // in the order sent; of two with one name the later counts
};

}  // namespace skiff
