#include "runtime/kernel/fd.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <type_traits>

#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

static_assert(!std::is_copy_constructible_v<Fd>);
static_assert(!std::is_convertible_v<Fd, int>);
static_assert(!std::is_convertible_v<int, Fd>);
static_assert(!std::is_convertible_v<int, FdView>);

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }
bool is_cloexec(const Fd &fd) { return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0; }

TEST(Fd, IsClosedWhenItsOwnerGoes) {
  int number = -1;
  {
    const Result<Fd> fd = open("/", O_PATH);
    ASSERT_OK(fd);
    number = fd->get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesItsNumberAndLeavesNothingBehind) {
  Result<Fd> first = open("/", O_PATH);
  ASSERT_OK(first);
  const int number = first->get();
  Fd second = std::move(*first);
  EXPECT_FALSE(first->valid());  // NOLINT(bugprone-use-after-move): what a move leaves is the point
  EXPECT_EQ(second.get(), number);
  EXPECT_EQ(second.release(), number);
  EXPECT_TRUE(is_open(number));
  ::close(number);
}

TEST(Fd, ClosingKeepsErrno) {
  Fd fd(12345);
  errno = EXDEV;
  fd.reset();
  EXPECT_EQ(errno, EXDEV);
}

TEST(Fd, EveryOpenedDescriptorIsCloexec) {
  EXPECT_TRUE(is_cloexec(*open("/", O_PATH)));
  EXPECT_TRUE(is_cloexec(*openat(cwd, "/", O_PATH)));
  EXPECT_TRUE(is_cloexec(*memfd_create("x", 0)));
  EXPECT_TRUE(is_cloexec(pipe2()->read));
  EXPECT_TRUE(is_cloexec(*dup_above(FdView(0), 100)));
  EXPECT_GE(dup_above(FdView(0), 100)->get(), 100);
}

TEST(ReadAll, ReturnsTheWholeFile) {
  const Result<Fd> file = memfd_create("x", 0);
  ASSERT_OK(file);
  const std::string text(100'000, 'a');
  ASSERT_OK(write_all(*file, text));
  ASSERT_OK(lseek(*file, 0, SEEK_SET));
  EXPECT_EQ(*read_all(*file, text.size()), text);
}

TEST(ReadAll, ReadsAFileThatHasNoSize) {
  const Result<Fd> file = open("/proc/self/mountinfo", O_RDONLY);
  ASSERT_OK(file);
  EXPECT_FALSE(read_all(*file, 1 << 20)->empty());
}

TEST(ReadAll, AFileAboveTheLimitIsAnErrorThatNamesIt) {
  const Result<Fd> file = memfd_create("x", 0);
  ASSERT_OK(file);
  ASSERT_OK(write_all(*file, "123456"));
  ASSERT_OK(lseek(*file, 0, SEEK_SET));
  const Result<std::string> text = read_all(*file, 5);
  EXPECT_ERRNO(text, EFBIG);
  EXPECT_NE(text.error().message().find("at most 5 bytes"), std::string::npos);
}

TEST(Memfd, ASealedFileCannotBeWritten) {
  const Result<Fd> file = memfd_create("x", MFD_ALLOW_SEALING);
  ASSERT_OK(file);
  ASSERT_OK(add_seals(*file, F_SEAL_WRITE));
  EXPECT_EQ(*get_seals(*file), unsigned{F_SEAL_WRITE});
  EXPECT_ERRNO(write_all(*file, "x"), EPERM);
}

TEST(Sendfile, CopiesAWholeFile) {
  const Result<Fd> from = memfd_create("from", 0);
  const Result<Fd> to = memfd_create("to", 0);
  ASSERT_OK(write_all(*from, "some text"));
  ASSERT_OK(lseek(*from, 0, SEEK_SET));
  EXPECT_EQ(*sendfile_all(*to, *from), 9U);
  ASSERT_OK(lseek(*to, 0, SEEK_SET));
  EXPECT_EQ(*read_all(*to, 100), "some text");
}

TEST(Pread, ReadsWhatPwriteWroteAndLeavesThePositionAlone) {
  const Result<Fd> file = memfd_create("test", 0);
  ASSERT_OK(file);
  ASSERT_OK(pwrite_all(*file, std::string_view("bytes"), 3));
  std::array<char, 8> bytes{};
  EXPECT_EQ(pread_some(*file, bytes, 4), 4U);
  EXPECT_EQ(std::string_view(bytes.data(), 4), "ytes");
  EXPECT_EQ(pread_some(*file, bytes, 8), 0U);
  EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 0);
  const Fd read_only = open("/dev/null", O_RDONLY).value();
  EXPECT_ERRNO(pwrite_all(read_only, std::string_view("x"), 0), EBADF);
  EXPECT_ERRNO(pread_some(Fd(), bytes, 0), EBADF);
}

TEST(CloseRange, MarksEverythingFromANumberOn) {
  EXPECT_ISOLATED(0, []() -> std::string {
    const Result<Fd> low = dup_above(FdView(0), 50);
    const Result<Fd> high = dup_above(FdView(0), 60);
    NEED_OK(set_cloexec(*low, false));
    NEED_OK(set_cloexec(*high, false));
    NEED_OK(close_range_from(60, CloseRange::cloexec));
    NEED(!is_cloexec(*low));
    NEED(is_cloexec(*high));
    NEED_OK(close_range_from(60, CloseRange::close));
    NEED(is_open(low->get()));
    NEED(!is_open(high->get()));
    return {};
  });
}

TEST(CloseRange, LeavesOneOut) {
  EXPECT_ISOLATED(0, []() -> std::string {
    const Result<Fd> below = dup_above(FdView(0), 60);
    const Result<Fd> kept = dup_above(FdView(0), 61);
    const Result<Fd> above = dup_above(FdView(0), 62);
    NEED_OK(close_range_from(60, CloseRange::close, *kept));
    NEED(!is_open(below->get()));
    NEED(is_open(kept->get()));
    NEED(!is_open(above->get()));
    NEED_OK(close_range_from(62, CloseRange::close, *kept));
    NEED(is_open(kept->get()));
    NEED_OK(close_range_from(61, CloseRange::close));
    NEED(!is_open(kept->get()));
    return {};
  });
}

// close_range is Linux 5.9, its CLOEXEC flag 5.11 (EINVAL before).
TEST(CloseRange, WorksWhereTheKernelLacksIt) {
  for (const int hidden : {ENOSYS, EINVAL}) {
    EXPECT_ISOLATED(0, [&]() -> std::string {
      NEED_OK(testing::hide_call(SYS_close_range, hidden));
      const Result<Fd> high = dup_above(FdView(0), 60);
      NEED_OK(set_cloexec(*high, false));
      NEED_OK(close_range_from(60, CloseRange::cloexec));
      NEED(is_cloexec(*high));
      NEED_OK(close_range_from(60, CloseRange::close));
      NEED(!is_open(high->get()));
      return {};
    });
  }
}

TEST(Dup, OntoItsOwnNumberSurvivesAnExec) {
  const Result<Fd> fd = dup_above(FdView(0), 100);
  ASSERT_OK(fd);
  ASSERT_OK(dup_onto(*fd, fd->get()));
  EXPECT_FALSE(is_cloexec(*fd));
}

TEST(Flock, AHeldLockIsReported) {
  const testing::TemporaryDirectory directory;
  const Result<Fd> one = open(directory.path(), O_RDONLY);
  const Result<Fd> other = open(directory.path(), O_RDONLY);
  ASSERT_OK(flock(*one, LOCK_EX));
  EXPECT_ERRNO(flock(*other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
}

TEST(WaitReadable, TellsATimeoutFromData) {
  const Result<Pipe> pipe = pipe2();
  ASSERT_OK(pipe);
  EXPECT_FALSE(*wait_readable(pipe->read, std::chrono::milliseconds(0)));
  ASSERT_OK(write_all(pipe->write, "x"));
  EXPECT_TRUE(*wait_readable(pipe->read, forever));
}

TEST(Nonblocking, AnEmptyPipeSaysSo) {
  const Result<Pipe> pipe = pipe2();
  ASSERT_OK(set_nonblocking(pipe->read, true));
  std::array<char, 1> byte{};
  EXPECT_ERRNO(read_some(pipe->read, byte), EAGAIN);
}

}  // namespace
}  // namespace skiff::kernel
