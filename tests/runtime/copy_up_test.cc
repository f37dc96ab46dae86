#include "runtime/copy_up.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/mount.h"
#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::read_whole;
using kernel::testing::write_whole;

MountStep copying_tmpfs() {
  MountStep step;
  step.type = "tmpfs";
  step.source = "tmpfs";
  step.destination = "/etc";
  step.copy_up = true;
  return step;
}

TEST(CopyUp, ATmpfsStartsWithWhatItCovers) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    const std::string etc = stage.rootfs_path("/etc");
    ::mkdir(etc.c_str(), 0751);
    ::mkdir((etc + "/below").c_str(), 0700);
    write_whole(etc + "/below/file", std::string(100000, 'x'));
    NEED(::chown((etc + "/below/file").c_str(), 3, 4) == 0 && ::chmod((etc + "/below/file").c_str(), 04755) == 0);
    NEED(::symlink("/host/name", (etc + "/link").c_str()) == 0);
    NEED(::mkfifo((etc + "/fifo").c_str(), 0640) == 0);
    const timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 1}, {.tv_sec = 2000, .tv_nsec = 2}};
    NEED(::utimensat(AT_FDCWD, (etc + "/below/file").c_str(), times, 0) == 0);
    NEED(::utimensat(AT_FDCWD, (etc + "/below").c_str(), times, 0) == 0);
    const bool attributes = ::setxattr((etc + "/below/file").c_str(), "trusted.skiff", "1", 1, 0) == 0;
    MountStep step = copying_tmpfs();
    step.attributes.set = MOUNT_ATTR_RDONLY;
    step.superblock_flags = MS_RDONLY;
    NEED_OK(stage.apply(step));
    NEED(is_mounted(etc) && (flags_of(etc) & ST_RDONLY) != 0);
    struct stat status{};
    NEED(::stat(etc.c_str(), &status) == 0 && (status.st_mode & 07777) == 0751);
    NEED(::stat((etc + "/below/file").c_str(), &status) == 0);
    NEED((status.st_mode & 07777) == 04755 && status.st_uid == 3 && status.st_gid == 4 && status.st_size == 100000);
    NEED(status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 2);
    NEED(::stat((etc + "/below").c_str(), &status) == 0 && status.st_mtim.tv_sec == 2000);
    NEED(::lstat((etc + "/link").c_str(), &status) == 0 && S_ISLNK(status.st_mode));
    NEED(::stat((etc + "/fifo").c_str(), &status) == 0 && status.st_mode == (S_IFIFO | 0640));
    std::array<char, 8> value{};
    NEED(!attributes || ::getxattr((etc + "/below/file").c_str(), "trusted.skiff", value.data(), value.size()) == 1);
    NEED(::umount(etc.c_str()) == 0);
    NEED(read_whole(etc + "/below/file").size() == 100000);
    return {};
  }));
}

TEST(CopyUp, ALinkInTheRootfsBringsNothingOfTheHost) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    write_whole(stage.host("/shadow"), "secret");
    NEED(::symlink(stage.host("").c_str(), stage.rootfs_path("/etc").c_str()) == 0);
    (void)stage.apply(copying_tmpfs());
    NEED(!is_mounted(stage.host("")));
    NEED(!exists(stage.rootfs_path(stage.host("/shadow"))));
    return {};
  }));
}

TEST(CopyUp, AFullTmpfsIsAnErrorThatNamesTheFileAndAttachesNothing) {
  EXPECT_STAGED(on_stage(0, [](Stage &stage) -> Verdict {
    ::mkdir(stage.rootfs_path("/etc").c_str(), 0755);
    write_whole(stage.rootfs_path("/etc/large"), std::string(100000, 'x'));
    MountStep step = copying_tmpfs();
    step.options = {{"size", "8192"}};
    const auto done = stage.apply(step);
    NEED(!done && done.error().number == ENOSPC && done.error().text.starts_with("tmpcopyup: large: "));
    NEED(!is_mounted(stage.rootfs_path("/etc")));
    return {};
  }));
}

}  // namespace
}  // namespace skiff::testing
