// What a container uses, at one moment.
#pragma once

#include <cstdint>
#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

struct UsageSample {
  std::int64_t time = 0;                 // nanoseconds of the monotonic clock
  std::uint64_t cpu = 0;                 // nanoseconds, of all its processors
  std::uint64_t memory = 0;              // bytes, without what the kernel can drop at once
  std::uint64_t memory_limit = 0;        // bytes; the host's memory where it has none
  std::uint64_t received = 0, sent = 0;  // bytes, of all its interfaces but lo
  std::uint64_t read = 0, written = 0;   // bytes, of block devices
  std::uint64_t processes = 0;
};

// ESRCH where it does not run.
[[nodiscard]] Result<UsageSample> sample_usage(const Engine &engine, const Container &container);
// Percent of one processor between two samples.
[[nodiscard]] double cpu_percent(const UsageSample &before, const UsageSample &now);

}  // namespace skiff::compose
