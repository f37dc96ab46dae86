#include "runtime/cgroup_stats.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "runtime/cgroup_file.h"
#include "runtime/kernel/path.h"

namespace skiff {
namespace {

using Dir = kernel::FdView;

// Statistics are read while the container runs and ends: a file that is not there counts nothing.
std::string text_of(Dir dir, const std::string &file) { return read_cgroup_file(dir, file).value_or(std::string()); }
std::uint64_t number_of(Dir dir, const std::string &file) {
  return parse_cgroup_number(text_of(dir, file)).value_or(0);
}

// ---- both versions ----

double parse_average(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
PressureLine parse_pressure_line(std::string_view line) {
  PressureLine out;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (key == "avg10") out.avg10 = parse_average(value);
    if (key == "avg60") out.avg60 = parse_average(value);
    if (key == "avg300") out.avg300 = parse_average(value);
    if (key == "total") out.total = parse_cgroup_number(value).value_or(0);
  }
  return out;
}

// Empty where the kernel keeps none (built without PSI, or booted with psi=0: EOPNOTSUPP).
std::optional<Pressure> read_pressure(Dir dir, const std::string &file) {
  const std::string text = text_of(dir, file);
  if (text.empty()) return std::nullopt;
  Pressure out;
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    if (line->starts_with("some")) out.some = parse_pressure_line(*line);
    if (line->starts_with("full")) out.full = parse_pressure_line(*line);
  }
  return out;
}

void read_pids(Dir dir, Stats &out) {
  out.pids_current = number_of(dir, "pids.current");
  const std::uint64_t limit = number_of(dir, "pids.max");
  out.pids_limit = limit == UINT64_MAX ? 0 : limit;
}

std::map<std::string, std::uint64_t> read_keys(Dir dir, const std::string &file) {
  std::map<std::string, std::uint64_t> out;
  const std::string text = text_of(dir, file);
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::string_view key = next_word(*line);
    const std::optional<std::uint64_t> value = parse_cgroup_number(next_word(*line));
    if (value) out.emplace(key, *value);
  }
  return out;
}

std::uint64_t value_of(const std::map<std::string, std::uint64_t> &keys, const std::string &key) {
  const auto found = keys.find(key);
  return found == keys.end() ? 0 : found->second;
}

// The page sizes whose files are there: hugetlb.2MB.current, hugetlb.2MB.limit_in_bytes.
std::vector<std::string> page_sizes(Dir dir, std::string_view suffix) {
  std::vector<std::string> out;
  for (const std::string &name : kernel::list_directory(dir).value_or(std::vector<std::string>{})) {
    constexpr std::string_view prefix = "hugetlb.";
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.find(".rsvd.") != std::string::npos) continue;
    out.push_back(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
  }
  return out;
}

// ---- v2 ----

void read_cpu_v2(Dir dir, CpuStats &out) {
  const auto keys = read_keys(dir, "cpu.stat");
  out.total = value_of(keys, "usage_usec") * 1000;
  out.user = value_of(keys, "user_usec") * 1000;
  out.kernel = value_of(keys, "system_usec") * 1000;
  out.periods = value_of(keys, "nr_periods");
  out.throttled_periods = value_of(keys, "nr_throttled");
  out.throttled_time = value_of(keys, "throttled_usec") * 1000;
  out.pressure = read_pressure(dir, "cpu.pressure");
}

MemoryUsage read_memory_usage_v2(Dir dir, const std::string &name) {
  return {.limit = number_of(dir, name + ".max"),
          .usage = number_of(dir, name + ".current"),
          .max = number_of(dir, name + ".peak"),  // Linux 5.19, for swap 6.5
          .failcnt = 0};
}

void read_memory_v2(Dir dir, MemoryStats &out) {
  out.raw = read_keys(dir, "memory.stat");
  out.cache = value_of(out.raw, "file");
  out.usage = read_memory_usage_v2(dir, "memory");
  out.swap = read_memory_usage_v2(dir, "memory.swap");
  // Callers know v1's number, memory and swap together; the two peaks were not at the same time.
  out.swap.usage += out.usage.usage;
  out.swap.limit = out.swap.limit > UINT64_MAX - out.usage.limit ? UINT64_MAX : out.swap.limit + out.usage.limit;
  out.swap.max = 0;
  out.pressure = read_pressure(dir, "memory.pressure");
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0"
void read_io_v2(Dir dir, BlockIoStats &out) {
  const std::string text = text_of(dir, "io.stat");
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::string_view device = next_word(*line);
    const std::size_t colon = device.find(':');
    if (colon == std::string_view::npos) continue;
    BlockIoEntry entry{.major = parse_cgroup_number(device.substr(0, colon)).value_or(0),
                       .minor = parse_cgroup_number(device.substr(colon + 1)).value_or(0),
                       .op = {},
                       .value = 0};
    for (std::string_view word = next_word(*line); !word.empty(); word = next_word(*line)) {
      const std::size_t equals = word.find('=');
      const std::string_view key = word.substr(0, equals);
      const bool read = key == "rbytes" || key == "rios";
      if (equals == std::string_view::npos || (!read && key != "wbytes" && key != "wios")) continue;
      entry.op = read ? "Read" : "Write";
      entry.value = parse_cgroup_number(word.substr(equals + 1)).value_or(0);
      (key.ends_with("bytes") ? out.service_bytes : out.serviced).push_back(entry);
    }
  }
  out.pressure = read_pressure(dir, "io.pressure");
}

void read_hugetlb_v2(Dir dir, Stats &out) {
  for (const std::string &size : page_sizes(dir, ".current")) {
    const std::string prefix = "hugetlb." + size;
    // Reservations count where the kernel counts them (Linux 5.7), as the limit does.
    const Result<std::uint64_t> reserved = read_cgroup_number(dir, prefix + ".rsvd.current");
    out.hugetlb[size] = {.usage = reserved ? *reserved : number_of(dir, prefix + ".current"),
                         .max = 0,
                         .failcnt = find_key(text_of(dir, prefix + ".events"), "max").value_or(0)};
  }
}

void read_v2(Dir dir, Stats &out) {
  read_cpu_v2(dir, out.cpu);
  read_memory_v2(dir, out.memory);
  read_pids(dir, out);
  read_io_v2(dir, out.block_io);
  read_hugetlb_v2(dir, out);
}

// ---- v1 ----

std::vector<std::uint64_t> read_numbers(Dir dir, const std::string &file) {
  std::vector<std::uint64_t> out;
  const std::string text = text_of(dir, file);
  std::string_view rest = text;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    out.push_back(parse_cgroup_number(word).value_or(0));
  }
  return out;
}

// cpuacct.usage_all (Linux 4.7): a header, then "CPU USER SYSTEM" in nanoseconds.
void read_per_cpu_modes(Dir dir, CpuStats &out) {
  const std::string text = text_of(dir, "cpuacct.usage_all");
  std::string_view rest = text;
  next_line(rest);
  while (std::optional<std::string_view> line = next_line(rest)) {
    next_word(*line);
    out.per_cpu_user.push_back(parse_cgroup_number(next_word(*line)).value_or(0));
    out.per_cpu_kernel.push_back(parse_cgroup_number(next_word(*line)).value_or(0));
  }
}

void read_cpuacct(Dir dir, CpuStats &out) {
  out.total = number_of(dir, "cpuacct.usage");
  out.per_cpu = read_numbers(dir, "cpuacct.usage_percpu");
  read_per_cpu_modes(dir, out);
  // Ticks of USER_HZ.
  const auto keys = read_keys(dir, "cpuacct.stat");
  const auto tick = static_cast<std::uint64_t>(1'000'000'000 / std::max(::sysconf(_SC_CLK_TCK), 1L));
  out.user = value_of(keys, "user") * tick;
  out.kernel = value_of(keys, "system") * tick;
}

void read_cpu_v1(Dir dir, CpuStats &out) {
  const auto keys = read_keys(dir, "cpu.stat");
  out.periods = value_of(keys, "nr_periods");
  out.throttled_periods = value_of(keys, "nr_throttled");
  out.throttled_time = value_of(keys, "throttled_time");
}

// "0-2,5"
std::vector<std::uint16_t> parse_list(std::string_view text) {
  std::vector<std::uint16_t> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t dash = part.find('-');
    const std::uint64_t first = parse_cgroup_number(part.substr(0, dash)).value_or(UINT16_MAX);
    const std::uint64_t last =
        dash == std::string_view::npos ? first : parse_cgroup_number(part.substr(dash + 1)).value_or(0);
    for (std::uint64_t i = first; i <= last && i < UINT16_MAX; ++i) out.push_back(static_cast<std::uint16_t>(i));
  }
  return out;
}

void read_cpuset(Dir dir, CpusetStats &out) {
  out.cpus = parse_list(text_of(dir, "cpuset.cpus"));
  out.mems = parse_list(text_of(dir, "cpuset.mems"));
  out.cpu_exclusive = number_of(dir, "cpuset.cpu_exclusive");
  out.mem_hardwall = number_of(dir, "cpuset.mem_hardwall");
  out.mem_exclusive = number_of(dir, "cpuset.mem_exclusive");
  out.memory_migrate = number_of(dir, "cpuset.memory_migrate");
  out.memory_spread_page = number_of(dir, "cpuset.memory_spread_page");
  out.memory_spread_slab = number_of(dir, "cpuset.memory_spread_slab");
  out.memory_pressure = number_of(dir, "cpuset.memory_pressure");
  out.sched_load_balance = number_of(dir, "cpuset.sched_load_balance");
  const std::string level = text_of(dir, "cpuset.sched_relax_domain_level");
  std::from_chars(level.data(), level.data() + level.size(), out.sched_relax_domain_level);
}

MemoryUsage read_memory_usage_v1(Dir dir, const std::string &name) {
  return {.limit = number_of(dir, name + ".limit_in_bytes"),
          .usage = number_of(dir, name + ".usage_in_bytes"),
          .max = number_of(dir, name + ".max_usage_in_bytes"),
          .failcnt = number_of(dir, name + ".failcnt")};
}

void read_memory_v1(Dir dir, MemoryStats &out) {
  out.raw = read_keys(dir, "memory.stat");
  out.cache = value_of(out.raw, "cache");
  out.usage = read_memory_usage_v1(dir, "memory");
  out.swap = read_memory_usage_v1(dir, "memory.memsw");
  out.kernel = read_memory_usage_v1(dir, "memory.kmem");
  out.kernel_tcp = read_memory_usage_v1(dir, "memory.kmem.tcp");
}

// "8:0 Read 4096", "8:0 4096"; the lines of totals have no device.
std::vector<BlockIoEntry> read_block_io_file(Dir dir, const std::string &file) {
  std::vector<BlockIoEntry> out;
  const std::string text = text_of(dir, file);
  std::string_view rest = text;
  while (std::optional<std::string_view> line = next_line(rest)) {
    const std::string_view device = next_word(*line);
    const std::size_t colon = device.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view second = next_word(*line);
    const std::string_view third = next_word(*line);
    out.push_back({.major = parse_cgroup_number(device.substr(0, colon)).value_or(0),
                   .minor = parse_cgroup_number(device.substr(colon + 1)).value_or(0),
                   .op = third.empty() ? std::string() : std::string(second),
                   .value = parse_cgroup_number(third.empty() ? second : third).value_or(0)});
  }
  return out;
}

// Each scheduler has files of its own, and those of a scheduler that does not run are empty: the first that say
// something count.
void read_block_io_v1(Dir dir, BlockIoStats &out) {
  constexpr std::array<std::string_view, 4> bytes = {
      "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
      "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"};
  constexpr std::array<std::string_view, 4> served = {"blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
                                                      "blkio.throttle.io_serviced_recursive",
                                                      "blkio.throttle.io_serviced"};
  for (std::size_t i = 0; i < bytes.size() && out.service_bytes.empty(); ++i) {
    out.service_bytes = read_block_io_file(dir, std::string(bytes[i]));
    out.serviced = read_block_io_file(dir, std::string(served[i]));
  }
  // Kept by BFQ with CONFIG_BFQ_CGROUP_DEBUG, and by CFQ up to Linux 4.20.
  auto first_of = [&](const std::string &name) {
    std::vector<BlockIoEntry> found = read_block_io_file(dir, "blkio.bfq." + name);
    return found.empty() ? read_block_io_file(dir, "blkio." + name) : found;
  };
  out.queued = first_of("io_queued_recursive");
  out.service_time = first_of("io_service_time_recursive");
  out.wait_time = first_of("io_wait_time_recursive");
  out.merged = first_of("io_merged_recursive");
  out.time = first_of("time_recursive");
  out.sectors = first_of("sectors_recursive");
}

void read_hugetlb_v1(Dir dir, Stats &out) {
  for (const std::string &size : page_sizes(dir, ".limit_in_bytes")) {
    std::string prefix = "hugetlb." + size;
    if (read_cgroup_number(dir, prefix + ".rsvd.usage_in_bytes")) prefix += ".rsvd";
    out.hugetlb[size] = {.usage = number_of(dir, prefix + ".usage_in_bytes"),
                         .max = number_of(dir, prefix + ".max_usage_in_bytes"),
                         .failcnt = number_of(dir, prefix + ".failcnt")};
  }
}

void read_v1(const Cgroup &cgroup, Stats &out) {
  if (const auto *level = cgroup.find_file("cpuacct.usage", false)) read_cpuacct(level->fd, out.cpu);
  if (const auto *level = cgroup.find_file("cpu.shares", false)) read_cpu_v1(level->fd, out.cpu);
  if (const auto *level = cgroup.find_file("cpuset.cpus", false)) read_cpuset(level->fd, out.cpuset);
  if (const auto *level = cgroup.find_file("memory.limit_in_bytes", false)) read_memory_v1(level->fd, out.memory);
  if (const auto *level = cgroup.find_file("pids.current", false)) read_pids(level->fd, out);
  if (const auto *level = cgroup.find_file("blkio.reset_stats", false)) read_block_io_v1(level->fd, out.block_io);
  for (const Cgroup::Level &level : cgroup.levels()) {
    if (level.fd.valid() && !level.unified) read_hugetlb_v1(level.fd, out);
  }
}

}  // namespace

Result<Stats> read_stats(const Cgroup &cgroup) {
  Stats out;
  if (cgroup.paths().empty()) {
    return fail("the container has no cgroup to read statistics from", "run where this user may make cgroups");
  }
  if (cgroup.levels().size() == 1 && cgroup.levels().front().unified) {
    read_v2(cgroup.levels().front().fd, out);
  } else {
    read_v1(cgroup, out);
  }
  return out;
}

}  // namespace skiff
