// The smallest memory limit under which a container of /bin/true still runs.
#pragma once

#include "tests/bench/stage.h"

namespace skiff::bench {

struct SmallestLimits {
  Contestant contestant;
  std::uint64_t command_kib = 0;  // of a cgroup that the whole command is in; 0: not measured
  std::uint64_t config_kib = 0;   // linux.resources.memory.limit; 0: not measured
  std::string failure;
};

// By bisection; a limit counts when several runs in a row succeed under it. The limit of the config needs the memory
// controller in the stage's cgroups, that of the command a v1 memory hierarchy: what is missing stays unmeasured.
[[nodiscard]] std::vector<SmallestLimits> measure_limits(const Stage &stage, const std::vector<Contestant> &contestants,
                                                         const volatile int &interrupted);

[[nodiscard]] std::string print_limits(const std::vector<SmallestLimits> &all);

}  // namespace skiff::bench
