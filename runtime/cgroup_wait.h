// Bounded waiting for what a cgroup does in its own time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "runtime/kernel/fd.h"

namespace skiff {

// A point in time that an operation may last until.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds patience) : end_(std::chrono::steady_clock::now() + patience) {}
  // What is left, not below zero.
  [[nodiscard]] std::chrono::milliseconds left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }
  [[nodiscard]] bool over() const { return left() == std::chrono::milliseconds(0); }

 private:
  std::chrono::steady_clock::time_point end_;
};

// Waits until `key` of the directory's cgroup.events (cgroup v2) has the value; false when the time is over. The kernel
// wakes a poll(2) of the file at each change.
[[nodiscard]] Result<bool> wait_for_event(kernel::FdView dir, std::string_view key, std::uint64_t value,
                                          const Deadline &deadline);

// A moment's rest before asking again, for what has no file to wait on: the freezer and the removal of v1.
[[nodiscard]] Status rest(const Deadline &deadline);

}  // namespace skiff
