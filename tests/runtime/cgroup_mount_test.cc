#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/kernel/mount.h"
#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::write_whole;

MountStep cgroup_mount() {
  MountStep step;
  step.kind = MountStep::Kind::cgroup;
  step.type = "cgroup";
  step.source = "cgroup";
  step.destination = "/sys/fs/cgroup";
  step.attributes.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY;
  return step;
}

// config-linux.md, "Control groups": a v1 host gives one mount a hierarchy, and a link for each controller of a shared
// one. The directories stand for hierarchies here: without a cgroup namespace they are bound.
TEST(CgroupMount, EachHierarchyOfV1IsBoundAndLinked) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    for (const char *name : {"/cpu,cpuacct", "/cpu,cpuacct/ID", "/memory", "/memory/ID"}) {
      ::mkdir(stage.host(name).c_str(), 0755);
    }
    write_whole(stage.host("/memory/ID/mine"), "");
    stage.plan.cgroup.directories = {
        {.mount = stage.host("/cpu,cpuacct"), .path = stage.host("/cpu,cpuacct/ID"), .controllers = {"cpu", "cpuacct"}},
        {.mount = stage.host("/memory"), .path = stage.host("/memory/ID"), .controllers = {"memory"}},
        {.mount = stage.host("/unified"),
         .path = stage.host("/unified/ID"),
         .controllers = {},
         .unified = false,
         .optional = true}};
    NEED_OK(stage.apply(cgroup_mount()));
    const std::string at = stage.rootfs_path("/sys/fs/cgroup");
    NEED(filesystem_of(at) == TMPFS_MAGIC && (flags_of(at) & ST_RDONLY) != 0);
    NEED(exists(at + "/memory/mine") && (flags_of(at + "/memory") & ST_RDONLY) != 0);
    NEED(is_mounted(at + "/cpu,cpuacct") && exists(at + "/cpu/.") && exists(at + "/cpuacct/."));
    NEED(!exists(at + "/unified"));
    return {};
  }));
}

TEST(CgroupMount, WithACgroupNamespaceEachHierarchyOfTheHostIsMountedAnew) {
  EXPECT_STAGED(on_stage(CLONE_NEWCGROUP, [](Stage &stage) -> Verdict {
    if (filesystem_of("/sys/fs/cgroup") != TMPFS_MAGIC) return "skip: no cgroup v1 here";
    MountStep step = cgroup_mount();
    step.attributes.set = MOUNT_ATTR_NOSUID;
    stage.plan.launch.joins = {
        {.field = "linux.namespaces[0]", .flag = CLONE_NEWCGROUP, .path = "/proc/self/ns/cgroup"}};
    NEED_OK(stage.apply(step));  // with no directories in the plan: cgroups are disabled
    const std::string at = stage.rootfs_path("/sys/fs/cgroup");
    bool any = false;
    for (const char *name : {"/memory", "/pids", "/devices", "/freezer"}) {
      if (filesystem_of("/sys/fs/cgroup" + std::string(name)) != CGROUP_SUPER_MAGIC) continue;
      any = true;
      NEED(filesystem_of(at + name) == CGROUP_SUPER_MAGIC);
    }
    NEED(any);
    return {};
  }));
}

TEST(CgroupMount, V2IsMountedAnewInItsNamespaceAndBoundWhereThatIsRefused) {
  EXPECT_STAGED(before_attach(CLONE_NEWCGROUP, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/v2").c_str(), 0755);
    if (::mount("cgroup2", stage.host("/v2").c_str(), "cgroup2", 0, "") != 0) return "skip: no cgroup2 here";
    if (Verdict attached = stage.attach_rootfs(); !attached.empty()) return attached;
    stage.plan.cgroup.unified = true;
    stage.plan.cgroup.directories = {
        {.mount = stage.host("/v2"), .path = stage.host("/v2"), .controllers = {}, .unified = true}};
    NEED_OK(stage.apply(cgroup_mount()));
    const std::string at = stage.rootfs_path("/sys/fs/cgroup");
    NEED(filesystem_of(at) == CGROUP2_SUPER_MAGIC && (flags_of(at) & ST_RDONLY) != 0);
    return {};
  }));
}

// CVE-2023-25809
TEST(CgroupMount, WithoutACgroupNamespaceRootOfAUserNamespaceGetsItReadonly) {
  EXPECT_STAGED(before_attach(0, [](Stage &outer) -> Verdict {
    ::mkdir(outer.host("/v2").c_str(), 0755);
    if (::mount("cgroup2", outer.host("/v2").c_str(), "cgroup2", 0, "") != 0) return "skip: no cgroup2 here";
    return run_isolated(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> Verdict {
      if (Verdict attached = outer.attach_rootfs(); !attached.empty()) return attached;
      outer.plan.launch.new_namespaces = CLONE_NEWUSER;
      outer.plan.cgroup.directories = {
          {.mount = outer.host("/v2"), .path = outer.host("/v2/none"), .controllers = {}, .unified = true}};
      MountStep step = cgroup_mount();
      step.attributes.set = 0;
      NEED_OK(outer.apply(step));
      const std::string at = outer.rootfs_path("/sys/fs/cgroup");
      NEED(is_mounted(at) && (flags_of(at) & ST_RDONLY) != 0);
      return {};
    });
  }));
}

}  // namespace
}  // namespace skiff::testing
