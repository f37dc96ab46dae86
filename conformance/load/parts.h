// The kinds of load, each with many processes at a time.
#pragma once

#include <functional>

#include "conformance/load/yard.h"

namespace skiff::conformance {

struct LoadRequest {
  YardPlace place;  // without a worker's name
  unsigned jobs = 16;
  std::uint32_t cycles = 0;          // of create, start, delete
  std::uint32_t crowd = 0;           // containers alive at once
  std::uint32_t execs = 0;           // into one container
  std::chrono::milliseconds time{};  // of random commands
  std::uint64_t seed = 0;
};

// One kind of load, done.
struct Load {
  std::string name;
  std::uint64_t count = 0;
  std::chrono::milliseconds time{};
  std::vector<std::string> failures;
  std::vector<std::string> leaks;

  [[nodiscard]] double rate() const;  // a second
};

[[nodiscard]] Result<Load> run_cycles(const LoadRequest &request);
[[nodiscard]] Result<Load> run_crowd(const LoadRequest &request);
[[nodiscard]] Result<Load> run_execs(const LoadRequest &request);
[[nodiscard]] Result<Load> run_random(const LoadRequest &request);

}  // namespace skiff::conformance
