#include "tests/bench/memory_limit.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "runtime/kernel/process.h"
#include "tests/bench/memory_group.h"

namespace skiff::bench {
namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t highest = 256 * kib * kib;
constexpr std::uint64_t precision = 16 * kib;
constexpr int repetitions = 3;

using Attempt = std::function<Result<bool>(std::uint64_t limit)>;

Result<bool> succeeds_always(const Attempt &attempt, std::uint64_t limit, const volatile int &interrupted) {
  for (int i = 0; i < repetitions; ++i) {
    if (interrupted != 0) return fail("interrupted");
    if (!TRY(attempt(limit))) return false;
  }
  return true;
}

// In KiB.
Result<std::uint64_t> bisect(const Attempt &attempt, const volatile int &interrupted) {
  std::uint64_t fails = 0;
  std::uint64_t works = highest;
  if (!TRY(succeeds_always(attempt, works, interrupted)))
    return fail(fmt::format("does not run under {} MiB", works >> 20));
  while (works - fails > precision) {
    const std::uint64_t middle = (fails + works) / 2 / precision * precision;
    (TRY(succeeds_always(attempt, middle, interrupted)) ? works : fails) = middle;
  }
  return works / kib;
}

// Whether the command succeeds. Who is out of memory may wait for ever for whom the kernel has killed.
Result<bool> succeeds(const Stage &stage, const Words &words) {
  const pid_t pid = TRY(spawn(words, stage.streams()));
  const kernel::Fd process = TRY(kernel::pidfd_open(pid));
  if (!TRY(kernel::wait_readable(process, std::chrono::seconds(10)))) (void)::kill(pid, SIGKILL);
  int status = 0;
  if (::waitpid(pid, &status, 0) < 0) return fail(errno, "waitpid");
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void clean_up(const Stage &stage, const Contestant &contestant) {
  if (contestant.is_floor) return stage.remove_cgroups();
  (void)run_command(stage.command(contestant, {"delete", "--force", passing_id}), stage.streams());
  reap_orphans();
  (void)stage.streams().take_errors();
}

Words container(const Stage &stage, const Contestant &contestant) {
  if (!contestant.is_floor) {
    return stage.command(contestant, {"run", "--bundle", stage.bundle(contestant, Bundle::passing), passing_id});
  }
  Words words = {contestant.program};
  words.insert(words.end(), contestant.options.begin(), contestant.options.end());
  words.insert(words.end(), {stage.rootfs(), "/bin/true"});
  return words;
}

// The command goes into the cgroup before it is what it is to be. A cgroup for each: what one left to the kernel to
// clean up would count for the next.
Result<bool> run_inside(const Stage &stage, const Contestant &contestant, std::uint64_t limit) {
  const MemoryGroup group = TRY(MemoryGroup::make(stage.memory_hierarchy()));
  TRY(group.limit(limit));
  Words words = {stage.busybox(), "sh", "-c", R"(echo 0 >"$0" && exec "$@")", group.procs()};
  const Words command = container(stage, contestant);
  words.insert(words.end(), command.begin(), command.end());
  const bool succeeded = TRY(succeeds(stage, words));
  group.kill_all();
  if (!succeeded) clean_up(stage, contestant);
  return succeeded;
}

Result<bool> run_limited(const Stage &stage, const Contestant &contestant, std::uint64_t limit) {
  TRY(stage.write(contestant, Bundle::passing, 0, limit));
  const bool succeeded = TRY(succeeds(stage, container(stage, contestant)));
  if (!succeeded) clean_up(stage, contestant);
  return succeeded;
}

bool has_memory_controller() {
  std::ifstream file("/sys/fs/cgroup/cgroup.controllers");
  std::string name;
  while (file >> name) {
    if (name == "memory") return true;
  }
  return std::filesystem::exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");
}

Status measure(const Stage &stage, SmallestLimits &one, const volatile int &interrupted) {
  if (MemoryGroup::make(stage.memory_hierarchy())) {
    const auto attempt = [&](std::uint64_t limit) { return run_inside(stage, one.contestant, limit); };
    one.command_kib = TRY(bisect(attempt, interrupted));
  }
  if (one.contestant.is_floor || !has_memory_controller()) return {};
  const auto attempt = [&](std::uint64_t limit) { return run_limited(stage, one.contestant, limit); };
  const Result<std::uint64_t> found = bisect(attempt, interrupted);
  TRY(stage.write(one.contestant, Bundle::passing, 0));
  one.config_kib = TRY(found);
  return {};
}

std::string shown(std::uint64_t number) { return number == 0 ? "" : std::to_string(number); }

}  // namespace

std::vector<SmallestLimits> measure_limits(const Stage &stage, const std::vector<Contestant> &contestants,
                                           const volatile int &interrupted) {
  std::vector<SmallestLimits> all;
  for (const Contestant &contestant : contestants) {
    all.push_back({.contestant = contestant, .failure = {}});
    const Status measured = measure(stage, all.back(), interrupted);
    if (!measured) all.back().failure = measured.error().message();
  }
  return all;
}

std::string print_limits(const std::vector<SmallestLimits> &all) {
  std::string out =
      "The smallest memory limit, KiB, under which `run` of /bin/true succeeds: of a cgroup around the whole command, "
      "and\n"
      "of the config, where the cgroups have the memory controller:\n\n"
      "| program | command | config |\n|---|---:|---:|\n";
  for (const SmallestLimits &one : all) {
    out += fmt::format("| {} | {} | {} |{}\n", one.contestant.name, shown(one.command_kib), shown(one.config_kib),
                       one.failure.empty() ? "" : " " + one.failure + " |");
  }
  return out;
}

}  // namespace skiff::bench
