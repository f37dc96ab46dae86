// config-linux.md, Control groups, Cgroups Path and Cgroup ownership.
#include <errno.h>
#include <fmt/format.h>

#include <algorithm>

#include "conformance/cases/tables.h"
#include "conformance/leavings.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

// The container's process is in that group of some hierarchy.
Verdict expect_member(Stage &stage, const std::string &cgroup) {
  const std::string pid = std::to_string(TRY(stage.pid()));
  for (const std::string &directory : find_cgroups(cgroup)) {
    const std::string members = "\n" + TRY(read_file(directory + "/cgroup.procs"));
    if (members.find("\n" + pid + "\n") != std::string::npos) return {};
  }
  return miss(fmt::format("the container's process: expected in {} of a hierarchy, saw {}", cgroup,
                          TRY(read_file(fmt::format("/proc/{}/cgroup", pid)))));
}

Verdict absolute(Stage &stage) {
  TRY(stage.created());
  return expect_member(stage, stage.cgroup());
}

Verdict relative(Stage &stage) {
  // Where it leads is the runtime's choice; that the container runs is not.
  // One name without a parent: a runtime removes the group that it was told of, and may leave those above it.
  std::string name = stage.cgroup().substr(1);
  std::ranges::replace(name, '/', '-');
  stage.config.set("/linux/cgroupsPath", name);
  (void)TRY(stage.observed());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  return {};
}

Verdict same_place_again(Stage &stage) {
  for (int round = 0; round < 2; ++round) {
    TRY(stage.created());
    TRY(expect_member(stage, stage.cgroup()));
    TRY(stage.succeed({"kill", stage.id(), "KILL"}));
    (void)TRY(stage.ended());
    TRY(stage.succeed({"delete", stage.id()}));
  }
  return {};
}

Verdict default_path(Stage &stage) {
  stage.config.remove("/linux/cgroupsPath");
  (void)TRY(stage.observed());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  return {};
}

Verdict frozen(Stage &stage) {
  const std::string freezer = find_hierarchy("freezer");
  const std::string root = freezer.empty() ? find_hierarchy("pids") : freezer;
  if (root.empty()) return skip("no hierarchy here can freeze");
  const std::string group = root + stage.cgroup();
  const Status parent = make_directory(group.substr(0, group.rfind('/')));
  if (!parent && parent.error().number != EEXIST) return miss(parent.error().message());
  TRY(make_directory(group));
  TRY(write_file(group + (freezer.empty() ? "/cgroup.freeze" : "/freezer.state"), freezer.empty() ? "1" : "FROZEN"));
  // A runtime need not look; one that does not look must not hand over a container that never runs.
  if (TRY(stage.create()).code != 0) return {};
  TRY(stage.succeed({"start", stage.id()}));
  (void)TRY(in("after create in a frozen cgroup succeeded", stage.line()));
  return {};
}

Verdict writable_mount(Stage &stage) {
  // A cgroup mount that can be written is where a runtime hands the group to the container's user.
  stage.config.set("/mounts/-", R"({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                                    "options": ["nosuid", "noexec", "nodev"]})"_json);
  TRY(make_directory(stage.rootfs() + "/sys/fs"));
  TRY(make_directory(stage.rootfs() + "/sys/fs/cgroup"));
  stage.config.set("/process/user/uid", 1000);
  stage.inside("observe", {"list:/sys/fs/cgroup"});
  const Tree seen = TRY(stage.observed());
  return expect(!seen.texts("/probes/0/value").empty(), "/sys/fs/cgroup", "the container's groups", "nothing");
}

constexpr Case table[] = {
    {"cgroups/absolute-path-counts-from-the-mount-point", "linux.cgroupsPath.absolute", absolute},
    {"cgroups/relative-path-works", "linux.cgroupsPath.consistent", relative},
    {"cgroups/the-same-path-is-the-same-place", "linux.cgroupsPath.consistent", same_place_again},
    {"cgroups/without-a-path", "runtime.lifecycle.environment", default_path},
    {"cgroups/a-frozen-group-fails", "linux.cgroup.fit", frozen},
    {"cgroups/a-writable-mount-works", "linux.cgroup.owner.missing-files", writable_mount},
};

}  // namespace

std::span<const Case> cgroup_cases() { return table; }

}  // namespace skiff::conformance
