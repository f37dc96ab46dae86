// The files of cgroup v2: Documentation/admin-guide/cgroup-v2.rst of the kernel. A field that v2 has nothing for is an
// error: "If the conversion is not possible the runtime MUST generate an error" (config-linux.md, "Unified").
#include <cmath>

#include "runtime/cgroup_writes.h"

namespace skiff {
namespace {

constexpr std::string_view no_such_file = "cgroup v2 has no such setting";

// cpu.shares 2..262144 (default 1024) to cpu.weight 1..10000 (default 100): a quadratic curve through the three pairs,
// so that the default stays the default. The linear one of before gave 1024 a weight of 39.
std::uint64_t weight_of_shares(std::uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = std::log2(static_cast<double>(shares));
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0)));
}

// blkio weight 10..1000 to io.weight 1..10000.
std::uint64_t io_weight(std::uint16_t weight) {
  return weight <= 10 ? 1 : 1 + (static_cast<std::uint64_t>(weight) - 10) * 9999 / 990;
}

std::optional<CgroupWrite::Usage> usage_below(const spec::Memory &memory, std::int64_t limit, const char *name) {
  if (!memory.check_before_update.value_or(false)) return {};
  return CgroupWrite::Usage{"memory.current", static_cast<std::uint64_t>(limit), name};
}

// v1 limits memory and swap together, v2 swap alone.
void add_swap(const spec::Memory &memory, CgroupWrites &out) {
  const std::int64_t limit = memory.limit.value_or(0);
  const std::int64_t swap = memory.swap.value_or(0);
  std::string value;
  if (swap < 0 || (swap == 0 && limit == -1)) {
    value = "max";
  } else if (swap == 0) {
    return;
  } else if (limit == -1) {
    value = fmt::to_string(swap);
  } else if (limit <= 0) {
    out.refuse("memory.swap", "it limits memory and swap together, and linux.resources.memory.limit is not given",
               "give linux.resources.memory.limit too");
    return;
  } else if (swap < limit) {
    out.refuse("memory.swap", fmt::format("{} is below linux.resources.memory.limit, {}", swap, limit),
               "it limits memory and swap together: use at least the memory limit");
    return;
  } else {
    value = fmt::to_string(swap - limit);
  }
  // A kernel that does not count swap has no file, and nothing to limit.
  const bool asks_nothing = value == "max" || value == "0";
  CgroupWrite &write = out.add("memory", "memory.swap", "memory.swap.max", std::move(value));
  write.ignore_missing = asks_nothing;
  if (swap > 0) write.usage = usage_below(memory, swap, "memory+swap limit");
}

void add_memory(const spec::Memory &memory, CgroupWrites &out) {
  add_swap(memory, out);
  if (asked(memory.limit)) {
    CgroupWrite &write = out.add("memory", "memory.limit", "memory.max", number_or_max(*memory.limit));
    if (*memory.limit > 0) write.usage = usage_below(memory, *memory.limit, "memory limit");
  }
  if (asked(memory.reservation)) {
    out.add("memory", "memory.reservation", "memory.low", number_or_max(*memory.reservation));
  }
  if (memory.swappiness) {
    out.refuse("memory.swappiness", no_such_file, "leave it out, or set vm.swappiness on the host");
  }
  if (memory.disable_oom_killer.value_or(false)) {
    out.refuse("memory.disableOOMKiller", no_such_file, "leave it out, or set process.oomScoreAdj to -1000");
  }
}

void add_bandwidth(const spec::Cpu &cpu, CgroupWrites &out) {
  if (asked(cpu.quota)) {
    // Without a period the file keeps the one it has.
    std::string value = number_or_max(*cpu.quota);
    if (asked(cpu.period)) value += fmt::format(" {}", *cpu.period);
    out.add("cpu", "cpu.quota", "cpu.max", std::move(value)).interdependent = true;
  } else if (asked(cpu.period)) {
    CgroupWrite &write = out.add("cpu", "cpu.period", "cpu.max", fmt::to_string(*cpu.period));
    write.interdependent = true;
    write.keep_first_word = true;
  }
  if (cpu.burst) {
    CgroupWrite &write = out.add("cpu", "cpu.burst", "cpu.max.burst", fmt::to_string(*cpu.burst));
    write.interdependent = true;
    write.ignore_missing = *cpu.burst == 0;  // Linux 5.14
  }
}

void add_cpu(const spec::Cpu &cpu, CgroupWrites &out) {
  // An idle group has the least weight there is, and the kernel refuses to set another.
  if (cpu.idle) {
    CgroupWrite &write = out.add("cpu", "cpu.idle", "cpu.idle", fmt::to_string(*cpu.idle));
    write.instead_of_weight = asked(cpu.shares) && asked(cpu.idle);
  }
  if (asked(cpu.shares) && !asked(cpu.idle)) {
    out.add("cpu", "cpu.shares", "cpu.weight", fmt::to_string(weight_of_shares(*cpu.shares)));
  }
  add_bandwidth(cpu, out);
  if (asked(cpu.realtime_runtime)) out.refuse("cpu.realtimeRuntime", no_such_file, "leave it out");
  if (asked(cpu.realtime_period)) out.refuse("cpu.realtimePeriod", no_such_file, "leave it out");
  add_cpuset(cpu, out);
}

void add_throttle(const std::vector<spec::ThrottleDevice> &devices, std::string_view field, std::string_view key,
                  CgroupWrites &out) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    out.add("io", fmt::format("blockIO.{}[{}]", field, i), "io.max",
            fmt::format("{}:{} {}={}", devices[i].major, devices[i].minor, key, devices[i].rate));
  }
}

void add_block_io(const spec::BlockIo &io, CgroupWrites &out) {
  if (asked(io.weight)) {
    out.add("io", "blockIO.weight", "io.bfq.weight", fmt::to_string(*io.weight)).fallbacks = {
        {"io.weight", fmt::to_string(io_weight(*io.weight))}};
  }
  if (asked(io.leaf_weight)) out.refuse("blockIO.leafWeight", no_such_file, "leave it out");
  for (std::size_t i = 0; i < io.weight_device.size(); ++i) {
    const spec::WeightDevice &device = io.weight_device[i];
    const std::string field = fmt::format("blockIO.weightDevice[{}]", i);
    if (asked(device.leaf_weight)) out.refuse(field + ".leafWeight", no_such_file, "leave it out");
    if (!asked(device.weight)) continue;
    out.add("io", field, "io.bfq.weight", fmt::format("{}:{} {}", device.major, device.minor, *device.weight))
        .fallbacks = {{"io.weight", fmt::format("{}:{} {}", device.major, device.minor, io_weight(*device.weight))}};
  }
  add_throttle(io.throttle_read_bps_device, "throttleReadBpsDevice", "rbps", out);
  add_throttle(io.throttle_write_bps_device, "throttleWriteBpsDevice", "wbps", out);
  add_throttle(io.throttle_read_iops_device, "throttleReadIOPSDevice", "riops", out);
  add_throttle(io.throttle_write_iops_device, "throttleWriteIOPSDevice", "wiops", out);
}

// Written last, so that what is given in v2's own words wins over what was converted.
void add_unified(const spec::StringMap &files, CgroupWrites &out) {
  for (const auto &[file, value] : files) {
    const std::string field = fmt::format("unified.{}", file);
    const std::size_t dot = file.find('.');
    if (dot == std::string::npos || dot == 0 || file.find('/') != std::string::npos) {
      out.refuse(field, "this is not the name of a cgroup v2 file", "use CONTROLLER.PARAMETER, like memory.high");
      continue;
    }
    // io.max and its like take one device a write.
    std::string_view rest = value;
    do {
      const std::size_t end = rest.find('\n');
      out.add(file.substr(0, dot), field, file, std::string(rest.substr(0, end)));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    } while (!rest.empty());
  }
}

}  // namespace

void add_writes_v2(const spec::Resources &resources, CgroupWrites &out) {
  if (resources.cpu) add_cpu(*resources.cpu, out);
  if (resources.memory) add_memory(*resources.memory, out);
  if (resources.pids && resources.pids->limit) {
    out.add("pids", "pids.limit", "pids.max", print_pids_limit(*resources.pids->limit));
  }
  if (resources.block_io) add_block_io(*resources.block_io, out);
  add_hugepages(resources.hugepage_limits, "max", out);
  if (resources.network && asked(resources.network->class_id)) {
    out.refuse("network.classID", no_such_file, "leave it out, and match on the cgroup in nftables");
  }
  if (resources.network && !resources.network->priorities.empty()) {
    out.refuse("network.priorities", no_such_file, "leave it out, and match on the cgroup in nftables");
  }
  add_rdma(resources, out);
  add_unified(resources.unified, out);
}

}  // namespace skiff
