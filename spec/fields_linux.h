// The members of linux, for Reader and Writer: their names, and the clause that describes them.
#pragma once

#include <span>

#include "spec/config.h"
#include "spec/fields_resources.h"
#include "spec/fields_seccomp.h"
#include "spec/reader.h"

namespace skiff::spec {

constexpr std::span<const std::string_view> names_of(NamespaceType /*type*/) { return namespace_type_names; }

void fields(auto &v, Like<IdMapping> auto &mapping) {
  v.clause("config-linux.md, User namespace mappings");
  v.required("containerID", mapping.container_id);
  v.required("hostID", mapping.host_id);
  v.required("size", mapping.size);
}

void fields(auto &v, Like<Namespace> auto &entry) {
  v.required("type", entry.type);
  v.optional("path", entry.path);
}

void fields(auto &v, Like<Device> auto &device) {
  v.required("path", device.path);
  v.required("type", device.type);
  v.always("major", device.major);
  v.always("minor", device.minor);
  v.optional("fileMode", device.file_mode);
  v.optional("uid", device.uid);
  v.optional("gid", device.gid);
}

void fields(auto &v, Like<NetDevice> auto &device) { v.optional("name", device.name); }

void fields(auto &v, Like<IntelRdt> auto &rdt) {
  v.optional("closID", rdt.clos_id);
  v.optional("schemata", rdt.schemata);
  v.optional("l3CacheSchema", rdt.l3_cache_schema);
  v.optional("memBwSchema", rdt.mem_bw_schema);
  v.optional("enableMonitoring", rdt.enable_monitoring);
}

void fields(auto &v, Like<MemoryPolicy> auto &policy) {
  v.required("mode", policy.mode);
  v.optional("nodes", policy.nodes);
  v.optional("flags", policy.flags);
}

void fields(auto &v, Like<Personality> auto &personality) {
  v.required("domain", personality.domain);
  v.optional("flags", personality.flags);
}

void fields(auto &v, Like<TimeOffset> auto &offset) {
  v.optional("secs", offset.secs);
  v.optional("nanosecs", offset.nanosecs);
}

void fields(auto &v, Like<Linux> auto &linux_) {
  v.clause("config-linux.md, User namespace mappings");
  v.optional("uidMappings", linux_.uid_mappings);
  v.optional("gidMappings", linux_.gid_mappings);
  v.clause("config-linux.md, Sysctl");
  v.optional("sysctl", linux_.sysctl);
  v.clause("config-linux.md, Control groups");
  v.optional("resources", linux_.resources);
  v.optional("cgroupsPath", linux_.cgroups_path);
  v.clause("config-linux.md, Namespaces");
  v.optional("namespaces", linux_.namespaces);
  v.clause("config-linux.md, Devices");
  v.optional("devices", linux_.devices);
  v.clause("config-linux.md, Network Devices");
  v.optional("netDevices", linux_.net_devices);
  v.clause("config-linux.md, Seccomp");
  v.unless_blank("seccomp", linux_.seccomp, "defaultAction", "syscalls");
  v.clause("config-linux.md, Rootfs Mount Propagation");
  v.optional("rootfsPropagation", linux_.rootfs_propagation);
  v.clause("config-linux.md, Masked Paths");
  v.optional("maskedPaths", linux_.masked_paths);
  v.clause("config-linux.md, Readonly Paths");
  v.optional("readonlyPaths", linux_.readonly_paths);
  v.clause("config-linux.md, Mount Label");
  v.optional("mountLabel", linux_.mount_label);
  v.clause("config-linux.md, IntelRdt");
  v.optional("intelRdt", linux_.intel_rdt);
  v.clause("config-linux.md, Memory policy");
  v.optional("memoryPolicy", linux_.memory_policy);
  v.clause("config-linux.md, Personality");
  v.optional("personality", linux_.personality);
  v.clause("config-linux.md, Offset for Time Namespace");
  v.optional("timeOffsets", linux_.time_offsets);
}

}  // namespace skiff::spec
