// The members of linux.resources, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include "spec/config.h"
#include "spec/reader.h"

namespace skiff::spec {

void fields(auto &v, Like<DeviceCgroup> auto &rule) {
  v.clause("config-linux.md, Allowed Device list");
  v.required("allow", rule.allow);
  v.optional("type", rule.type);
  v.optional("major", rule.major);
  v.optional("minor", rule.minor);
  v.optional("access", rule.access);
}

void fields(auto &v, Like<Memory> auto &memory) {
  v.clause("config-linux.md, Memory");
  v.optional("limit", memory.limit);
  v.optional("reservation", memory.reservation);
  v.optional("swap", memory.swap);
  v.optional("kernel", memory.kernel);
  v.optional("kernelTCP", memory.kernel_tcp);
  v.optional("swappiness", memory.swappiness);
  v.optional("disableOOMKiller", memory.disable_oom_killer);
  v.optional("useHierarchy", memory.use_hierarchy);
  v.optional("checkBeforeUpdate", memory.check_before_update);
}

void fields(auto &v, Like<Cpu> auto &cpu) {
  v.clause("config-linux.md, CPU");
  v.optional("shares", cpu.shares);
  v.optional("quota", cpu.quota);
  v.optional("burst", cpu.burst);
  v.optional("period", cpu.period);
  v.optional("realtimeRuntime", cpu.realtime_runtime);
  v.optional("realtimePeriod", cpu.realtime_period);
  v.optional("cpus", cpu.cpus);
  v.optional("mems", cpu.mems);
  v.optional("idle", cpu.idle);
}

void fields(auto &v, Like<Pids> auto &pids) {
  v.clause("config-linux.md, PIDs");
  v.optional("limit", pids.limit);
}

void fields(auto &v, Like<WeightDevice> auto &device) {
  v.required("major", device.major);
  v.required("minor", device.minor);
  v.optional("weight", device.weight);
  v.optional("leafWeight", device.leaf_weight);
}

void fields(auto &v, Like<ThrottleDevice> auto &device) {
  v.required("major", device.major);
  v.required("minor", device.minor);
  v.required("rate", device.rate);
}

void fields(auto &v, Like<BlockIo> auto &block_io) {
  v.clause("config-linux.md, Block IO");
  v.optional("weight", block_io.weight);
  v.optional("leafWeight", block_io.leaf_weight);
  v.optional("weightDevice", block_io.weight_device);
  v.optional("throttleReadBpsDevice", block_io.throttle_read_bps_device);
  v.optional("throttleWriteBpsDevice", block_io.throttle_write_bps_device);
  v.optional("throttleReadIOPSDevice", block_io.throttle_read_iops_device);
  v.optional("throttleWriteIOPSDevice", block_io.throttle_write_iops_device);
}

void fields(auto &v, Like<HugepageLimit> auto &limit) {
  v.clause("config-linux.md, Huge page limits");
  v.required("pageSize", limit.page_size);
  v.required("limit", limit.limit);
}

void fields(auto &v, Like<InterfacePriority> auto &priority) {
  v.required("name", priority.name);
  v.required("priority", priority.priority);
}

void fields(auto &v, Like<NetworkResources> auto &network) {
  v.clause("config-linux.md, Network");
  v.optional("classID", network.class_id);
  v.optional("priorities", network.priorities);
}

void fields(auto &v, Like<Rdma> auto &rdma) {
  v.clause("config-linux.md, RDMA");
  v.optional("hcaHandles", rdma.hca_handles);
  v.optional("hcaObjects", rdma.hca_objects);
}

void fields(auto &v, Like<Resources> auto &resources) {
  v.clause("config-linux.md, Control groups");
  v.optional("devices", resources.devices);
  v.optional("memory", resources.memory);
  v.optional("cpu", resources.cpu);
  v.optional("pids", resources.pids);
  v.optional("blockIO", resources.block_io);
  v.optional("hugepageLimits", resources.hugepage_limits);
  v.optional("network", resources.network);
  v.optional("rdma", resources.rdma);
  v.clause("config-linux.md, Unified");
  v.optional("unified", resources.unified);
}

}  // namespace skiff::spec
