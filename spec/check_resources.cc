#include <fmt/format.h>

#include <array>
#include <limits>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 3> rule_types = {"a", "b", "c"};
constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

void check_rules(Checker &c, const Place &at, const std::vector<DeviceCgroup> &rules) {
  c.clause("config-linux.md, Allowed Device list");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const DeviceCgroup &rule = rules[i];
    const Place here = at / i;
    if (!rule.type.empty()) c.known(here / "type", rule.type, rule_types);
    // -1 is written by callers for "any".
    c.in_range(here / "major", rule.major.value_or(-1), -1, std::numeric_limits<std::uint32_t>::max());
    c.in_range(here / "minor", rule.minor.value_or(-1), -1, std::numeric_limits<std::uint32_t>::max());
    // Other letters beside these are without effect, as callers are used to.
    if (!rule.access.empty() && rule.access.find_first_of("rwm") == std::string::npos) {
      c.add(here / "access", fmt::format("{} has none of the letters r, w and m", quote(rule.access)));
    }
  }
}

void check_limit(Checker &c, const Place &place, const std::optional<std::int64_t> &limit) {
  if (limit && *limit < -1) c.add(place, fmt::format("{} is not a limit", *limit), "-1 is unlimited");
}

void check_memory(Checker &c, const Place &at, const Memory &memory) {
  c.clause("config-linux.md, Memory");
  check_limit(c, at / "limit", memory.limit);
  check_limit(c, at / "reservation", memory.reservation);
  check_limit(c, at / "swap", memory.swap);
  check_limit(c, at / "kernel", memory.kernel);
  check_limit(c, at / "kernelTCP", memory.kernel_tcp);
  if (memory.swappiness && *memory.swappiness > 100) {
    c.add(at / "swappiness", fmt::format("{} is out of range: 0 to 100", *memory.swappiness));
  }
  if (memory.limit.value_or(0) > 0 && memory.swap.value_or(0) > 0 && *memory.swap < *memory.limit) {
    c.add(at / "swap", fmt::format("{} is below memory.limit, {}", *memory.swap, *memory.limit),
          "it is the limit of memory and swap together");
  }
}

// sched(7) and the kernel's tg_set_cfs_bandwidth(): quota from 1 ms, period from 1 ms to 1 s. Zero and below leave the
// quota unlimited, a period of zero the default.
void check_bandwidth(Checker &c, const Place &at, const Cpu &cpu) {
  if (cpu.quota.value_or(0) > 0)
    c.in_range(at / "quota", *cpu.quota, 1000, unbounded, "it is in microseconds; -1 is unlimited");
  if (cpu.period.value_or(0) > 0 && (*cpu.period < 1000 || *cpu.period > 1'000'000)) {
    c.add(at / "period", fmt::format("{} is out of range: 1000 to 1000000", *cpu.period), "it is in microseconds");
  }
  if (cpu.quota.value_or(0) > 0 && cpu.burst.value_or(0) > static_cast<std::uint64_t>(*cpu.quota)) {
    c.add(at / "burst", fmt::format("{} is above quota, {}", *cpu.burst, *cpu.quota), "lower it");
  }
  const auto runtime = static_cast<std::uint64_t>(std::max<std::int64_t>(0, cpu.realtime_runtime.value_or(0)));
  if (cpu.realtime_period.value_or(0) > 0 && runtime > *cpu.realtime_period) {
    c.add(at / "realtimeRuntime", fmt::format("{} is above realtimePeriod, {}", runtime, *cpu.realtime_period));
  }
}

void check_cpu(Checker &c, const Place &at, const Cpu &cpu) {
  c.clause("config-linux.md, CPU");
  check_bandwidth(c, at, cpu);
  c.cpu_list(at / "cpus", cpu.cpus);
  c.cpu_list(at / "mems", cpu.mems);
  if (cpu.idle) c.in_range(at / "idle", *cpu.idle, 0, 1);
}

// 0 is written by callers for "leave it".
void check_weight(Checker &c, const Place &place, const std::optional<std::uint16_t> &weight) {
  if (weight.value_or(0) != 0) c.in_range(place, *weight, 10, 1000);
}

void check_numbers(Checker &c, const Place &at, std::int64_t major, std::int64_t minor) {
  c.in_range(at / "major", major, 0, std::numeric_limits<std::uint32_t>::max());
  c.in_range(at / "minor", minor, 0, std::numeric_limits<std::uint32_t>::max());
}

void check_throttle(Checker &c, const Place &at, const std::vector<ThrottleDevice> &devices) {
  for (std::size_t i = 0; i < devices.size(); ++i) check_numbers(c, at / i, devices[i].major, devices[i].minor);
}

void check_block_io(Checker &c, const Place &at, const BlockIo &block_io) {
  c.clause("config-linux.md, Block IO");
  check_weight(c, at / "weight", block_io.weight);
  check_weight(c, at / "leafWeight", block_io.leaf_weight);
  const Place devices = at / "weightDevice";
  for (std::size_t i = 0; i < block_io.weight_device.size(); ++i) {
    const WeightDevice &device = block_io.weight_device[i];
    const Place here = devices / i;
    check_numbers(c, here, device.major, device.minor);
    check_weight(c, here / "weight", device.weight);
    check_weight(c, here / "leafWeight", device.leaf_weight);
    if (!device.weight && !device.leaf_weight) c.add(here, "has neither weight nor leafWeight", "give at least one");
  }
  check_throttle(c, at / "throttleReadBpsDevice", block_io.throttle_read_bps_device);
  check_throttle(c, at / "throttleWriteBpsDevice", block_io.throttle_write_bps_device);
  check_throttle(c, at / "throttleReadIOPSDevice", block_io.throttle_read_iops_device);
  check_throttle(c, at / "throttleWriteIOPSDevice", block_io.throttle_write_iops_device);
}

// The schema's ^[1-9][0-9]*[KMG]B$.
bool is_page_size(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || text[0] == '0') return false;
  const std::string_view unit = text.substr(digits);
  return unit == "KB" || unit == "MB" || unit == "GB";
}

void check_huge_pages(Checker &c, const Place &at, const std::vector<HugepageLimit> &limits) {
  c.clause("config-linux.md, Huge page limits");
  for (std::size_t i = 0; i < limits.size(); ++i) {
    if (is_page_size(limits[i].page_size)) continue;
    c.add(at / i / "pageSize", fmt::format("{} is not the size of a page", quote(limits[i].page_size)),
          "write it as in \"2MB\" or \"1GB\"");
  }
}

void check_unified(Checker &c, const Place &at, const StringMap &unified) {
  c.clause("config-linux.md, Unified");
  for (const auto &[file, value] : unified) {
    if (!file.empty() && file != "." && file != ".." && file.find('/') == std::string::npos) continue;
    c.add(at / file, fmt::format("{} is not the name of a file in the container's cgroup", quote(file)),
          "write it as in \"memory.high\"");
  }
}

}  // namespace

void check_resources(Checker &c, const Place &at, const Resources &resources) {
  check_rules(c, at / "devices", resources.devices);
  if (resources.memory) check_memory(c, at / "memory", *resources.memory);
  if (resources.cpu) check_cpu(c, at / "cpu", *resources.cpu);
  c.clause("config-linux.md, PIDs");
  if (resources.pids) check_limit(c, at / "pids" / "limit", resources.pids->limit);
  if (resources.block_io) check_block_io(c, at / "blockIO", *resources.block_io);
  check_huge_pages(c, at / "hugepageLimits", resources.hugepage_limits);
  c.clause("config-linux.md, Network");
  if (resources.network) {
    const Place network = at / "network";
    const Place priorities = network / "priorities";
    for (std::size_t i = 0; i < resources.network->priorities.size(); ++i) {
      c.present(priorities / i / "name", resources.network->priorities[i].name);
    }
  }
  c.clause("config-linux.md, RDMA");
  for (const auto &[device, rdma] : resources.rdma) {
    if (!rdma.hca_handles && !rdma.hca_objects) {
      c.add(at / "rdma" / device, "has neither hcaHandles nor hcaObjects", "give at least one");
    }
  }
  check_unified(c, at / "unified", resources.unified);
}

}  // namespace skiff::spec
