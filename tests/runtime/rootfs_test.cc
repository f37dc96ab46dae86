#include "runtime/rootfs.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/kernel/mount.h"
#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

Verdict expect_refused(Stage &stage, int number) {
  const auto proc = stage.attach_rootfs();
  NEED(!proc.empty());
  const auto done = skiff::apply(AttachRootfs{.path = stage.plan.rootfs, .parent_propagation = 0}, *stage.rootfs);
  NEED(!done && done.error().number == number && !done.error().remedy.empty());
  return {};
}

// ---- config.md, "Root" ----

TEST(RootfsMount, ARootfsThatIsMissingAFileOrALinkIsAnErrorWithARemedy) {
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    ::rmdir(stage.rootfs_path().c_str());
    if (Verdict missing = expect_refused(stage, ENOENT); !missing.empty()) return missing;
    write_whole(stage.rootfs_path(), "");
    if (Verdict file = expect_refused(stage, ENOTDIR); !file.empty()) return file;
    ::unlink(stage.rootfs_path().c_str());
    NEED(::symlink("host", stage.rootfs_path().c_str()) == 0);
    return expect_refused(stage, ELOOP);
  }));
}

TEST(RootfsMount, WithoutMountSetattrItIsAttachedAsWell) {
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    if (!forget_mount_setattr()) return "skip: no seccomp filter";
    if (Verdict attached = stage.attach_rootfs(); !attached.empty()) return attached;
    NEED_OK(stage.apply(SetPropagation{.propagation = MS_SLAVE, .recursive = true}));
    NEED(is_mounted(stage.rootfs_path()));
    return {};
  }));
}

TEST(RootfsMount, NothingOfASharedParentReachesThePeers) {
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    const std::string host = stage.host("");
    // The stage's tmpfs, shared and bound a second time: what is attached to one peer would show on the other.
    const std::string directory = host.substr(0, host.size() - 5);
    NEED(::mount("", directory.c_str(), "", MS_SHARED, "") == 0);
    NEED(::mount(directory.c_str(), host.c_str(), "", MS_BIND, "") == 0);
    if (Verdict attached = stage.attach_rootfs(); !attached.empty()) return attached;
    NEED(is_mounted(stage.rootfs_path()) && !is_mounted(host + "/rootfs"));
    return {};
  }));
}

TEST(RootfsMount, ReadonlyIsForTheRootAloneAndNotForItsMounts) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step;
    step.type = "tmpfs";
    step.destination = "/tmp";
    NEED_OK(stage.apply(step));
    NEED_OK(stage.apply(RootReadonly{}));
    NEED((flags_of(stage.rootfs_path()) & ST_RDONLY) != 0);
    NEED((flags_of(stage.rootfs_path("/tmp")) & ST_RDONLY) == 0);
    NEED((flags_of(stage.host("")) & ST_RDONLY) == 0);
    return {};
  }));
}

// ---- the change of root ----

Verdict expect_inside(Stage &stage) {
  NEED(read_whole("/marker") == "inside");
  std::string directory(64, '\0');
  NEED(::getcwd(directory.data(), directory.size()) != nullptr && directory.c_str() == std::string("/"));
  NEED(!exists(stage.host("")));
  // The descriptors of before lead to the same root, and steps after it work.
  ::mkdir("/masked", 0755);
  NEED_OK(stage.apply(MaskPath{"/masked"}));
  NEED((flags_of("/masked") & ST_RDONLY) != 0);
  return {};
}

TEST(ChangeOfRoot, PivotLeavesNothingOfTheOldRoot) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    NEED_OK(stage.apply(PivotRoot{.way = PivotRoot::Way::pivot}));
    if (Verdict inside = expect_inside(stage); !inside.empty()) return inside;
    const auto table = stage.rootfs->proc.read_file("self/mountinfo");
    NEED_OK(table);
    NEED(std::ranges::count(*table, '\n') == 2);  // the root and the mask
    NEED_OK(stage.apply(SetRootPropagation{.propagation = MS_SHARED}));
    return {};
  }));
}

TEST(ChangeOfRoot, PivotWorksInAUserNamespace) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    NEED_OK(stage.apply(PivotRoot{.way = PivotRoot::Way::pivot}));
    return expect_inside(stage);
  }));
}

// runc's --no-pivot: a complete procfs that stays reachable would let the container mount one without masks.
TEST(ChangeOfRoot, MoveHidesTheHostsProcAndSys) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    NEED_OK(stage.apply(PivotRoot{.way = PivotRoot::Way::move}));
    if (Verdict inside = expect_inside(stage); !inside.empty()) return inside;
    const auto own = stage.rootfs->proc.read_file("self/mountinfo");
    NEED_OK(own);
    NEED(own->find(" - proc ") == std::string::npos && own->find(" - sysfs ") == std::string::npos);
    return {};
  }));
}

TEST(ChangeOfRoot, MoveCoversWhatAUserNamespaceMayNotUnmount) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    NEED_OK(stage.apply(PivotRoot{.way = PivotRoot::Way::move}));
    return expect_inside(stage);
  }));
}

TEST(ChangeOfRoot, ChrootMountsNothing) {
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    auto proc = kernel::Procfs::open_host();
    NEED_OK(proc);
    stage.plan.rootfs = stage.rootfs_path();
    stage.rootfs.emplace(make_rootfs(stage.plan, std::move(*proc)));
    NEED_OK(stage.apply(PivotRoot{.way = PivotRoot::Way::chroot}));
    return expect_inside(stage);
  }));
}

// ---- what the parent opens ----

TEST(Sources, WithoutAUserNamespaceTheParentOpensNone) {
  Plan plan;
  plan.steps.push_back({"root.path", AttachRootfs{.path = "/no/such/directory", .parent_propagation = 0}});
  const auto sources = open_sources(plan);
  ASSERT_OK(sources);
  EXPECT_TRUE(sources->empty());
}

TEST(Sources, WhatInitCannotReachTheParentOpensWithItsFlagsLocked) {
  if (::geteuid() != 0) GTEST_SKIP() << "an unprivileged runtime reaches no more than its container";
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    const std::string secret = stage.host("/secret");
    ::mkdir(secret.c_str(), 0700);
    ::mkdir((secret + "/data").c_str(), 0755);
    NEED(::mount("tmpfs", (secret + "/data").c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0);
    write_whole(secret + "/data/file", "1");
    ::mkdir(stage.host("/open").c_str(), 0755);
    MountStep hidden;
    hidden.kind = MountStep::Kind::bind;
    hidden.source = secret + "/data";
    hidden.destination = "/data";
    MountStep open = hidden;
    open.source = stage.host("/open");
    stage.plan.launch.new_namespaces = CLONE_NEWUSER | CLONE_NEWNS;
    stage.plan.steps = {{"mounts[0] (/data)", hidden}, {"mounts[1] (/open)", open}};
    auto sources = open_sources(stage.plan);
    NEED_OK(sources);
    NEED(sources->size() == 2 && (*sources)[0].valid() && !(*sources)[1].valid());
    return run_isolated(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> Verdict {
      if (Verdict attached = stage.attach_rootfs(); !attached.empty()) return attached;
      stage.rootfs->sources = std::move(*sources);
      NEED_OK(stage.apply(hidden));
      const std::string data = stage.rootfs_path("/data");
      NEED(read_whole(data + "/file") == "1");
      NEED(::mount("", data.c_str(), "", MS_REMOUNT | MS_BIND, "") != 0 && errno == EPERM);
      return {};
    });
  }));
}

TEST(Sources, ARootfsThatInitCannotReachIsPivotedToAllTheSame) {
  if (::geteuid() != 0) GTEST_SKIP() << "an unprivileged runtime reaches no more than its container";
  EXPECT_STAGED(before_attach(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/marker"), "inside");
    const std::string path = stage.rootfs_path();
    ::chmod(path.substr(0, path.rfind('/')).c_str(), 0700);
    stage.plan.launch.new_namespaces = CLONE_NEWUSER | CLONE_NEWNS;
    stage.plan.steps = {{"root.path", AttachRootfs{.path = path, .parent_propagation = MS_PRIVATE}}};
    auto sources = open_sources(stage.plan);
    NEED_OK(sources);
    NEED(sources->size() == 1 && sources->front().valid());
    auto proc = kernel::Procfs::open_host();
    NEED_OK(proc);
    stage.rootfs.emplace(make_rootfs(stage.plan, std::move(*proc), std::move(*sources)));
    // Nobody of the other namespace is root here: 65534 on the host, as most containers' root is a high id.
    if (::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0) return "skip: no other user";
    return run_isolated(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> Verdict {
      NEED(::access(path.c_str(), F_OK) != 0);
      const auto attached = skiff::apply(AttachRootfs{.path = path, .parent_propagation = MS_PRIVATE}, *stage.rootfs);
      NEED_OK(attached);
      NEED_OK(skiff::apply(PivotRoot{.way = PivotRoot::Way::pivot}, *stage.rootfs));
      NEED(read_whole("/marker") == "inside");
      return {};
    });
  }));
}

TEST(Sources, ASourceThatIsMissingIsNamedWithItsField) {
  if (::geteuid() != 0) GTEST_SKIP() << "an unprivileged runtime reaches no more than its container";
  Plan plan;
  plan.launch.new_namespaces = CLONE_NEWUSER;
  MountStep step;
  step.kind = MountStep::Kind::bind;
  step.source = "/no/such/source";
  plan.steps.push_back({"mounts[0] (/data)", step});
  const auto sources = open_sources(plan);
  EXPECT_ERRNO(sources, ENOENT);
  EXPECT_TRUE(sources.error().text.starts_with("mounts[0] (/data): open_tree"));
  EXPECT_FALSE(sources.error().remedy.empty());
}

}  // namespace
}  // namespace skiff::testing
