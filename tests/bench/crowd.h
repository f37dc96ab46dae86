// Many containers at once.
#pragma once

#include <optional>

#include "tests/bench/memory_group.h"
#include "tests/bench/stage.h"

namespace skiff::bench {

struct CrowdSize {
  int started = 64;  // of /bin/true, `at_once` at a time
  int at_once = 8;
  int waves = 7;     // how often
  int alive = 1000;  // at the same time
  int lists = 20;    // how often they are listed then
};

struct Crowded {
  Contestant contestant;
  std::vector<double> per_second;  // containers, one value a wave
  std::vector<double> each;        // milliseconds of every command of all waves
  int alive = 0;
  std::optional<double> kib;  // that each of those alive keeps, without a memory cgroup unknown
  std::vector<double> lists;  // milliseconds
  std::string failure;
};

// The waves in turn, then those alive of one contestant after the other. The floor has waves only. Ends early where
// `interrupted` is set.
[[nodiscard]] std::vector<Crowded> measure_crowds(const Stage &stage, const std::vector<Contestant> &contestants,
                                                  const CrowdSize &size, const volatile int &interrupted);

// Markdown, the ratios to each contestant but skiff.
[[nodiscard]] std::string print_crowds(const std::vector<Crowded> &all, const CrowdSize &size);

}  // namespace skiff::bench
