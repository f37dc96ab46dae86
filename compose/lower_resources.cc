#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compose/lower_parts.h"

namespace skiff::compose {
namespace {

constexpr std::int64_t usual_period = 100000;  // microseconds: the kernel's own
// Against a fork bomb; Podman's figure, far above what services need.
constexpr std::int64_t usual_pids = 2048;

Status lower_memory(const Resources &wanted, const HostFacts &host, spec::Resources &resources) {
  spec::Memory memory;
  memory.limit = wanted.memory;
  memory.reservation = wanted.memory_reservation;
  memory.swap = wanted.memory_swap;
  if (wanted.memory_swappiness) memory.swappiness = *wanted.memory_swappiness;
  const std::int64_t limit = wanted.memory.value_or(-1);
  if (memory.swap && *memory.swap > 0 && limit > *memory.swap) {
    return fail(fmt::format("memory_swap: {} is less than the memory limit {}", *memory.swap, limit),
                "it is memory and swap together");
  }
  if (memory.swap && limit <= 0 && *memory.swap > 0) return fail("memory_swap: there is no memory limit", "give one");
  // Docker's default: as much swap as memory.
  const bool doubles = limit > 0 && limit <= std::numeric_limits<std::int64_t>::max() / 2;
  if (!memory.swap && doubles && host.swap_accounting) memory.swap = limit * 2;
  if (memory.reservation && limit > 0 && *memory.reservation > limit) {
    return fail(fmt::format("memory_reservation: {} is more than the memory limit {}", *memory.reservation, limit));
  }
  if (wanted.oom_kill_disable) {
    if (host.cgroup_v2) return fail("oom_kill_disable: cgroup v2 has no such setting", "use oom_score_adj: -1000");
    memory.disable_oom_killer = true;
  }
  const bool said = memory.limit || memory.reservation || memory.swap || memory.swappiness || memory.disable_oom_killer;
  if (said) resources.memory = memory;
  return {};
}

// cgroup v1 has shares: 1024 where v2 has a weight of 100.
std::uint64_t shares_of_weight(std::uint64_t weight) {
  return std::clamp<std::uint64_t>(weight * 1024 / 100, 2, 262144);
}

Status lower_weight(const Resources &wanted, const HostFacts &host, spec::Cpu &cpu, spec::Resources &resources) {
  if (!wanted.cpu_weight) return {};
  if (wanted.cpu_shares) return fail("cpu_weight and cpu_shares say the same in two measures", "leave one of them out");
  if (*wanted.cpu_weight < 1 || *wanted.cpu_weight > 10000) {
    return fail(fmt::format("cpu_weight: {} is not from 1 to 10000", *wanted.cpu_weight));
  }
  if (host.cgroup_v2) {
    resources.unified.insert_or_assign("cpu.weight", fmt::to_string(*wanted.cpu_weight));
  } else {
    cpu.shares = shares_of_weight(*wanted.cpu_weight);
  }
  return {};
}

Status lower_cpu(const Resources &wanted, const HostFacts &host, spec::Resources &resources) {
  spec::Cpu cpu;
  cpu.shares = wanted.cpu_shares;  // the runtime makes a weight of it on v2
  cpu.quota = wanted.cpu_quota;
  cpu.period = wanted.cpu_period;
  cpu.cpus = wanted.cpuset_cpus;
  cpu.mems = wanted.cpuset_mems;
  if (wanted.cpus) {
    if (wanted.cpu_quota || wanted.cpu_period) {
      return fail("cpus and cpu_quota or cpu_period say the same in two measures", "leave one of them out");
    }
    if (!(*wanted.cpus >= 0.01)) {
      return fail(fmt::format("cpus: {} is less than 0.01", *wanted.cpus), "the kernel gives no smaller quota");
    }
    cpu.quota = std::llround(*wanted.cpus * static_cast<double>(usual_period));
    cpu.period = usual_period;
  }
  TRY(lower_weight(wanted, host, cpu, resources));
  if (cpu.shares || cpu.quota || cpu.period || !cpu.cpus.empty() || !cpu.mems.empty()) resources.cpu = cpu;
  return {};
}

Status lower_rates(std::string_view field, const std::vector<ThrottleDevice> &wanted,
                   std::vector<spec::ThrottleDevice> &out) {
  for (const ThrottleDevice &each : wanted) {
    const spec::Device device = TRY(in(field, read_device(each.path)));
    if (device.type != "b") return fail(fmt::format("{}: {} is no block device", field, each.path));
    out.push_back({.major = device.major, .minor = device.minor, .rate = each.rate});
  }
  return {};
}

Status lower_io(const BlockIo &wanted, spec::Resources &resources) {
  spec::BlockIo io;
  io.weight = wanted.weight;
  for (const ThrottleDevice &each : wanted.weight_device) {
    const spec::Device device = TRY(in("blkio_config.weight_device", read_device(each.path)));
    spec::WeightDevice weight;
    weight.major = device.major;
    weight.minor = device.minor;
    weight.weight = static_cast<std::uint16_t>(each.rate);
    io.weight_device.push_back(weight);
  }
  TRY(lower_rates("blkio_config.device_read_bps", wanted.read_bps, io.throttle_read_bps_device));
  TRY(lower_rates("blkio_config.device_write_bps", wanted.write_bps, io.throttle_write_bps_device));
  TRY(lower_rates("blkio_config.device_read_iops", wanted.read_iops, io.throttle_read_iops_device));
  TRY(lower_rates("blkio_config.device_write_iops", wanted.write_iops, io.throttle_write_iops_device));
  const bool said = io.weight || !io.weight_device.empty() || !io.throttle_read_bps_device.empty() ||
                    !io.throttle_write_bps_device.empty() || !io.throttle_read_iops_device.empty() ||
                    !io.throttle_write_iops_device.empty();
  if (said) resources.block_io = io;
  return {};
}

}  // namespace

Status lower_resources(const Service &service, const LowerContext &context, spec::Config &config) {
  spec::Resources resources;
  // The device cgroup is root's.
  if (config.linux_.resources && !context.host->rootless()) resources.devices = config.linux_.resources->devices;
  TRY(lower_memory(service.resources, *context.host, resources));
  TRY(lower_cpu(service.resources, *context.host, resources));
  TRY(lower_io(service.resources.block_io, resources));
  // An ordinary user may have no cgroup to set it in, and has his own limits.
  const bool limits = !context.host->rootless() && !config.linux_.cgroups_path.empty();
  if (service.resources.pids) {
    resources.pids = spec::Pids{.limit = *service.resources.pids > 0 ? *service.resources.pids : -1};
  } else if (limits) {
    resources.pids = spec::Pids{.limit = usual_pids};
  }
  const bool said = !resources.devices.empty() || resources.memory || resources.cpu || resources.block_io ||
                    resources.pids || !resources.unified.empty();
  if (said) {
    config.linux_.resources = std::move(resources);
  } else {
    config.linux_.resources.reset();
  }
  config.linux_.sysctl.insert(service.sysctls.begin(), service.sysctls.end());
  return {};
}

}  // namespace skiff::compose
