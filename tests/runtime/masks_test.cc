#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/kernel/process.h"
#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

Verdict make_null(Stage &stage) {
  MakeDevice null{.path = "/dev/null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3};
  NEED_OK(stage.apply(null, "default devices"));
  return {};
}

dev_t device_of(const std::string &path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_dev : 0;
}

dev_t number_of(const std::string &path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode) ? status.st_rdev : 0;
}

// ---- config-linux.md, "Masked Paths" ----

TEST(Masks, DirectoriesShareOneEmptyReadonlyTmpfs) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    for (const char *name : {"/one", "/other"}) {
      ::mkdir(stage.rootfs_path(name).c_str(), 0755);
      write_whole(stage.rootfs_path(name) + "/secret", "1");
      NEED_OK(stage.apply(MaskPath{name}));
      NEED(filesystem_of(stage.rootfs_path(name)) == TMPFS_MAGIC);
      NEED((flags_of(stage.rootfs_path(name)) & ST_RDONLY) != 0);
      NEED(std::filesystem::is_empty(stage.rootfs_path(name)));
    }
    NEED(device_of(stage.rootfs_path("/one")) == device_of(stage.rootfs_path("/other")));
    NEED_OK(stage.apply(MaskPath{"/one"}));
    return {};
  }));
}

TEST(Masks, AFileReadsAsNull) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    if (Verdict made = make_null(stage); !made.empty()) return made;
    for (const char *name : {"/one", "/other"}) {
      write_whole(stage.rootfs_path(name), "secret");
      NEED_OK(stage.apply(MaskPath{name}));
      NEED(number_of(stage.rootfs_path(name)) == makedev(1, 3));
    }
    return {};
  }));
}

TEST(Masks, APathThatIsNotThereNeedsNoMask) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/file"), "");
    NEED_OK(stage.apply(MaskPath{"/none"}));
    NEED_OK(stage.apply(MaskPath{"/file/below"}));
    NEED_OK(stage.apply(MakeReadonly{"/none"}));
    NEED(!exists(stage.rootfs_path("/none")));
    return {};
  }));
}

// CVE-2023-27561: what the rootfs calls /proc is exchanged for a link once the procfs is there.
TEST(Masks, WhatIsProtectedInProcIsFoundInTheProcfsThatWasMounted) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/proc").c_str(), 0755);
    MountStep proc{};
    proc.type = proc.source = "proc";
    proc.destination = "/proc";
    // What is a mount point here can be renamed where it is none: in a mount namespace that was there before.
    kernel::Pipe go = kernel::pipe2().value();
    kernel::Child other = kernel::clone3({.flags = CLONE_NEWNS}).value();
    if (other.is_this_process()) {
      char byte = 0;
      go.write.reset();
      (void)!::read(go.read.get(), &byte, 1);
      const bool renamed = ::rename(stage.rootfs_path("/proc").c_str(), stage.rootfs_path("/moved").c_str()) == 0;
      ::_exit(renamed && ::symlink("/elsewhere", stage.rootfs_path("/proc").c_str()) == 0 ? 0 : 1);
    }
    NEED_OK(stage.apply(proc));
    go.write.reset();
    NEED(other.wait()->shell_code() == 0);
    NEED_OK(stage.apply(MakeReadonly{"/proc/sys"}));
    NEED_OK(stage.apply(MaskPath{"/proc/fs"}));
    NEED((flags_of(stage.rootfs_path("/moved/sys")) & ST_RDONLY) != 0);
    NEED(filesystem_of(stage.rootfs_path("/moved/fs")) == TMPFS_MAGIC);
    return {};
  }));
}

// CVE-2025-31133
TEST(Masks, ANullThatIsNoNullDeviceIsAnError) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/dev").c_str(), 0755);
    write_whole(stage.rootfs_path("/kcore"), "secret");
    NEED(::symlink("/proc/sys/kernel/core_pattern", stage.rootfs_path("/dev/null").c_str()) == 0);
    NEED(!stage.apply(MaskPath{"/kcore"}));
    NEED(::unlink(stage.rootfs_path("/dev/null").c_str()) == 0);
    write_whole(stage.rootfs_path("/dev/null"), "");
    const auto done = stage.apply(MaskPath{"/kcore"});
    NEED(!done && done.error().text.find("not the null device") != std::string::npos);
    NEED(!is_mounted(stage.rootfs_path("/kcore")));
    return {};
  }));
}

TEST(Masks, ALinkLeadsNowhereOnTheHost) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/victim").c_str(), 0755);
    NEED(::symlink(stage.host("/victim").c_str(), stage.rootfs_path("/link").c_str()) == 0);
    NEED(::symlink("../host/victim", stage.rootfs_path("/relative").c_str()) == 0);
    for (const char *name : {"/link", "/relative"}) {
      NEED_OK(stage.apply(MaskPath{name}));
      NEED_OK(stage.apply(MakeReadonly{name}));
    }
    NEED(!is_mounted(stage.host("/victim")));
    return {};
  }));
}

// ---- config-linux.md, "Readonly Paths" ----

TEST(Masks, AReadonlyPathKeepsItsContentsItsFlagsAndTheMountsBelow) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    const std::string data = stage.rootfs_path("/data");
    ::mkdir(data.c_str(), 0755);
    NEED(::mount("tmpfs", data.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "") == 0);
    write_whole(data + "/file", "1");
    ::mkdir((data + "/below").c_str(), 0755);
    NEED(::mount("tmpfs", (data + "/below").c_str(), "tmpfs", 0, "") == 0);
    NEED_OK(stage.apply(MakeReadonly{"/data"}));
    NEED((flags_of(data) & (ST_RDONLY | ST_NOSUID | ST_NODEV)) == (ST_RDONLY | ST_NOSUID | ST_NODEV));
    NEED(read_whole(data + "/file") == "1" && is_mounted(data + "/below"));
    return {};
  }));
}

TEST(Masks, WithoutMountSetattrAReadonlyPathIsRemounted) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!forget_mount_setattr()) return "skip: no seccomp filter";
    ::mkdir(stage.rootfs_path("/data").c_str(), 0755);
    NEED_OK(stage.apply(MakeReadonly{"/data"}));
    NEED((flags_of(stage.rootfs_path("/data")) & ST_RDONLY) != 0);
    NEED_OK(stage.apply(RootReadonly{}));
    NEED((flags_of(stage.rootfs_path()) & ST_RDONLY) != 0);
    return {};
  }));
}

}  // namespace
}  // namespace skiff::testing
