#include "runtime/kernel/scheduling.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// struct sched_attr as of Linux 5.3. glibc 2.41 and <linux/sched/types.h> both define that name, so it has its own.
struct KernelSchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

// SCHED_ATTR_SIZE_VER0: what every kernel with the call takes.
static_assert(sizeof(KernelSchedulerAttributes) == 48);

// No kernel counts this far; a number above it is a mistake, not a mask of gigabytes.
constexpr unsigned highest_number = 1U << 16;

// <linux/ioprio.h>: the class stands above 13 bits of level.
constexpr int io_class_shift = 13;
constexpr int last_io_class = 3;
constexpr int last_io_level = 7;
constexpr int io_one_process = 1;

using Word = unsigned long;
constexpr unsigned word_bits = sizeof(Word) * CHAR_BIT;

// A bit for each number, in the kernel's layout: an array of long.
std::vector<Word> make_mask(std::span<const unsigned> numbers) {
  const unsigned highest = numbers.empty() ? 0 : *std::ranges::max_element(numbers);
  std::vector<Word> mask(std::min(highest, highest_number) / word_bits + 1);
  for (const unsigned number : numbers) {
    if (number <= highest_number) mask[number / word_bits] |= Word{1} << (number % word_bits);
  }
  return mask;
}

std::string make_list(std::span<const unsigned> numbers) {
  std::string list;
  for (const unsigned number : numbers) {
    if (!list.empty()) list += ',';
    list += std::to_string(number);
  }
  return list;
}

bool out_of_range(std::span<const unsigned> numbers) {
  return std::ranges::any_of(numbers, [](unsigned number) { return number > highest_number; });
}

}  // namespace

Status sched_setattr(pid_t pid, const SchedulerAttributes &attributes) {
  const KernelSchedulerAttributes args{.size = sizeof(args),
                                       .policy = attributes.policy,
                                       .flags = attributes.flags,
                                       .nice = attributes.nice,
                                       .priority = attributes.priority,
                                       .runtime = attributes.runtime,
                                       .deadline = attributes.deadline,
                                       .period = attributes.period};
  if (::syscall(SYS_sched_setattr, pid, &args, 0) == 0) return {};
  return call_failed("sched_setattr", {pid, Argument::word("policy"), args.policy, Argument::word("nice"), args.nice,
                                       Argument::word("priority"), args.priority});
}

Status sched_setaffinity(pid_t pid, std::span<const unsigned> cpus) {
  const std::vector<Word> mask = make_mask(cpus);
  if (out_of_range(cpus)) {
    errno = EINVAL;
  } else if (::syscall(SYS_sched_setaffinity, pid, mask.size() * sizeof(Word), mask.data()) == 0) {
    return {};
  }
  return call_failed("sched_setaffinity", {pid, std::string_view(make_list(cpus))});
}

Status sched_setaffinity_all(pid_t pid) {
  const std::vector<Word> mask(highest_number / word_bits, ~Word{0});
  if (::syscall(SYS_sched_setaffinity, pid, mask.size() * sizeof(Word), mask.data()) == 0) return {};
  return call_failed("sched_setaffinity", {pid, Argument::word("all")});
}

Status set_mempolicy(int mode, std::span<const unsigned> nodes) {
  const std::vector<Word> mask = make_mask(nodes);
  // The kernel takes one bit less than it is told.
  const unsigned long bits = nodes.empty() ? 0 : mask.size() * word_bits + 1;
  if (out_of_range(nodes)) {
    errno = EINVAL;
  } else if (::syscall(SYS_set_mempolicy, mode, nodes.empty() ? nullptr : mask.data(), bits) == 0) {
    return {};
  }
  return call_failed("set_mempolicy", {mode, std::string_view(make_list(nodes))});
}

Status ioprio_set(pid_t pid, int io_class, int level) {
  // The kernel looks at three bits of the class: a 9 would be taken for a 1, the real-time class.
  const bool good = io_class >= 0 && io_class <= last_io_class && level >= 0 && level <= last_io_level;
  if (!good) {
    errno = EINVAL;
  } else if (::syscall(SYS_ioprio_set, io_one_process, pid, (io_class << io_class_shift) | level) == 0) {
    return {};
  }
  return call_failed("ioprio_set", {Argument::word("IOPRIO_WHO_PROCESS"), pid, Argument::word("class"), io_class,
                                    Argument::word("level"), level});
}

Status setrlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
  const rlimit64 limit{.rlim_cur = soft, .rlim_max = hard};
  if (::syscall(SYS_prlimit64, pid, resource, &limit, nullptr) == 0) return {};
  return call_failed("prlimit", {pid, Argument::word("resource"), resource, Argument::word("soft"), soft,
                                 Argument::word("hard"), hard});
}

Result<rlimit> getrlimit(pid_t pid, int resource) {
  rlimit64 limit{};
  if (::syscall(SYS_prlimit64, pid, resource, nullptr, &limit) != 0) return call_failed("prlimit", {pid, resource});
  return rlimit{.rlim_cur = limit.rlim_cur, .rlim_max = limit.rlim_max};
}

}  // namespace skiff::kernel
