// Runs cases against runtimes: each pair in a process and a mount namespace of its own, several at a time.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "conformance/case.h"
#include "conformance/stage.h"

namespace skiff::conformance {

enum class Mark : std::uint8_t { passed, failed, skipped };
[[nodiscard]] std::string_view mark_name(Mark mark);

// What came of one case with one runtime.
struct Finding {
  const Case *of = nullptr;
  std::size_t runtime = 0;  // its index
  Mark mark = Mark::failed;
  unsigned tries = 0;      // what stage.count_tries() was told
  bool undecided = false;  // of a failure: a step on the way failed
  std::string text = {};   // the reason of a failure or a skip; of a pass what stage.note() was told
  std::chrono::milliseconds time{};
};

struct Trial {
  const std::vector<Case> *cases = nullptr;
  const std::vector<Runtime> *runtimes = nullptr;
  std::string directory;  // of the judge's own: each case gets one below it
  std::string program;    // the observing program, in that directory
  std::string cgroup;     // each case gets one below it
  unsigned jobs = 1;
  unsigned tries = 1;                    // of what may happen or not, at least
  bool unified = false;                  // cases see cgroup v2 alone, whatever the host has
  std::chrono::milliseconds patience{};  // of one case
};

// Every case with every runtime, in the order of cases, then runtimes. `told` hears of each as soon as it and those
// before it are done. An error only where the judge itself cannot go on.
[[nodiscard]] Result<std::vector<Finding>> judge(const Trial &trial, const std::function<void(const Finding &)> &told);

}  // namespace skiff::conformance
