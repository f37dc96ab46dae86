// Attacks by what stands in for /proc and /sys, and on what a runtime writes there.
#include <fmt/format.h>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

// The usual protection, less what every host may not have.
void protect(Stage &stage) {
  stage.config.set("/linux/maskedPaths", R"(["/proc/kcore", "/proc/keys"])"_json);
  stage.config.set("/linux/readonlyPaths", R"(["/proc/sys", "/proc/irq"])"_json);
}

// A procfs in the container, wherever it lies, whose /sys is not read-only.
Verdict expect_protected(const Tree &seen) {
  const Tree *mounts = seen.find("/mounts");
  for (const Tree::Member &mount : mounts->members()) {
    if (mount.value.text("/type") != "proc" || mount.value.text("/root") != "/") continue;
    const std::string place = mount.value.text("/destination");
    const Tree *sys = mount_at(seen, place + "/sys");
    if (sys == nullptr || !has_option(sys->text("/options"), "ro")) {
      return miss(fmt::format("the procfs at {} lies open: its sys is writable", place));
    }
  }
  return {};
}

Verdict fake_proc(Stage &stage) {
  TRY(make_directory(stage.path("fake")));
  for (const char *name : {"/self", "/self/attr", "/sys"}) TRY(make_directory(stage.path("fake") + name));
  TRY(write_file(stage.path("fake") + "/self/attr/exec", ""));
  stage.inside("observe", {"list:/proc/self/attr"});
  add_mount(stage, "/proc", stage.variant() == "tmpfs" ? "tmpfs" : "bind", stage.path("fake"),
            stage.variant() == "tmpfs" ? std::vector<std::string>{} : std::vector<std::string>{"bind"});
  const std::optional<Tree> seen = TRY(attempt(stage));
  // What the runtime writes as label would have gone into the file.
  if (seen) return miss("a container runs whose /proc is a volume");
  return {};
}

Verdict linked_proc(Stage &stage) {
  const std::string name = "/" + std::string(stage.variant());
  TRY(kernel::unlinkat(kernel::cwd, stage.rootfs() + name, AT_REMOVEDIR));
  const Victim victim = TRY(Victim::make(stage));
  TRY(victim.mirror_in(stage));
  TRY(make_link(victim.directory(), stage.rootfs() + name));
  protect(stage);
  if (name == "/sys") {
    add_mount(stage, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
    stage.config.set("/linux/maskedPaths/-", "/sys/firmware");
  }
  const std::optional<Tree> seen = TRY(attempt(stage));
  if (!seen) return {};
  TRY(expect_protected(*seen));
  return miss(fmt::format("a container runs whose {} lies where the image's link says", name));
}

// A sysctl that a runtime writes by its path goes into a file of the attacker's choice.
Verdict caught_sysctl(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_directory(stage.path("fake")));
  TRY(make_directory(stage.path("fake") + "/ipv4"));
  if (stage.variant() == "volume") {
    TRY(kernel::linkat(kernel::cwd, victim.file(), kernel::cwd, stage.path("fake") + "/ipv4/ip_forward"));
    add_mount(stage, "/proc/sys/net", "bind", stage.path("fake"), {"bind"});
  } else {  // no procfs at /proc: the image's own files lie there
    stage.config.remove("/mounts/0");
    for (const char *name : {"/proc/sys", "/proc/sys/net", "/proc/sys/net/ipv4"}) {
      TRY(make_directory(stage.rootfs() + name));
    }
    TRY(kernel::linkat(kernel::cwd, victim.file(), kernel::cwd, stage.rootfs() + "/proc/sys/net/ipv4/ip_forward"));
    add_mount(stage, "/work", "proc", "proc");
  }
  stage.config.set("/linux/sysctl", R"({"net.ipv4.ip_forward": "1"})"_json);
  (void)TRY(attempt(stage));
  return victim.untouched();
}

// A mount inside /proc hides what the runtime reads and writes there later.
Verdict mount_inside_proc(Stage &stage) {
  TRY(make_directory(stage.path("fake")));
  add_mount(stage, std::string(stage.variant()), "bind", stage.path("fake"), {"bind"});
  const std::optional<Tree> seen = TRY(attempt(stage));
  if (seen) return miss(fmt::format("a container runs with a volume over {}", stage.variant()));
  return {};
}

// The host's cgroups with a user namespace around the container and no cgroup namespace.
Verdict writable_cgroups(Stage &stage) {
  stage.config.set("/linux/namespaces/-", R"({"type": "user"})"_json);
  const Tree map = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])"_json;
  stage.config.set("/linux/uidMappings", map);
  stage.config.set("/linux/gidMappings", map);
  TRY(kernel::fchownat(kernel::cwd, stage.rootfs(), 100000, 100000));
  for (std::size_t i = 0; i < stage.config.find("/linux/namespaces")->members().size(); ++i) {
    const std::string place = fmt::format("/linux/namespaces/{}", i);
    if (stage.config.text(place + "/type") == "cgroup") stage.config.remove(place);
  }
  add_mount(stage, "/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"});
  add_mount(stage, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  std::vector<std::string> probes;
  std::vector<std::string> made;
  for (const char *hierarchy : {"", "/pids", "/systemd", "/memory"}) {
    made.push_back(fmt::format("/sys/fs/cgroup{}/attack-{}", hierarchy, kernel::getpid()));
    probes.push_back("mkdir:" + made.back());
  }
  stage.inside("observe", probes);
  const std::optional<Tree> seen = TRY(attempt(stage));
  // What the host has of them now is not wanted any longer.
  for (const std::string &path : made) (void)kernel::unlinkat(kernel::cwd, path, AT_REMOVEDIR);
  if (!seen) return {};
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (probe_errno(*seen, i) == 0) return miss(fmt::format("the container made {}", made[i]));
  }
  return {};
}

constexpr Case table[] = {
    {"proc/a-volume-in-its-place", "CVE-2019-16884", fake_proc, "volume"},
    {"proc/a-tmpfs-in-its-place", "CVE-2019-16884", fake_proc, "tmpfs"},
    {"proc/a-link-in-the-image", "CVE-2019-19921 CVE-2023-27561 CVE-2023-28642", linked_proc, "proc"},
    {"sys/a-link-in-the-image", "CVE-2019-19921 CVE-2023-27561 CVE-2023-28642", linked_proc, "sys"},
    {"proc/a-sysctl-into-a-volume", "CVE-2025-52881", caught_sysctl, "volume"},
    {"proc/a-sysctl-into-the-image", "CVE-2025-52881", caught_sysctl, "image"},
    {"proc/a-volume-over-sys", "CVE-2025-52881", mount_inside_proc, "/proc/sys"},
    {"proc/a-volume-over-attr", "CVE-2025-52881 CVE-2025-65105", mount_inside_proc, "/proc/1/attr"},
    {"cgroup/the-hosts-are-writable", "CVE-2023-25809", writable_cgroups},
};

}  // namespace

std::span<const Case> proc_attacks() { return table; }

}  // namespace skiff::conformance
