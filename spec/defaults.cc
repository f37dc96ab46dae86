#include "spec/config.h"

namespace skiff::spec {

namespace {

Process make_default_process() {
  const std::vector<std::string> kept = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  Process process;
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  process.cwd = "/";
  process.capabilities =
      Capabilities{.bounding = kept, .effective = kept, .inheritable = {}, .permitted = kept, .ambient = {}};
  process.rlimits = {{.type = "RLIMIT_NOFILE", .hard = 1024, .soft = 1024}};
  process.no_new_privileges = true;
  return process;
}

Mount make_mount(std::string destination, std::string type, std::string source, std::vector<std::string> options) {
  Mount mount;
  mount.destination = std::move(destination);
  mount.type = std::move(type);
  mount.source = std::move(source);
  mount.options = std::move(options);
  return mount;
}

std::vector<Mount> make_default_mounts() {
  return {
      make_mount("/proc", "proc", "proc", {}),
      make_mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      make_mount("/dev/pts", "devpts", "devpts",
                 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      make_mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      make_mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      make_mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      make_mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
  };
}

Linux make_default_linux() {
  Linux linux_;
  for (const NamespaceType type : {NamespaceType::pid, NamespaceType::network, NamespaceType::ipc, NamespaceType::uts,
                                   NamespaceType::mount, NamespaceType::cgroup}) {
    linux_.namespaces.push_back({.type = type, .path = {}});
  }
  DeviceCgroup deny_all;
  deny_all.access = "rwm";
  linux_.resources.emplace().devices = {deny_all};
  linux_.masked_paths = {"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
                         "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                         "/sys/firmware",       "/proc/scsi"};
  linux_.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return linux_;
}

bool names_an_id(const std::string &option) { return option.starts_with("gid=") || option.starts_with("uid="); }

}  // namespace

Config make_default_config() {
  Config config;
  config.oci_version = "1.3.0";
  config.process = make_default_process();
  config.root = Root{.path = "rootfs", .readonly = true};
  config.hostname = "skiff";
  config.mounts = make_default_mounts();
  config.linux_ = make_default_linux();
  config.has_linux = true;
  return config;
}

Config make_rootless_config(std::uint32_t uid, std::uint32_t gid) {
  return make_rootless(make_default_config(), uid, gid);
}

Config make_container_config() {
  Config config = make_default_config();
  const std::vector<std::string> kept = {"CAP_AUDIT_WRITE",      "CAP_CHOWN",     "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                                         "CAP_FSETID",           "CAP_KILL",      "CAP_MKNOD",        "CAP_NET_RAW",
                                         "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",       "CAP_SETPCAP",
                                         "CAP_SETUID",           "CAP_SYS_CHROOT"};
  Process &process = *config.process;
  process.capabilities =
      Capabilities{.bounding = kept, .effective = kept, .inheritable = {}, .permitted = kept, .ambient = {}};
  process.terminal = false;
  process.rlimits.clear();
  config.root->readonly = false;
  return config;
}

Config make_rootless(Config config, std::uint32_t uid, std::uint32_t gid) {
  Linux &linux_ = config.linux_;
  std::erase_if(linux_.namespaces, [](const Namespace &entry) { return entry.type == NamespaceType::network; });
  linux_.namespaces.push_back({.type = NamespaceType::user, .path = {}});
  linux_.uid_mappings = {{.container_id = 0, .host_id = uid, .size = 1}};
  linux_.gid_mappings = {{.container_id = 0, .host_id = gid, .size = 1}};
  linux_.resources.reset();
  for (Mount &mount : config.mounts) {
    // A sysfs of one's own needs a network namespace of one's own: bind the host's.
    if (mount.destination == "/sys")
      mount = make_mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"});
    std::erase_if(mount.options, names_an_id);  // only id 0 is mapped
  }
  return config;
}

}  // namespace skiff::spec
