// What a container has used: the numbers behind `events --stats`, from cgroup v1 or v2, under the names that callers
// of runc read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cgroup.h"

namespace skiff {

// Pressure stall information (Documentation/accounting/psi.rst): how much of the time somebody, or everybody, waited.
// Averages are percents as the kernel prints them; totals are microseconds.
struct PressureLine {
  double avg10 = 0, avg60 = 0, avg300 = 0;
  std::uint64_t total = 0;
};
struct Pressure {
  PressureLine some;
  PressureLine full;
};

struct CpuStats {  // nanoseconds
  std::uint64_t total = 0, kernel = 0, user = 0;
  std::vector<std::uint64_t> per_cpu, per_cpu_kernel, per_cpu_user;  // v1
  std::uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;
  std::optional<Pressure> pressure;
};

struct CpusetStats {  // v1
  std::vector<std::uint16_t> cpus, mems;
  std::uint64_t cpu_exclusive = 0, mem_hardwall = 0, mem_exclusive = 0, memory_migrate = 0, memory_spread_page = 0,
                memory_spread_slab = 0, memory_pressure = 0, sched_load_balance = 0;
  std::int64_t sched_relax_domain_level = 0;
};

struct MemoryUsage {  // bytes; a limit of UINT64_MAX is none
  std::uint64_t limit = 0, usage = 0, max = 0, failcnt = 0;
};

struct MemoryStats {
  std::uint64_t cache = 0;
  MemoryUsage usage;
  MemoryUsage swap;  // memory and swap together, on v2 too
  MemoryUsage kernel, kernel_tcp;
  std::map<std::string, std::uint64_t> raw;  // memory.stat
  std::optional<Pressure> pressure;
};

struct BlockIoEntry {
  std::uint64_t major = 0, minor = 0;
  std::string op;
  std::uint64_t value = 0;
};
struct BlockIoStats {
  std::vector<BlockIoEntry> service_bytes, serviced, queued, service_time, wait_time, merged, time, sectors;
  std::optional<Pressure> pressure;
};

struct HugetlbStats {
  std::uint64_t usage = 0, max = 0, failcnt = 0;
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  std::uint64_t pids_current = 0, pids_limit = 0;  // 0: no limit
  BlockIoStats block_io;
  std::map<std::string, HugetlbStats> hugetlb;  // by page size
};

// What a controller that is not there would have counted is 0.
[[nodiscard]] Result<Stats> read_stats(const Cgroup &cgroup);

// One line each of `events`: {"type":"stats","id":...,"data":{...}} and {"type":"oom","id":...}, without a line end.
[[nodiscard]] std::string print_stats_event(std::string_view id, const Stats &stats);
[[nodiscard]] std::string print_oom_event(std::string_view id);

}  // namespace skiff
