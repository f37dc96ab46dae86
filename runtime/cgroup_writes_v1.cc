// The files of cgroup v1: Documentation/admin-guide/cgroup-v1 of the kernel.
#include "runtime/cgroup_writes.h"

namespace skiff {
namespace {

void add_memory(const spec::Memory &memory, CgroupWrites &out) {
  // The kernel keeps memory+swap at or above memory at every instant; which of the two must move first depends on
  // what is there now, so the one that is refused is tried again.
  if (asked(memory.limit)) {
    out.add("memory", "memory.limit", "memory.limit_in_bytes", fmt::to_string(*memory.limit)).interdependent = true;
  }
  if (asked(memory.swap)) {
    CgroupWrite &write = out.add("memory", "memory.swap", "memory.memsw.limit_in_bytes", fmt::to_string(*memory.swap));
    write.interdependent = true;
    write.ignore_missing = *memory.swap == -1;
  } else if (memory.limit && *memory.limit == -1) {
    // Memory without limit and memory+swap with one cannot be.
    CgroupWrite &write = out.add("memory", "memory.limit", "memory.memsw.limit_in_bytes", "-1");
    write.interdependent = true;
    write.ignore_missing = true;
  }
  if (asked(memory.reservation)) {
    out.add("memory", "memory.reservation", "memory.soft_limit_in_bytes", fmt::to_string(*memory.reservation));
  }
  if (memory.disable_oom_killer.value_or(false)) {
    out.add("memory", "memory.disableOOMKiller", "memory.oom_control", "1");
  }
  if (memory.swappiness) {
    if (*memory.swappiness > 100) {
      out.refuse("memory.swappiness", fmt::format("{} is out of range", *memory.swappiness), "use 0 to 100");
    }
    out.add("memory", "memory.swappiness", "memory.swappiness", fmt::to_string(*memory.swappiness));
  }
}

void add_shares(std::uint64_t shares, CgroupWrites &out) {
  // The kernel clamps without a word (MIN_SHARES, MAX_SHARES in kernel/sched).
  if (shares < 2 || shares > 262144) {
    out.refuse("cpu.shares", fmt::format("{} is out of range", shares), "use 2 to 262144, or 0 to leave it");
  }
  out.add("cpu", "cpu.shares", "cpu.shares", fmt::to_string(shares));
}

void add_cpu(const spec::Cpu &cpu, CgroupWrites &out) {
  // An idle group has the least weight there is, and the kernel refuses to set another.
  if (cpu.idle) out.add("cpu", "cpu.idle", "cpu.idle", fmt::to_string(*cpu.idle));
  if (asked(cpu.shares) && !asked(cpu.idle)) add_shares(*cpu.shares, out);
  if (asked(cpu.period)) {
    out.add("cpu", "cpu.period", "cpu.cfs_period_us", fmt::to_string(*cpu.period)).interdependent = true;
  }
  if (asked(cpu.quota)) {
    out.add("cpu", "cpu.quota", "cpu.cfs_quota_us", fmt::to_string(*cpu.quota)).interdependent = true;
  }
  if (cpu.burst) {
    CgroupWrite &write = out.add("cpu", "cpu.burst", "cpu.cfs_burst_us", fmt::to_string(*cpu.burst));
    write.interdependent = true;
    write.ignore_missing = *cpu.burst == 0;  // Linux 5.14
  }
  if (asked(cpu.realtime_period)) {
    out.add("cpu", "cpu.realtimePeriod", "cpu.rt_period_us", fmt::to_string(*cpu.realtime_period)).interdependent =
        true;
  }
  if (asked(cpu.realtime_runtime)) {
    out.add("cpu", "cpu.realtimeRuntime", "cpu.rt_runtime_us", fmt::to_string(*cpu.realtime_runtime)).interdependent =
        true;
  }
  add_cpuset(cpu, out);
}

void add_throttle(const std::vector<spec::ThrottleDevice> &devices, std::string_view field, std::string_view file,
                  CgroupWrites &out) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    out.add("blkio", fmt::format("blockIO.{}[{}]", field, i), file,
            fmt::format("{}:{} {}", devices[i].major, devices[i].minor, devices[i].rate));
  }
}

void add_block_io(const spec::BlockIo &io, CgroupWrites &out) {
  // blkio.weight went with the CFQ scheduler (Linux 5.0); BFQ has its own.
  if (asked(io.weight)) {
    const std::string value = fmt::to_string(*io.weight);
    out.add("blkio", "blockIO.weight", "blkio.weight", value).fallbacks = {{"blkio.bfq.weight", value}};
  }
  if (asked(io.leaf_weight)) {
    out.add("blkio", "blockIO.leafWeight", "blkio.leaf_weight", fmt::to_string(*io.leaf_weight));
  }
  for (std::size_t i = 0; i < io.weight_device.size(); ++i) {
    const spec::WeightDevice &device = io.weight_device[i];
    const std::string field = fmt::format("blockIO.weightDevice[{}]", i);
    if (asked(device.weight)) {
      const std::string value = fmt::format("{}:{} {}", device.major, device.minor, *device.weight);
      out.add("blkio", field, "blkio.weight_device", value).fallbacks = {{"blkio.bfq.weight_device", value}};
    }
    if (asked(device.leaf_weight)) {
      out.add("blkio", field, "blkio.leaf_weight_device",
              fmt::format("{}:{} {}", device.major, device.minor, *device.leaf_weight));
    }
  }
  add_throttle(io.throttle_read_bps_device, "throttleReadBpsDevice", "blkio.throttle.read_bps_device", out);
  add_throttle(io.throttle_write_bps_device, "throttleWriteBpsDevice", "blkio.throttle.write_bps_device", out);
  add_throttle(io.throttle_read_iops_device, "throttleReadIOPSDevice", "blkio.throttle.read_iops_device", out);
  add_throttle(io.throttle_write_iops_device, "throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", out);
}

void add_network(const spec::NetworkResources &network, CgroupWrites &out) {
  if (asked(network.class_id)) {
    out.add("net_cls", "network.classID", "net_cls.classid", fmt::to_string(*network.class_id));
  }
  for (std::size_t i = 0; i < network.priorities.size(); ++i) {
    const spec::InterfacePriority &entry = network.priorities[i];
    out.add("net_prio", fmt::format("network.priorities[{}]", i), "net_prio.ifpriomap",
            fmt::format("{} {}", entry.name, entry.priority));
  }
}

}  // namespace

void add_writes_v1(const spec::Resources &resources, CgroupWrites &out) {
  if (resources.cpu) add_cpu(*resources.cpu, out);
  if (resources.memory) add_memory(*resources.memory, out);
  if (resources.pids && resources.pids->limit) {
    out.add("pids", "pids.limit", "pids.max", print_pids_limit(*resources.pids->limit));
  }
  if (resources.block_io) add_block_io(*resources.block_io, out);
  add_hugepages(resources.hugepage_limits, "limit_in_bytes", out);
  if (resources.network) add_network(*resources.network, out);
  add_rdma(resources, out);
  if (!resources.unified.empty()) {
    out.refuse(fmt::format("unified.{}", resources.unified.begin()->first),
               "invalid configuration: these are files of cgroup v2, and this host's controllers are on cgroup v1",
               "use memory, cpu, pids and blockIO instead");
  }
}

}  // namespace skiff
