// config-linux.md: sysctl, rootfs propagation, masked and read-only paths, personality, memory policy, IntelRdt.
#include <errno.h>
#include <fmt/format.h>
#include <sys/mount.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"
#include "runtime/kernel/mount.h"

namespace skiff::conformance {
namespace {

Verdict sysctl(Stage &stage) {
  stage.config.set("/linux/sysctl", R"({"net.ipv4.ip_forward": "1", "kernel.msgmax": "12345"})"_json);
  stage.inside("observe", {"read:/proc/sys/net/ipv4/ip_forward", "read:/proc/sys/kernel/msgmax"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("net.ipv4.ip_forward", probe_value(seen, 0)->text(), "1\n"));
  return expect_same("kernel.msgmax", probe_value(seen, 1)->text(), "12345\n");
}

// "slave -> master !shared"
Verdict propagation(Stage &stage) {
  const std::string_view variant = stage.variant();
  const std::string mode(variant.substr(0, variant.find(' ')));
  const std::string sign(variant.substr(variant.rfind(' ') + 1));
  stage.config.set("/linux/rootfsPropagation", mode);
  const Tree seen = TRY(stage.observed());
  const std::string shown = mount_at(seen, "/")->text("/propagation");
  if (sign == "nothing") return expect_same("the propagation of the root", shown, "");
  return expect(shown.find(sign) != std::string::npos, "the propagation of the root", sign, shown);
}

Verdict host_mounts_arrive(Stage &stage) {
  const std::string source = stage.path("source");
  TRY(make_directory(source));
  TRY(make_directory(source + "/late"));
  // Propagation reaches only mounts of one peer group.
  TRY(kernel::mount(source, source, "", MS_BIND));
  TRY(kernel::mount("", source, "", MS_SHARED));
  Tree mount = R"({"destination": "/work", "type": "bind", "options": ["rbind", "rslave"]})"_json;
  mount.set("/source", source);
  stage.config.set("/mounts/-", std::move(mount));
  stage.config.set("/linux/rootfsPropagation", "slave");
  stage.inside("observe", {"read:/work/late/file"});
  TRY(stage.created());
  TRY(kernel::mount("late", source + "/late", "tmpfs", 0));
  TRY(write_file(source + "/late/file", "late"));
  TRY(stage.succeed({"start", stage.id()}));
  const Tree seen = TRY(stage.line());
  TRY(kernel::umount2(source + "/late", MNT_DETACH));
  TRY(kernel::umount2(source, MNT_DETACH));
  return expect_same("a file on a mount that the host made later", probe_value(seen, 0)->text(), "late");
}

Verdict memory_policy(Stage &stage) {
  // Asked of the kernel and not of the runtime's words: one that cannot do it must not be excused by saying so.
  if (!exists("/proc/self/numa_maps")) return skip("this kernel has no NUMA");
  stage.config.set("/ociVersion", "1.3.0");
  stage.config.set("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0"})"_json);
  stage.inside("observe", {"read:/proc/self/numa_maps"});
  const Outcome outcome = TRY(stage.create());
  if (outcome.code != 0) return miss("create: " + outcome.summary());
  TRY(stage.succeed({"start", stage.id()}));
  const Tree seen = TRY(stage.line());
  if (probe_errno(seen, 0) != 0) return miss("/proc/self/numa_maps cannot be read in the container");
  const std::string maps = probe_value(seen, 0)->text();
  return expect(maps.find("bind:0") != std::string::npos, "the policy of the program's memory", "bind:0",
                maps.substr(0, maps.find('\n')));
}

Verdict personality(Stage &stage) {
  stage.config.set("/linux/personality", R"({"domain": "LINUX32"})"_json);
  const Tree seen = TRY(stage.observed());
  return expect_number("the personality", seen.number("/personality"), 8);
}

Verdict no_resctrl(Stage &stage) {
  if (exists("/sys/fs/resctrl/schemata")) return skip("resctrl is mounted here");
  stage.config.set("/linux/intelRdt", R"({"closID": "conformance", "schemata": ["MB:0=100"]})"_json);
  return expect_refused(stage, "intelRdt without resctrl");
}

constexpr Case table[] = {
    {"linux/sysctl-is-set", "runtime.create.properties", sysctl},
    {"linux/rootfs-is-shared", "runtime.create.properties", propagation, "shared -> shared:"},
    {"linux/rootfs-is-slave", "runtime.create.properties", propagation, "slave -> master:",
     "runc and crun make the mount below the rootfs private first, so that their root has no master; the section has "
     "mounts of the host arrive"},
    {"linux/rootfs-is-private", "runtime.create.properties", propagation, "private -> nothing"},
    {"linux/rootfs-is-unbindable", "runtime.create.properties", propagation, "unbindable -> unbindable"},
    {"linux/mounts-of-the-host-arrive", "config.mounts.option.rslave", host_mounts_arrive},
    {"linux/memory-policy-is-set", "runtime.create.properties", memory_policy},
    {"linux/personality-is-set", "runtime.create.properties", personality},
    {"linux/intelRdt-without-resctrl-fails", "linux.rdt.available", no_resctrl},
};

Verdict masked(Stage &stage) {
  TRY(make_directory(stage.rootfs() + "/work/directory"));
  TRY(write_file(stage.rootfs() + "/work/directory/file", "secret"));
  TRY(write_file(stage.rootfs() + "/work/file", "secret"));
  stage.config.set("/linux/maskedPaths", R"(["/work/file", "/work/directory", "/no/such/path", "/proc/version"])"_json);
  stage.inside("observe", {"read:/work/file", "list:/work/directory", "read:/proc/version"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("a masked file", probe_value(seen, 0)->text(), ""));
  TRY(expect_same("a masked directory", seen.texts("/probes/1/value"), {}));
  return expect_same("a masked file of proc", probe_value(seen, 2)->text(), "");
}

Verdict read_only(Stage &stage) {
  TRY(make_directory(stage.rootfs() + "/work/directory"));
  TRY(write_file(stage.rootfs() + "/work/file", "text"));
  stage.config.set("/linux/readonlyPaths", R"(["/work/file", "/work/directory", "/no/such/path", "/proc/sys"])"_json);
  stage.inside("observe", {"write:/work/file:x", "create:/work/directory/new", "read:/work/file",
                           "write:/proc/sys/kernel/hostname:x", "create:/work/new"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("errno of a write to a read-only file", probe_errno(seen, 0), EROFS));
  TRY(expect_number("errno of a new file in a read-only directory", probe_errno(seen, 1), EROFS));
  TRY(expect_same("a read-only file", probe_value(seen, 2)->text(), "text"));
  TRY(expect_number("errno of a write below /proc/sys", probe_errno(seen, 3), EROFS));
  return expect_number("errno of a new file beside them", probe_errno(seen, 4), 0);
}

constexpr Case path_table[] = {
    {"paths/masked-cannot-be-read", "runtime.create.properties", masked},
    {"paths/readonly-cannot-be-written", "runtime.create.properties", read_only},
};

}  // namespace

std::span<const Case> linux_cases() { return table; }
std::span<const Case> path_cases() { return path_table; }

}  // namespace skiff::conformance
