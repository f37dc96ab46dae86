// File descriptors as values, and the calls that work on any of them.
//
// Every wrapper of this room returns Result or Status. Its Error carries the errno and the call as text, with each
// descriptor shown the way strace -y shows it: `openat(5<"/srv/bundle">, "config.json", O_RDONLY)`. The text is built
// only on failure. Calls that a signal interrupts (EINTR) are made again, unless a comment says otherwise.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "spec/error.h"

namespace skiff::kernel {

// An open file descriptor and its only owner: closed when the owner goes. It never turns into an int by itself, so
// that no call can take it for a pid or a count. Every wrapper here opens with CLOEXEC.
class Fd {
 public:
  constexpr Fd() = default;
  constexpr explicit Fd(int number) : number_(number) {}
  constexpr Fd(Fd &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd &operator=(Fd &&other) noexcept;
  Fd(const Fd &) = delete;
  Fd &operator=(const Fd &) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(number_, -1); }  // The caller owns it now.
  void reset();                                                       // Close it now; errno is kept.

 private:
  int number_ = -1;
};

// A descriptor somebody else owns: an Fd, one of 0 1 2, or AT_FDCWD. What every wrapper takes as its argument.
class FdView {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a view of an Fd is what the parameter asks for.
  FdView(const Fd &fd) : number_(fd.get()) {}
  constexpr explicit FdView(int number) : number_(number) {}

  [[nodiscard]] constexpr int get() const { return number_; }
  [[nodiscard]] constexpr bool valid() const { return number_ >= 0; }

 private:
  int number_;
};

// The working directory, where a call takes a directory.
inline constexpr FdView cwd{AT_FDCWD};
// No descriptor, where a call takes one or none.
inline constexpr FdView no_fd{-1};

// A borrowed string that ends in NUL, as the kernel wants it: from a literal or a std::string, without a copy.
class CString {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr CString(const char *text) : text_(text) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  CString(const std::string &text) : text_(text.c_str()) {}

  [[nodiscard]] constexpr const char *c_str() const { return text_; }
  [[nodiscard]] constexpr std::string_view view() const { return text_; }
  [[nodiscard]] constexpr bool empty() const { return *text_ == '\0'; }

 private:
  const char *text_;
};

// A timeout that never comes, for poll and wait_readable.
inline constexpr std::chrono::milliseconds forever{-1};

// open(2). O_CLOEXEC is always added. For a path on the host that is trusted; a path inside a rootfs goes through
// path.h.
[[nodiscard]] Result<Fd> open(CString path, int flags, mode_t mode = 0);
// openat(2). O_CLOEXEC is always added.
[[nodiscard]] Result<Fd> openat(FdView dir, CString path, int flags, mode_t mode = 0);

// One read(2): how many bytes came; 0 is the end of the file.
[[nodiscard]] Result<size_t> read_some(FdView fd, std::span<char> into);
// One pread(2) at `offset`; the descriptor's own position stays.
[[nodiscard]] Result<size_t> pread_some(FdView fd, std::span<char> into, uint64_t offset);
// Everything up to the end of the file. A file of more than max_bytes is an error (EFBIG) that names the limit.
[[nodiscard]] Result<std::string> read_all(FdView fd, size_t max_bytes);
// One write(2): how many bytes went.
[[nodiscard]] Result<size_t> write_some(FdView fd, std::string_view bytes);
// All the bytes, in as many write(2) calls as it takes.
[[nodiscard]] Status write_all(FdView fd, std::string_view bytes);
// All the bytes from `offset` on, in as many pwrite(2) calls as it takes; the descriptor's own position stays.
[[nodiscard]] Status pwrite_all(FdView fd, std::span<const char> bytes, uint64_t offset);
// sendfile(2) until the end of `from`: copies a file without a buffer. The number of bytes copied.
[[nodiscard]] Result<size_t> sendfile_all(FdView to, FdView from);

// fcntl(F_DUPFD_CLOEXEC): a copy numbered `lowest` or above.
[[nodiscard]] Result<Fd> dup_above(FdView fd, int lowest);
// dup2(2): makes `number` a copy of fd that an exec keeps. Where both are the same number, CLOEXEC is taken off it.
[[nodiscard]] Status dup_onto(FdView fd, int number);
// fcntl(F_SETFD): whether an exec closes it.
[[nodiscard]] Status set_cloexec(FdView fd, bool on);
// fcntl(F_SETFL) of O_NONBLOCK; it is shared by every copy of the descriptor.
[[nodiscard]] Status set_nonblocking(FdView fd, bool on);
// fcntl(F_GETFL): access mode and status flags.
[[nodiscard]] Result<int> get_status_flags(FdView fd);

// The two ends of a pipe.
struct Pipe {
  Fd read;
  Fd write;
};
// pipe2(2). O_CLOEXEC is always added.
[[nodiscard]] Result<Pipe> pipe2(int flags = 0);
// memfd_create(2). MFD_CLOEXEC is always added. EINVAL where the kernel does not know a flag (MFD_EXEC: Linux 6.3).
[[nodiscard]] Result<Fd> memfd_create(CString name, unsigned flags);
// fcntl(F_ADD_SEALS) on a memfd opened with MFD_ALLOW_SEALING.
[[nodiscard]] Status add_seals(FdView fd, unsigned seals);
// fcntl(F_GET_SEALS); EINVAL where the file is no memfd.
[[nodiscard]] Result<unsigned> get_seals(FdView fd);

// openat(2) of what may be missing (ENOENT): then the descriptor is invalid, and no text of an error is made.
[[nodiscard]] Result<Fd> find_at(FdView dir, CString path, int flags);

[[nodiscard]] Result<struct stat> fstat(FdView fd);
[[nodiscard]] Result<struct statfs> fstatfs(FdView fd);
// flock(2); EWOULDBLOCK where LOCK_NB was asked for and somebody else holds it.
[[nodiscard]] Status flock(FdView fd, int operation);
[[nodiscard]] Status ftruncate(FdView fd, off_t bytes);
[[nodiscard]] Status fsync(FdView fd);
// syncfs(2): the whole file system that the descriptor is on; an error of writing it counts since Linux 5.8.
[[nodiscard]] Status syncfs(FdView fd);
[[nodiscard]] Result<off_t> lseek(FdView fd, off_t offset, int whence);

enum class CloseRange { close, cloexec };
// close_range(2) of `first` and everything above but `kept`. With `cloexec` they stay open until the next exec; a
// kernel below 5.11 does not know that flag and one below 5.9 not the call; there every number up to the hard limit is
// tried.
[[nodiscard]] Status close_range_from(unsigned first, CloseRange what, FdView kept = no_fd);

// poll(2): how many entries have an event; 0 is the timeout. A signal does not end the wait.
[[nodiscard]] Result<int> poll(std::span<pollfd> fds, std::chrono::milliseconds timeout);
// Waits until fd has something to read or its other side is gone: false is the timeout.
[[nodiscard]] Result<bool> wait_readable(FdView fd, std::chrono::milliseconds timeout);

}  // namespace skiff::kernel
