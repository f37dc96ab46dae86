// What was measured, as a table to read or as JSON to keep.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/crowd.h"
#include "tests/bench/memory_limit.h"
#include "tests/bench/stage.h"
#include "tests/bench/trace.h"

namespace skiff::bench {

struct Measured {
  std::string_view case_name;
  std::string_view floor;  // what the floor does in this case
  Contestant contestant;
  std::vector<double> wall;  // milliseconds, one a round, in the order measured
  std::vector<double> cpu;   // the processor's, without a container that outlived the command
  Traced traced;
  std::string failure;  // why there is nothing, or empty
};

struct Report {
  std::string machine;
  std::vector<Contestant> contestants;
  std::vector<Measured> cases;
  std::vector<Crowded> crowds;
  std::vector<SmallestLimits> limits;
};

// Cores, kernel, cgroup layout and load of this machine: one line.
[[nodiscard]] std::string describe_machine(bool host_cgroups);

// Markdown. The ratios are of medians: to the floor, and to each contestant but `skiff`.
[[nodiscard]] std::string print_table(const std::vector<Measured> &all);
// The system calls of each contestant by name, most frequent first, a line each.
[[nodiscard]] std::string print_calls(const std::vector<Measured> &all);
[[nodiscard]] std::string print_json(const Report &report);

}  // namespace skiff::bench
