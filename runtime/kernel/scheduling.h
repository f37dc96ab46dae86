// What a process may use and when it runs: scheduler, processors, memory nodes, input and output, limits.
#pragma once

#include <sched.h>
#include <sys/resource.h>

#include <cstdint>
#include <span>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// The fields of sched_setattr(2), with the kernel's units: nice -20..19, priority 1..99, the times in nanoseconds.
struct SchedulerAttributes {
  uint32_t policy = 0;  // SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE, 7 = SCHED_EXT
  uint64_t flags = 0;   // SCHED_FLAG_*
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};
// pid 0 is the caller.
[[nodiscard]] Status sched_setattr(pid_t pid, const SchedulerAttributes &attributes);
// A list of processor numbers. EINVAL where none of them is in the cpuset.
[[nodiscard]] Status sched_setaffinity(pid_t pid, std::span<const unsigned> cpus);
// Every processor: the kernel takes those of the cpuset.
[[nodiscard]] Status sched_setaffinity_all(pid_t pid);
// set_mempolicy(2): `mode` MPOL_* with its MPOL_F_* flags, and the memory nodes it is for.
[[nodiscard]] Status set_mempolicy(int mode, std::span<const unsigned> nodes);
// ioprio_set(2) for one process: class IOPRIO_CLASS_RT (1), BE (2) or IDLE (3), level 0 (first) to 7.
[[nodiscard]] Status ioprio_set(pid_t pid, int io_class, int level);
// prlimit(2). EPERM where the hard limit goes up without CAP_SYS_RESOURCE.
[[nodiscard]] Status setrlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard);
[[nodiscard]] Result<rlimit> getrlimit(pid_t pid, int resource);

}  // namespace skiff::kernel
