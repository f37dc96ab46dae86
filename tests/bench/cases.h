// The commands that are compared, as steps of each contestant.
#pragma once

#include <span>

#include "tests/bench/stage.h"

namespace skiff::bench {

struct Case {
  std::string_view name;
  std::string_view floor;  // what the floor does meanwhile
  Steps (*steps)(const Stage &stage, const Contestant &contestant);
  Words (*floor_words)(const Stage &stage, int resident);  // after the program; `resident` is the pid of a container
  bool is_container;                                       // that the floor makes
};

[[nodiscard]] std::span<const Case> all_cases();

// The steps of a case for any contestant. `resident`: the process whose container the floor joins.
[[nodiscard]] Steps make_steps(const Case &which, const Stage &stage, const Contestant &contestant, int resident);

// A container that sleeps, for exec, state, kill and list.
[[nodiscard]] Steps start_resident(const Stage &stage, const Contestant &contestant, const std::string &pid_file);

}  // namespace skiff::bench
