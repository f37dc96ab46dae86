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

using kernel::testing::read_whole;
using kernel::testing::write_whole;

MountStep new_mount(const std::string &type, const std::string &destination) {
  MountStep step;
  step.type = type;
  step.source = type;
  step.destination = destination;
  return step;
}

MountStep bind_mount(const std::string &source, const std::string &destination) {
  MountStep step;
  step.kind = MountStep::Kind::bind;
  step.source = source;
  step.destination = destination;
  return step;
}

mode_t mode_of(const std::string &path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

// ---- config.md, "Mounts" ----

TEST(Mounts, AFilesystemGetsItsOptionsAndItsTargetIsMade) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = new_mount("tmpfs", "/a/b");
    step.options = {{"size", "65536"}, {"mode", "1711"}};
    step.attributes.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    NEED_OK(stage.apply(step));
    struct statvfs status{};
    NEED(::statvfs(stage.rootfs_path("/a/b").c_str(), &status) == 0);
    NEED(status.f_blocks * status.f_frsize == 65536);
    NEED((status.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) == (ST_NOSUID | ST_NODEV));
    NEED(mode_of(stage.rootfs_path("/a/b")) == 01711);
    return {};
  }));
}

TEST(Mounts, ATmpfsTakesTheModeOfTheDirectoryItCovers) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/tmp").c_str(), 01755);
    NEED_OK(stage.apply(new_mount("tmpfs", "/tmp")));
    NEED(mode_of(stage.rootfs_path("/tmp")) == 01755);
    return {};
  }));
}

TEST(Mounts, AWrongOptionIsNamed) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = new_mount("tmpfs", "/a");
    step.options = {{"sizes", "1"}};
    const auto done = stage.apply(step);
    NEED(!done && done.error().text.find("option sizes=1") != std::string::npos);
    NEED(!is_mounted(stage.rootfs_path("/a")));
    return {};
  }));
}

TEST(Mounts, AnUnknownFilesystemSaysThatTheKernelLacksIt) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    const auto done = stage.apply(new_mount("nosuchfs", "/a"));
    NEED(!done && done.error().number == ENODEV && !done.error().remedy.empty());
    return {};
  }));
}

TEST(Mounts, TheTargetOfABindIsMadeAsItsSourceIs) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/directory").c_str(), 0755);
    write_whole(stage.host("/directory/inside"), "1");
    write_whole(stage.host("/file"), "2");
    NEED_OK(stage.apply(bind_mount(stage.host("/directory"), "/x/y/directory")));
    NEED_OK(stage.apply(bind_mount(stage.host("/file"), "/etc/file")));
    NEED(read_whole(stage.rootfs_path("/x/y/directory/inside")) == "1");
    NEED(read_whole(stage.rootfs_path("/etc/file")) == "2");
    return {};
  }));
}

TEST(Mounts, ASourceThatIsMissingIsAnErrorWithARemedyAndMakesNoTarget) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    const auto done = stage.apply(bind_mount(stage.host("/missing"), "/target"));
    NEED(!done && done.error().number == ENOENT && !done.error().remedy.empty());
    NEED(!exists(stage.rootfs_path("/target")));
    return {};
  }));
}

TEST(Mounts, ADirectoryOnAFileIsAnErrorThatSaysSo) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    write_whole(stage.rootfs_path("/file"), "");
    const auto done = stage.apply(bind_mount(stage.host(""), "/file"));
    NEED(!done && done.error().text.find("the source is a directory") != std::string::npos);
    return {};
  }));
}

TEST(Mounts, AReadonlyBindLeavesTheSourceWritable) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = bind_mount(stage.host(""), "/data");
    step.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
    NEED_OK(stage.apply(step));
    NEED((flags_of(stage.rootfs_path("/data")) & (ST_RDONLY | ST_NOSUID)) == (ST_RDONLY | ST_NOSUID));
    NEED((flags_of(stage.host("")) & ST_RDONLY) == 0);
    return {};
  }));
}

TEST(Mounts, RecursiveReadonlyReachesTheMountsBelow) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/below").c_str(), 0755);
    NEED(::mount("tmpfs", stage.host("/below").c_str(), "tmpfs", 0, "") == 0);
    MountStep plain = bind_mount(stage.host(""), "/plain");
    plain.recursive = true;
    plain.attributes.set = MOUNT_ATTR_RDONLY;
    NEED_OK(stage.apply(plain));
    NEED((flags_of(stage.rootfs_path("/plain/below")) & ST_RDONLY) == 0);
    MountStep all = bind_mount(stage.host(""), "/all");
    all.recursive = true;
    all.recursive_attributes.set = MOUNT_ATTR_RDONLY;
    NEED_OK(stage.apply(all));
    NEED((flags_of(stage.rootfs_path("/all/below")) & ST_RDONLY) != 0);
    return {};
  }));
}

TEST(Mounts, WithoutMountSetattrTheFlagsAreSetByRemount) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    if (!forget_mount_setattr()) return "skip: no seccomp filter";
    NEED(::mount("", stage.host("").c_str(), "", MS_BIND | MS_REMOUNT, "") != 0);  // no mount point of its own yet
    MountStep step = bind_mount(stage.host(""), "/data");
    step.attributes = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, .clear = MOUNT_ATTR_NOEXEC};
    step.propagation = {MS_SHARED};
    NEED_OK(stage.apply(step));
    NEED((flags_of(stage.rootfs_path("/data")) & (ST_RDONLY | ST_NODEV)) == (ST_RDONLY | ST_NODEV));
    NEED(read_whole("/proc/self/mountinfo").find("/data ro,nodev,relatime shared:") != std::string::npos);
    MountStep recursive = bind_mount(stage.host(""), "/all");
    recursive.recursive_attributes.set = MOUNT_ATTR_RDONLY;
    const auto done = stage.apply(recursive);
    NEED(!done && done.error().number == ENOSYS);
    NEED(!is_mounted(stage.rootfs_path("/all")));
    return {};
  }));
}

TEST(Mounts, RemountChangesTheMountThatIsThere) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    NEED_OK(stage.apply(new_mount("tmpfs", "/data")));
    MountStep step;
    step.kind = MountStep::Kind::remount;
    step.destination = "/data";
    step.attributes.set = MOUNT_ATTR_RDONLY;
    NEED_OK(stage.apply(step));
    NEED((flags_of(stage.rootfs_path("/data")) & ST_RDONLY) != 0);
    return {};
  }));
}

TEST(Mounts, AReadonlyTmpfsTakesMountPointsUntilItIsFinished) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = new_mount("tmpfs", "/dev");
    step.attributes.set = MOUNT_ATTR_RDONLY;
    step.superblock_flags = MS_RDONLY;
    step.readonly_last = true;
    NEED_OK(stage.apply(step));
    NEED_OK(stage.apply(new_mount("tmpfs", "/dev/shm")));
    NEED_OK(stage.apply(FinishReadonly{.destination = "/dev"}));
    NEED((flags_of(stage.rootfs_path("/dev")) & ST_RDONLY) != 0);
    NEED((flags_of(stage.rootfs_path("/dev/shm")) & ST_RDONLY) == 0);
    return {};
  }));
}

TEST(Mounts, PropagationIsSetInTheOrderWritten) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    MountStep step = new_mount("tmpfs", "/data");
    step.propagation = {MS_PRIVATE | MS_REC, MS_SHARED};
    NEED_OK(stage.apply(step));
    NEED(read_whole("/proc/self/mountinfo").find("/data rw,relatime shared:") != std::string::npos);
    return {};
  }));
}

TEST(Mounts, NothingGoesOverTheRootfsItself) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    NEED(::symlink("/", stage.rootfs_path("/self").c_str()) == 0);
    NEED(!stage.apply(new_mount("tmpfs", "/")));
    NEED(!stage.apply(new_mount("tmpfs", "/self")));
    return {};
  }));
}

TEST(Mounts, CopySymlinkMakesTheSameLink) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    NEED(::symlink("/usr/share/zone", stage.host("/link").c_str()) == 0);
    MountStep step = bind_mount(stage.host("/link"), "/etc/localtime");
    step.copy_symlink = true;
    NEED_OK(stage.apply(step));
    NEED_OK(stage.apply(step));
    std::string text(64, '\0');
    text.resize(
        static_cast<std::size_t>(::readlink(stage.rootfs_path("/etc/localtime").c_str(), text.data(), text.size())));
    NEED(text == "/usr/share/zone");
    return {};
  }));
}

TEST(Mounts, NofollowMountsALinkOnALink) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    NEED(::symlink("one", stage.host("/link").c_str()) == 0);
    NEED(::symlink("two", stage.rootfs_path("/link").c_str()) == 0);
    MountStep step = bind_mount(stage.host("/link"), "/link");
    step.source_nofollow = step.destination_nofollow = true;
    NEED_OK(stage.apply(step));
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(::readlink(stage.rootfs_path("/link").c_str(), text.data(), text.size())));
    NEED(text == "one");
    return {};
  }));
}

// ---- links in the rootfs: CVE-2019-18837, CVE-2021-30465, CVE-2024-45310 ----

// %h is the host directory.
class HostileTarget : public ::testing::TestWithParam<std::string> {};

TEST_P(HostileTarget, ALinkInTheRootfsLeadsNowhereOnTheHost) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    std::string target = GetParam();
    if (const auto at = target.find("%h"); at != std::string::npos) target.replace(at, 2, stage.host(""));
    ::mkdir(stage.host("/victim").c_str(), 0755);
    NEED(::symlink(target.c_str(), stage.rootfs_path("/data").c_str()) == 0);
    NEED(::symlink("/data", stage.rootfs_path("/chain").c_str()) == 0);
    // Whether a link is refused or resolved inside is one; that the host sees nothing is the point.
    (void)stage.apply(new_mount("tmpfs", "/data"));
    (void)stage.apply(new_mount("tmpfs", "/chain/deeper"));
    (void)stage.apply(bind_mount(stage.host("/victim"), "/data/bound"));
    NEED(!is_mounted(stage.host("/victim")) && !is_mounted(stage.host("")));
    NEED(!exists(stage.host("/victim/deeper")) && !exists(stage.host("/victim/bound")));
    NEED(!exists(stage.host("/deeper")) && !exists(stage.host("/bound")) && !exists(stage.host("/new")));
    return {};
  }));
}
INSTANTIATE_TEST_SUITE_P(Links, HostileTarget,
                         ::testing::Values("%h/victim", "%h/new", "../../../../../../%h/victim", "../host/victim",
                                           "/../../%h/victim", "/proc/self/root/%h/victim", "/proc/1/cwd", "."));

TEST(Mounts, ATargetThatIsExchangedMeanwhileLeadsNowhereOnTheHost) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/victim").c_str(), 0755);
    ::mkdir(stage.rootfs_path("/volume").c_str(), 0755);
    const std::string one = stage.rootfs_path("/volume/target");
    const std::string other = stage.rootfs_path("/volume/link");
    ::mkdir(one.c_str(), 0755);
    NEED(::symlink(stage.host("/victim").c_str(), other.c_str()) == 0);
    const pid_t racer = ::fork();
    if (racer == 0) {
      for (;;) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    }
    Verdict verdict;
    for (int tries = 0; tries < 200 && verdict.empty(); ++tries) {
      (void)stage.apply(new_mount("tmpfs", tries % 2 == 0 ? "/volume/target" : "/volume/target/new"));
      if (is_mounted(stage.host("/victim")) || exists(stage.host("/victim/new"))) verdict = "it reached the host";
    }
    ::kill(racer, SIGKILL);
    ::waitpid(racer, nullptr, 0);
    return verdict;
  }));
}

// ---- /proc and /sys: CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642 ----

TEST(Mounts, ProcAndSysfsGoOnARealDirectoryOnly) {
  EXPECT_STAGED(on_stage(CLONE_NEWNET, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/evil").c_str(), 0755);
    for (const char *type : {"proc", "sysfs"}) {
      const std::string at = std::string("/") + type;
      NEED(::symlink("evil", stage.rootfs_path(at).c_str()) == 0);
      const auto done = stage.apply(new_mount(type, at));
      NEED(!done && done.error().text.find("symbolic link") != std::string::npos);
      NEED(!is_mounted(stage.rootfs_path("/evil")));
      NEED(::unlink(stage.rootfs_path(at).c_str()) == 0);
      write_whole(stage.rootfs_path(at), "");
      const auto again = stage.apply(new_mount(type, at));
      NEED(!again && again.error().number == ENOTDIR);
      NEED(::unlink(stage.rootfs_path(at).c_str()) == 0);
    }
    // A link on the way counts, too.
    NEED(::symlink("evil", stage.rootfs_path("/way").c_str()) == 0);
    NEED(!stage.apply(new_mount("proc", "/way/proc")));
    NEED_OK(stage.apply(new_mount("sysfs", "/sys")));
    NEED(filesystem_of(stage.rootfs_path("/sys")) == SYSFS_MAGIC);
    return {};
  }));
}

TEST(Mounts, OnlyAProcfsGoesOverProcAndOnlyItsEmulatedFilesInside) {
  EXPECT_STAGED(on_stage(CLONE_NEWPID, [](Stage &stage) -> Verdict {
    ::mkdir(stage.host("/fake").c_str(), 0755);
    write_whole(stage.host("/meminfo"), "lxcfs");
    NEED(!stage.apply(bind_mount(stage.host("/fake"), "/proc")));
    NEED(!stage.apply(new_mount("tmpfs", "/proc")));
    NEED_OK(stage.apply(new_mount("proc", "/proc")));
    NEED(filesystem_of(stage.rootfs_path("/proc")) == PROC_SUPER_MAGIC);
    NEED(!stage.apply(bind_mount(stage.host("/fake"), "/proc/self/attr")));
    NEED(!stage.apply(bind_mount(stage.host("/fake"), "/proc/sys")));
    NEED(!stage.apply(new_mount("tmpfs", "/proc/../proc/fs")));
    NEED(::symlink("proc", stage.rootfs_path("/alias").c_str()) == 0);
    NEED(!stage.apply(bind_mount(stage.host("/fake"), "/alias/sys")));
    NEED_OK(stage.apply(bind_mount(stage.host("/meminfo"), "/proc/meminfo")));
    NEED(read_whole(stage.rootfs_path("/proc/meminfo")) == "lxcfs");
    MountStep rebind = bind_mount("/proc", "/proc");
    rebind.recursive = true;
    NEED_OK(stage.apply(rebind));
    return {};
  }));
}

// ---- user namespaces ----

TEST(Mounts, ProcWithoutAPidNamespaceSaysWhatItNeeds) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    const auto done = stage.apply(new_mount("proc", "/proc"));
    NEED(!done && done.error().number == EPERM);
    NEED(done.error().remedy.find("pid namespace") != std::string::npos);
    const auto sys = stage.apply(new_mount("sysfs", "/sys"));
    NEED(!sys && sys.error().remedy.find("network namespace") != std::string::npos);
    return {};
  }));
}

TEST(Mounts, ADevptsWithAnUnmappedGroupNamesTheOption) {
  EXPECT_STAGED(on_stage(CLONE_NEWUSER, [](Stage &stage) -> Verdict {
    stage.plan.launch.new_namespaces = CLONE_NEWUSER;
    MountStep step = new_mount("devpts", "/dev/pts");
    step.options = {{"newinstance", ""}, {"ptmxmode", "0666"}, {"gid", "5"}};
    const auto done = stage.apply(step);
    NEED(!done && done.error().number == EINVAL);
    NEED(done.error().remedy.find("mapped") != std::string::npos);
    step.options.pop_back();
    NEED_OK(stage.apply(step));
    NEED(exists(stage.rootfs_path("/dev/pts/ptmx")));
    return {};
  }));
}

TEST(Mounts, AFlagThatTheHostHasLockedStaysAndIsNamed) {
  EXPECT_STAGED(before_attach(0, [](Stage &outer) -> Verdict {
    NEED(::mount("tmpfs", outer.host("").c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "mode=755") == 0);
    const std::string source = outer.host("");
    return run_isolated(CLONE_NEWUSER | CLONE_NEWNS, [&]() -> Verdict {
      if (Verdict attached = outer.attach_rootfs(); !attached.empty()) return attached;
      MountStep weak = bind_mount(source, "/weak");
      weak.attributes.set = MOUNT_ATTR_RDONLY;
      weak.clear_unless_locked = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
      NEED_OK(outer.apply(weak));
      NEED((flags_of(outer.rootfs_path("/weak")) & (ST_NOSUID | ST_RDONLY)) == (ST_NOSUID | ST_RDONLY));
      MountStep strong = bind_mount(source, "/strong");
      strong.attributes.clear = MOUNT_ATTR_NOSUID;
      const auto done = outer.apply(strong);
      NEED(!done && done.error().number == EPERM);
      NEED(done.error().remedy.find("nosuid") != std::string::npos);
      NEED(!is_mounted(outer.rootfs_path("/strong")));
      MountStep time = bind_mount(source, "/time");
      time.attributes = {.set = MOUNT_ATTR_STRICTATIME, .clear = MOUNT_ATTR__ATIME};
      const auto changed = outer.apply(time);
      NEED(!changed && changed.error().remedy.find("noatime") != std::string::npos);
      return {};
    });
  }));
}

}  // namespace
}  // namespace skiff::testing
