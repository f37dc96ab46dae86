// The fields of `linux` that stand or fall with this kernel and this machine: namespaces, sysctls, devices, nodes.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/cgroup_file.h"
#include "runtime/credentials.h"
#include "runtime/host_check_parts.h"
#include "runtime/intel_rdt.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/sysctl.h"

namespace skiff {
namespace {

// ---- namespaces ----

struct NamespaceKind {
  const char *name;   // in /proc/PID/ns, and in user.max_NAME_namespaces
  int flag;           // CLONE_NEW*
  const char *needs;  // of the kernel
};

// Indexed by spec::NamespaceType; namespaces(7).
constexpr std::array<NamespaceKind, 8> kinds = {{{"pid", CLONE_NEWPID, "CONFIG_PID_NS"},
                                                 {"net", CLONE_NEWNET, "CONFIG_NET_NS"},
                                                 {"mnt", CLONE_NEWNS, "CONFIG_NAMESPACES"},
                                                 {"ipc", CLONE_NEWIPC, "CONFIG_IPC_NS"},
                                                 {"uts", CLONE_NEWUTS, "CONFIG_UTS_NS"},
                                                 {"user", CLONE_NEWUSER, "CONFIG_USER_NS"},
                                                 {"cgroup", CLONE_NEWCGROUP, "CONFIG_CGROUPS and Linux 4.6"},
                                                 {"time", CLONE_NEWTIME, "CONFIG_TIME_NS and Linux 5.6"}}};

const NamespaceKind &kind_of(spec::NamespaceType type) { return kinds[static_cast<std::size_t>(type)]; }
std::string_view name_of(spec::NamespaceType type) {
  return spec::namespace_type_names[static_cast<std::size_t>(type)];
}

std::optional<std::uint64_t> read_number(const HostChecker &c, const std::string &file) {
  const Result<std::string> text = c.proc().read_file(file);
  if (!text) return std::nullopt;
  return parse_cgroup_number(std::string_view(*text).substr(0, text->find('\n')));
}

// user.max_*_namespaces is a limit for each user; 0 turns that namespace off.
void check_new_namespace(HostChecker &c, std::size_t index, spec::NamespaceType type) {
  const NamespaceKind &kind = kind_of(type);
  const auto file = kernel::fstatat(c.proc().root(), fmt::format("self/ns/{}", kind.name), AT_SYMLINK_NOFOLLOW);
  const std::string place = at("linux", "namespaces", index, "type");
  if (!file && is_absent(file.error())) {
    return c.add(place, fmt::format("this kernel has no {} namespaces", name_of(type)),
                 fmt::format("leave it out, or use a kernel with {}", kind.needs));
  }
  if (read_number(c, fmt::format("sys/user/max_{}_namespaces", kind.name)) == 0) {
    return c.add(place,
                 fmt::format("user.max_{}_namespaces is 0: no {} namespace can be made here", kind.name, name_of(type)),
                 fmt::format("raise it: sysctl user.max_{}_namespaces=1000", kind.name));
  }
  // A switch of Debian's and Ubuntu's kernels.
  if (type == spec::NamespaceType::user && !c.host().privileged &&
      read_number(c, "sys/kernel/unprivileged_userns_clone") == 0) {
    c.add(place, "kernel.unprivileged_userns_clone is 0: only root makes user namespaces here",
          "set it to 1, or run as root");
  }
  if (type == spec::NamespaceType::user && !c.host().privileged &&
      read_number(c, "sys/kernel/apparmor_restrict_unprivileged_userns") == 1) {
    c.note(
        "kernel.apparmor_restrict_unprivileged_userns is 1: without privileges the runtime needs an AppArmor profile "
        "that allows userns");
  }
}

std::string describe_flag(int flag) {
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (kinds[i].flag == flag) return fmt::format("a namespace of type {}", spec::namespace_type_names[i]);
  }
  return "a namespace of another type";
}

// Only what the filesystem of namespaces has is opened: anything else may act on being opened.
Result<int> namespace_type(const std::string &path) {
  const kernel::Fd there = TRY(kernel::open(path, O_PATH));
  if (TRY(kernel::fstatfs(there)).f_type != NSFS_MAGIC) return 0;
  return kernel::get_namespace_type(TRY(kernel::open(path, O_RDONLY)));
}

void check_joined_namespace(HostChecker &c, std::size_t index, const spec::Namespace &entry) {
  if (!entry.path.starts_with('/')) return;
  const std::string place = at("linux", "namespaces", index, "path");
  const Result<int> type = namespace_type(entry.path);
  if (!type) {
    if (!is_absent(type.error())) return c.note_unseen(entry.path, type.error());
    return c.add(place, fmt::format("{} does not exist", entry.path),
                 "its process or its bind mount is gone: make the namespace again, or give no path for a new one");
  }
  if (*type == kind_of(entry.type).flag) return;
  c.add(place,
        fmt::format("{} is {}, not one of type {}", entry.path,
                    *type == 0 ? std::string("no namespace") : describe_flag(*type), name_of(entry.type)),
        fmt::format("give a path such as /proc/PID/ns/{}", kind_of(entry.type).name));
}

// ---- sysctls ----

// An interface of the container's own network is not there yet: its parameters are those of "default".
std::string without_interface(std::string_view path) {
  for (const std::string_view list : {"sys/net/ipv4/conf/", "sys/net/ipv6/conf/", "sys/net/ipv4/neigh/",
                                      "sys/net/ipv6/neigh/", "sys/net/mpls/conf/"}) {
    if (!path.starts_with(list)) continue;
    const std::size_t end = path.find('/', list.size());
    if (end == std::string_view::npos) break;
    return fmt::format("{}default{}", list, path.substr(end));
  }
  return std::string(path);
}

// ---- the machine ----

// "Inter-| ..." lines, then "  eth0: 0 0 ...".
bool has_interface(std::string_view table, std::string_view name) {
  while (std::optional<std::string_view> line = next_line(table)) {
    line->remove_prefix(std::min(line->find_first_not_of(' '), line->size()));
    if (line->starts_with(name) && line->substr(name.size()).starts_with(':')) return true;
  }
  return false;
}

void check_net_devices(HostChecker &c) {
  const auto &devices = c.config().linux_.net_devices;
  if (devices.empty()) return;
  c.clause("config-linux.md, Network Devices");
  const Result<std::string> table = c.proc().read_file("self/net/dev", std::size_t{16} << 20);
  if (!table) return c.note("the host's network devices were not looked at: " + table.error().message());
  for (const auto &[name, device] : devices) {
    if (has_interface(*table, name)) continue;
    c.add(at("linux", "netDevices", name), fmt::format("the runtime's network namespace has no device {}", name),
          "make it there before the container; `ip link` shows those that there are");
  }
}

void check_resctrl(HostChecker &c) {
  if (!c.config().linux_.intel_rdt) return;
  c.clause("config-linux.md, IntelRdt");
  const Result<std::string> mounted = find_resctrl(c.proc());
  if (!mounted) c.add(at("linux", "intelRdt"), "no resctrl filesystem is mounted", mounted.error().remedy);
}

// The numbers of `wanted` that are not in the list in `file`; nothing where either cannot be read.
std::vector<unsigned> not_listed(std::string_view wanted, kernel::CString file, std::string &listed) {
  const Result<std::string> text = read_host_file(file);
  if (!text) return {};
  listed = text->substr(0, text->find('\n'));
  const Result<std::vector<unsigned>> asked = parse_cpu_list(wanted);
  const Result<std::vector<unsigned>> there = parse_cpu_list(listed);
  if (!asked || !there) return {};
  std::vector<unsigned> out;
  std::ranges::copy_if(*asked, std::back_inserter(out),
                       [&](unsigned number) { return std::ranges::find(*there, number) == there->end(); });
  return out;
}

void check_list(HostChecker &c, std::string pointer, std::string_view what, std::string_view wanted,
                kernel::CString file) {
  std::string listed;
  const std::vector<unsigned> missing = not_listed(wanted, file, listed);
  if (missing.empty()) return;
  c.add(std::move(pointer), fmt::format("{} {} is not online: this machine has {}", what, missing.front(), listed),
        "name only those");
}

constexpr const char *online_nodes = "/sys/devices/system/node/online";
constexpr const char *online_cpus = "/sys/devices/system/cpu/online";

void check_memory_policy(HostChecker &c) {
  const std::optional<spec::MemoryPolicy> &policy = c.config().linux_.memory_policy;
  if (!policy || policy->nodes.empty()) return;
  // These count within the cpuset that the container will have.
  if (std::ranges::find(policy->flags, "MPOL_F_RELATIVE_NODES") != policy->flags.end()) return;
  c.clause("config-linux.md, Memory policy");
  check_list(c, at("linux", "memoryPolicy", "nodes"), "memory node", policy->nodes, online_nodes);
}

// cpuset of v1 refuses what its parent lacks; that of v2 takes it and waits for the processor to appear.
void check_cpuset(HostChecker &c) {
  const std::optional<spec::Resources> &resources = c.config().linux_.resources;
  if (!resources || !resources->cpu || c.host().cgroups == Host::Cgroups::unified) return;
  c.clause("config-linux.md, CPU");
  check_list(c, at("linux", "resources", "cpu", "cpus"), "processor", resources->cpu->cpus, online_cpus);
  check_list(c, at("linux", "resources", "cpu", "mems"), "memory node", resources->cpu->mems, online_nodes);
}

}  // namespace

void check_namespace_support(HostChecker &c) {
  c.clause("config-linux.md, Namespaces");
  const std::vector<spec::Namespace> &namespaces = c.config().linux_.namespaces;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (namespaces[i].path.empty()) {
      check_new_namespace(c, i, namespaces[i].type);
    } else {
      check_joined_namespace(c, i, namespaces[i]);
    }
  }
}

void check_sysctl_files(HostChecker &c) {
  c.clause("config-linux.md, Sysctl");
  for (const auto &[key, value] : c.config().linux_.sysctl) {
    const Result<std::string> file = sysctl_file(key);
    if (!file) continue;  // the rules of the spec name it
    const auto there = c.proc().open_at(without_interface(*file), O_PATH);
    if (there || there.error().number != ENOENT) continue;
    c.add(at("linux", "sysctl", key), fmt::format("there is no /proc/{} on this host", *file),
          "check the name, and that the module it belongs to is loaded");
  }
}

void check_host_hardware(HostChecker &c) {
  check_net_devices(c);
  check_resctrl(c);
  check_memory_policy(c);
  check_cpuset(c);
}

}  // namespace skiff
