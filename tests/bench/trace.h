// What a command does that no clock shows: its system calls and its memory, by ptrace(2).
#pragma once

#include <array>
#include <cstdint>

#include "tests/bench/spawn.h"

namespace skiff::bench {

inline constexpr std::size_t most_calls = 1024;  // above every number of every architecture

// Of all processes of the measured steps, each from its start until it runs the container's program.
struct Traced {
  std::array<std::uint32_t, most_calls> calls{};  // by number
  std::uint64_t peak_kib = 0;                     // of the largest process (VmHWM)
  std::array<std::uint32_t, 16> peaks_kib{};      // of each process, in the order of their first ends; 0: no more
  std::uint32_t tasks = 0;                        // processes and threads

  [[nodiscard]] std::uint32_t total() const;
};

// The system calls by name, most frequent first.
[[nodiscard]] std::vector<std::pair<std::string, std::uint32_t>> calls_by_count(const Traced &traced);

// Runs the steps once under ptrace. `program` is the container's program on the host: who runs that file is let go.
// wait4's ru_maxrss would not do for the memory: exec carries the size of the process that forked over into it.
// Errors: those of run_steps, EPERM where ptrace is forbidden, ENOSYS before Linux 5.3.
[[nodiscard]] Result<Traced> trace_steps(const Steps &steps, const Streams &streams, const std::string &program);

}  // namespace skiff::bench
