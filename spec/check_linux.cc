#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 4> device_types = {"c", "b", "u", "p"};
constexpr std::array<std::string_view, 8> propagation_names = {"private", "rprivate", "shared",     "rshared",
                                                               "slave",   "rslave",   "unbindable", "runbindable"};
constexpr std::array<std::string_view, 2> domain_names = {"LINUX", "LINUX32"};
constexpr std::int64_t last_major = (1 << 12) - 1;  // MINORBITS is 20 of 32
constexpr std::int64_t last_minor = (1 << 20) - 1;

void check_device(Checker &c, const Place &at, const Device &device) {
  c.absolute(at / "path", device.path);
  if (c.known(at / "type", device.type, device_types) && device.type != "p") {
    c.in_range(at / "major", device.major, 0, last_major);
    c.in_range(at / "minor", device.minor, 0, last_minor);
  }
  // With or without the bits of the file's type, which mknod(2) takes from `type`.
  if (device.file_mode)
    c.in_range(at / "fileMode", *device.file_mode, 0, 0177777, "JSON numbers are decimal: 0666 is 438");
}

bool same_node(const Device &a, const Device &b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

bool has_newline(std::string_view text) { return text.find('\n') != std::string_view::npos; }

void check_intel_rdt(Checker &c, const Place &at, const IntelRdt &rdt) {
  c.clause("config-linux.md, IntelRdt");
  const std::string_view clos = rdt.clos_id;
  if (clos == "." || clos == ".." || (clos.size() > 1 && clos.find('/') != std::string_view::npos)) {
    c.add(at / "closID", fmt::format("{} is not the name of a directory", quote(clos)),
          "use a plain name, or \"/\" for the root");
  }
  for (std::size_t i = 0; i < rdt.schemata.size(); ++i) {
    if (has_newline(rdt.schemata[i])) c.add(at / "schemata" / i, "holds a newline", "make it two entries");
  }
  if (has_newline(rdt.l3_cache_schema))
    c.add(at / "l3CacheSchema", "holds a newline", "use schemata for several lines");
  if (has_newline(rdt.mem_bw_schema)) {
    c.add(at / "memBwSchema", "holds a newline", "use schemata for several lines");
  } else if (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:")) {
    c.add(at / "memBwSchema", fmt::format("{} does not begin with MB:", quote(rdt.mem_bw_schema)));
  }
}

void check_memory_policy(Checker &c, const Place &at, const MemoryPolicy &policy) {
  c.clause("config-linux.md, Memory policy");
  c.all_known(at / "flags", policy.flags, memory_policy_flag_names);
  c.cpu_list(at / "nodes", policy.nodes);
  if (!c.known(at / "mode", policy.mode, memory_policy_mode_names)) return;
  const bool none = policy.mode == "MPOL_DEFAULT" || policy.mode == "MPOL_LOCAL";
  const bool either = policy.mode == "MPOL_PREFERRED";
  if (none && !policy.nodes.empty()) c.add(at / "nodes", fmt::format("{} takes no nodes", policy.mode), "leave it out");
  if (!none && !either && policy.nodes.empty()) c.add(at / "nodes", fmt::format("is required by {}", policy.mode));
}

// As dev_valid_name() of the kernel's net/core/dev.c has it.
bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() < 16 && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == std::string_view::npos;
}

void check_net_devices(Checker &c, const Place &at, const Linux &linux_) {
  c.clause("config-linux.md, Network Devices");
  const std::string remedy = "at most 15 characters, none of them a slash, a colon or a space";
  for (const auto &[host, device] : linux_.net_devices) {
    const Place here = at / host;
    if (!is_interface_name(host)) c.add(here, fmt::format("{} cannot be an interface's name", quote(host)), remedy);
    if (!device.name.empty() && !is_interface_name(device.name)) {
      c.add(here / "name", fmt::format("{} cannot be an interface's name", quote(device.name)), remedy);
    }
  }
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return false;
}

// Both hierarchies refuse a limit of memory and swap together while memory alone is unlimited.
void check_new_limits(Checker &c, const Place &at, const Resources &resources) {
  c.clause("config-linux.md, Memory");
  if (!resources.memory || resources.memory->swap.value_or(0) <= 0 || resources.memory->limit.value_or(0) > 0) return;
  const Place memory = at / "memory";
  if (c.doubtful(memory / "limit")) return;
  c.add(memory / "swap", "limits memory and swap together, but memory alone is not limited", "set memory.limit too");
}

}  // namespace

void check_devices(Checker &c, const Place &at, const std::vector<Device> &devices) {
  c.clause("config-linux.md, Devices");
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    check_device(c, at / i, devices[i]);
    if (devices[i].path.empty()) continue;
    const auto [before, fresh] = seen.emplace(devices[i].path, i);
    if (fresh || same_node(devices[before->second], devices[i])) continue;
    c.add(at / i / "path",
          fmt::format("{} is given to another device by entry {}", quote(devices[i].path), before->second),
          "keep one of the two");
  }
}

void check_linux(Checker &c, const Place &at, const Linux &linux_) {
  if (linux_.resources) {
    check_resources(c, at / "resources", *linux_.resources);
    check_new_limits(c, at / "resources", *linux_.resources);
  }
  c.clause("config-linux.md, Control groups");
  if (climbs(linux_.cgroups_path)) {
    c.add(at / "cgroupsPath", fmt::format("{} climbs with ..", quote(linux_.cgroups_path)), "write it without ..");
  }
  check_devices(c, at / "devices", linux_.devices);
  check_net_devices(c, at / "netDevices", linux_);
  if (linux_.seccomp) check_seccomp(c, at / "seccomp", *linux_.seccomp);
  c.clause("config-linux.md, Rootfs Mount Propagation");
  if (!linux_.rootfs_propagation.empty())
    c.known(at / "rootfsPropagation", linux_.rootfs_propagation, propagation_names);
  c.clause("config-linux.md, Masked Paths");
  c.all_absolute(at / "maskedPaths", linux_.masked_paths);
  c.clause("config-linux.md, Readonly Paths");
  c.all_absolute(at / "readonlyPaths", linux_.readonly_paths);
  if (linux_.intel_rdt) check_intel_rdt(c, at / "intelRdt", *linux_.intel_rdt);
  if (linux_.memory_policy) check_memory_policy(c, at / "memoryPolicy", *linux_.memory_policy);
  c.clause("config-linux.md, Personality");
  if (linux_.personality) c.known(at / "personality" / "domain", linux_.personality->domain, domain_names);
}

}  // namespace skiff::spec
