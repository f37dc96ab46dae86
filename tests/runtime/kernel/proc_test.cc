#include "runtime/kernel/proc.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

// proc_pid_stat(5): the name is in parentheses and may hold any byte.
TEST(ProcessStat, CountsFieldsFromTheLastParenthesis) {
  const Result<ProcessStat> stat =
      parse_process_stat("42 (a) R 1 (b) S) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 0 0\n");
  ASSERT_OK(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->ppid, 7);
  EXPECT_EQ(stat->start_time, 123456U);
}

TEST(ProcessStat, RefusesWhatIsCutShort) {
  EXPECT_FALSE(parse_process_stat(""));
  EXPECT_FALSE(parse_process_stat("42 (a)"));
  EXPECT_FALSE(parse_process_stat("42 (a) "));
  EXPECT_FALSE(parse_process_stat("42 (a) S 7 42 42"));
  EXPECT_FALSE(parse_process_stat("42 (a) SS 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 0"));
}

TEST(Procfs, ReadsTheCaller) {
  const Result<Procfs> proc = Procfs::open_host();
  ASSERT_OK(proc);
  const Result<ProcessStat> stat = proc->read_stat(getpid());
  ASSERT_OK(stat);
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->ppid, getppid());
  EXPECT_GT(stat->start_time, 0U);
  EXPECT_EQ(*proc->read_file("self/comm"), "kernel_test\n");
}

TEST(Procfs, AProcessThatIsNotThereIsEsrch) {
  const Result<Procfs> proc = Procfs::open_host();
  ASSERT_OK(proc);
  EXPECT_ERRNO(proc->read_stat(0x7ffffffe), ESRCH);
}

TEST(Procfs, DoesNotFollowMagicLinksOrLeave) {
  const Result<Procfs> proc = Procfs::open_host();
  ASSERT_OK(proc);
  EXPECT_ERRNO(proc->open_at("self/root", O_PATH), ELOOP);
  EXPECT_ERRNO(proc->open_at("self/cwd/x", O_PATH), ELOOP);
  EXPECT_ERRNO(proc->open_at("../etc/passwd", O_PATH), EXDEV);
  EXPECT_ERRNO(proc->open_at("/etc/passwd", O_PATH), EXDEV);
}

TEST(Procfs, ReopensADescriptorWithOtherFlags) {
  const Result<Procfs> proc = Procfs::open_host();
  ASSERT_OK(proc);
  const testing::TemporaryDirectory directory;
  const Result<Fd> dir = open(directory.path(), O_PATH | O_DIRECTORY);
  const Result<Fd> file = make_file_in_root(*dir, "file", 0644);
  EXPECT_ERRNO(write_all(*file, "x"), EBADF);
  ASSERT_OK(write_all(*proc->reopen(*file, O_WRONLY), "x"));
  EXPECT_EQ(testing::read_whole(directory.path() + "/file"), "x");
}

// CVE-2019-16884: the place of procfs holds something else.
TEST(Procfs, ATmpfsInItsPlaceIsRefused) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    NEED(::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0);
    const Result<Procfs> proc = Procfs::open_host();
    NEED(!proc);
    NEED(proc.error().number == EXDEV);
    return {};
  });
}

TEST(Procfs, ASubdirectoryOfProcfsInItsPlaceIsRefused) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    NEED(::mount("/proc/self", "/proc", "", MS_BIND, nullptr) == 0);
    NEED(Procfs::open_host().error().number == EXDEV);
    return {};
  });
}

// CVE-2025-52881: a file of /proc is mounted over.
TEST(Procfs, AnOvermountIsRefused) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    const Result<Procfs> proc = Procfs::open_host();
    NEED_OK(proc);
    NEED_OK(proc->open_at("sys/kernel/hostname", O_RDONLY));
    NEED(::mount("/proc/sys/kernel/ostype", "/proc/sys/kernel/hostname", "", MS_BIND, nullptr) == 0);
    const Result<Fd> file = proc->open_at("sys/kernel/hostname", O_RDONLY);
    NEED(!file);
    NEED(file.error().number == EXDEV);
    NEED(proc->write_file("sys/kernel/hostname", "x").error().number == EXDEV);
    return {};
  });
}

TEST(Procfs, OpensItsFilesWithoutOpenat2) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS, []() -> std::string {
    NEED_OK(testing::hide_call(SYS_openat2, ENOSYS));
    const Result<Procfs> proc = Procfs::open_host();
    NEED_OK(proc);
    NEED_OK(proc->read_stat(getpid()));
    NEED(proc->read_stat(0x7ffffffe).error().number == ESRCH);
    NEED_OK(proc->reopen(proc->root(), O_RDONLY | O_DIRECTORY));
    NEED(proc->open_at("self/root", O_PATH).error().number == ELOOP);
    NEED(::mount("tmpfs", "/proc/fs", "tmpfs", 0, nullptr) == 0);
    NEED(proc->open_at("fs", O_PATH).error().number == EXDEV);
    return {};
  });
}

TEST(Procfs, APrivateOneIsSeenByNobodyElse) {
  EXPECT_ISOLATED(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, []() -> std::string {
    const Result<Procfs> proc = Procfs::open_private(Procfs::Subset::pid);
    if (!proc && proc.error().number == EPERM) return "skip: a mount over the host's /proc forbids a new procfs";
    NEED_OK(proc);
    NEED_OK(proc->read_stat(1));
    NEED(!proc->read_stat(2));
    NEED(proc->open_at("meminfo", O_RDONLY).error().number == ENOENT);
    // The host's /proc lies under a tmpfs now; the private one does not care.
    NEED(::mount("tmpfs", "/proc", "tmpfs", 0, nullptr) == 0);
    NEED_OK(proc->read_stat(1));
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
