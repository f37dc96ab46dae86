#include "runtime/kernel/fd.h"

#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// Linux writes no more than this in one call.
constexpr size_t largest_transfer = 0x7ffff000;

// F_SETFD for one that may not be open.
void set_one(unsigned number, CloseRange what) {
  if (what == CloseRange::close) {
    ::close(static_cast<int>(number));
  } else {
    ::fcntl(static_cast<int>(number), F_SETFD, FD_CLOEXEC);
  }
}

[[gnu::cold]] std::unexpected<Error> too_large(FdView fd, size_t max_bytes) {
  std::unexpected<Error> failure = call_failed(EFBIG, "read", {fd});
  failure.error().remedy = fmt::format("it may hold at most {} bytes", max_bytes);
  return failure;
}

}  // namespace

Fd &Fd::operator=(Fd &&other) noexcept {
  if (this != &other) {
    reset();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (number_ < 0) return;
  const int saved = errno;
  // Not again on EINTR: Linux has closed it by then, and the number may be another's already.
  ::close(std::exchange(number_, -1));
  errno = saved;
}

Result<Fd> open(CString path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return call_failed("open", {path, Argument::open_flags(flags)});
  return Fd(fd);
}

Result<Fd> openat(FdView dir, CString path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(dir.get(), path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return call_failed("openat", {dir, path, Argument::open_flags(flags)});
  return Fd(fd);
}

Result<Fd> find_at(FdView dir, CString path, int flags) {
  const int fd = retry([&] { return ::openat(dir.get(), path.c_str(), flags | O_CLOEXEC); });
  if (fd >= 0 || errno == ENOENT) return Fd(fd);
  return call_failed("openat", {dir, path, Argument::open_flags(flags)});
}

Result<size_t> read_some(FdView fd, std::span<char> into) {
  const ssize_t got = retry([&] { return ::read(fd.get(), into.data(), into.size()); });
  if (got < 0) return call_failed("read", {fd});
  return static_cast<size_t>(got);
}

Result<size_t> pread_some(FdView fd, std::span<char> into, uint64_t offset) {
  const ssize_t got = retry([&] { return ::pread(fd.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
  if (got < 0) return call_failed("pread", {fd, static_cast<uint64_t>(into.size()), offset});
  return static_cast<size_t>(got);
}

Result<std::string> read_all(FdView fd, size_t max_bytes) {
  std::string bytes;
  // Most files of /proc and of cgroups are smaller, and have no size that could be asked for.
  const size_t room = std::min<size_t>(4096, max_bytes + 1);
  size_t used = 0;
  for (;;) {
    if (bytes.size() == used) bytes.resize(used == 0 ? room : used * 2);
    const size_t got = TRY(read_some(fd, std::span(bytes).subspan(used)));
    if (got == 0) break;
    used += got;
    if (used > max_bytes) return too_large(fd, max_bytes);
  }
  bytes.resize(used);
  return bytes;
}

Result<size_t> write_some(FdView fd, std::string_view bytes) {
  const ssize_t put = retry([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
  if (put < 0) return call_failed("write", {fd, Argument::data(bytes)});
  return static_cast<size_t>(put);
}

Status write_all(FdView fd, std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(TRY(write_some(fd, bytes)));
  return {};
}

Status pwrite_all(FdView fd, std::span<const char> bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put =
        retry([&] { return ::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (put < 0) return call_failed("pwrite", {fd, static_cast<uint64_t>(bytes.size()), offset});
    bytes = bytes.subspan(static_cast<size_t>(put));
    offset += static_cast<uint64_t>(put);
  }
  return {};
}

Result<size_t> sendfile_all(FdView to, FdView from) {
  size_t total = 0;
  for (;;) {
    const ssize_t put = retry([&] { return ::sendfile(to.get(), from.get(), nullptr, largest_transfer); });
    if (put < 0) return call_failed("sendfile", {to, from});
    if (put == 0) return total;
    total += static_cast<size_t>(put);
  }
}

Result<Fd> dup_above(FdView fd, int lowest) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return call_failed("fcntl", {fd, Argument::word("F_DUPFD_CLOEXEC"), lowest});
  return Fd(copy);
}

Status dup_onto(FdView fd, int number) {
  if (fd.get() == number) return set_cloexec(fd, false);
  if (retry([&] { return ::dup2(fd.get(), number); }) < 0) return call_failed("dup2", {fd, number});
  return {};
}

Status set_cloexec(FdView fd, bool on) {
  if (::fcntl(fd.get(), F_SETFD, on ? FD_CLOEXEC : 0) == 0) return {};
  return call_failed("fcntl", {fd, Argument::word("F_SETFD"), Argument::word(on ? "FD_CLOEXEC" : "0")});
}

Status set_nonblocking(FdView fd, bool on) {
  const int flags = TRY(get_status_flags(fd));
  if (::fcntl(fd.get(), F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0) return {};
  return call_failed("fcntl", {fd, Argument::word("F_SETFL"), Argument::word(on ? "O_NONBLOCK" : "~O_NONBLOCK")});
}

Result<int> get_status_flags(FdView fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0) return call_failed("fcntl", {fd, Argument::word("F_GETFL")});
  return flags;
}

Result<Pipe> pipe2(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), flags | O_CLOEXEC) != 0) return call_failed("pipe2", {Argument::open_flags(flags)});
  return Pipe{.read = Fd(ends[0]), .write = Fd(ends[1])};
}

Result<Fd> memfd_create(CString name, unsigned flags) {
  const int fd = ::memfd_create(name.c_str(), flags | MFD_CLOEXEC);
  if (fd < 0) return call_failed("memfd_create", {name, flags});
  return Fd(fd);
}

Status add_seals(FdView fd, unsigned seals) {
  if (::fcntl(fd.get(), F_ADD_SEALS, seals) == 0) return {};
  return call_failed("fcntl", {fd, Argument::word("F_ADD_SEALS"), seals});
}

Result<unsigned> get_seals(FdView fd) {
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return call_failed("fcntl", {fd, Argument::word("F_GET_SEALS")});
  return static_cast<unsigned>(seals);
}

Result<struct stat> fstat(FdView fd) {
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return call_failed("fstat", {fd});
  return status;
}

Result<struct statfs> fstatfs(FdView fd) {
  struct statfs status{};
  if (retry([&] { return ::fstatfs(fd.get(), &status); }) != 0) return call_failed("fstatfs", {fd});
  return status;
}

Status flock(FdView fd, int operation) {
  if (retry([&] { return ::flock(fd.get(), operation); }) == 0) return {};
  static constexpr FlagName names[] = {
      {LOCK_SH, "LOCK_SH"}, {LOCK_EX, "LOCK_EX"}, {LOCK_UN, "LOCK_UN"}, {LOCK_NB, "LOCK_NB"}};
  return call_failed("flock", {fd, Argument::flags(static_cast<uint64_t>(operation), names)});
}

Status ftruncate(FdView fd, off_t bytes) {
  if (retry([&] { return ::ftruncate(fd.get(), bytes); }) == 0) return {};
  return call_failed("ftruncate", {fd, bytes});
}

Status fsync(FdView fd) {
  if (::fsync(fd.get()) == 0) return {};
  return call_failed("fsync", {fd});
}

Status syncfs(FdView fd) {
  if (::syncfs(fd.get()) == 0) return {};
  return call_failed("syncfs", {fd});
}

Result<off_t> lseek(FdView fd, off_t offset, int whence) {
  const off_t at = ::lseek(fd.get(), offset, whence);
  if (at < 0) return call_failed("lseek", {fd, offset, whence});
  return at;
}

namespace {

Status close_range(unsigned first, unsigned last, CloseRange what) {
  const unsigned flags = what == CloseRange::cloexec ? CLOSE_RANGE_CLOEXEC : 0;
  if (::syscall(SYS_close_range, first, last, flags) == 0) return {};
  if (errno != ENOSYS && errno != EPERM && errno != EINVAL) {
    return call_failed("close_range", {first, last, Argument::word(flags != 0 ? "CLOSE_RANGE_CLOEXEC" : "0")});
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return call_failed("getrlimit", {Argument::word("RLIMIT_NOFILE")});
  for (unsigned number = first; number <= last && number < limit.rlim_max; ++number) set_one(number, what);
  return {};
}

}  // namespace

Status close_range_from(unsigned first, CloseRange what, FdView kept) {
  const auto number = static_cast<unsigned>(kept.get());
  if (!kept.valid() || number < first) return close_range(first, ~0U, what);
  if (number > first) TRY(close_range(first, number - 1, what));
  return close_range(number + 1, ~0U, what);
}

Result<int> poll(std::span<pollfd> fds, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const bool bounded = timeout >= std::chrono::milliseconds::zero();
  const Clock::time_point end = bounded ? Clock::now() + timeout : Clock::time_point::max();
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
    if (ready >= 0) return ready;
    if (errno != EINTR) return call_failed("poll", {fds.size(), static_cast<int64_t>(timeout.count())});
    if (!bounded) continue;
    timeout = std::max(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()), std::chrono::milliseconds(0));
  }
}

Result<bool> wait_readable(FdView fd, std::chrono::milliseconds timeout) {
  std::array<pollfd, 1> one{{{.fd = fd.get(), .events = POLLIN, .revents = 0}}};
  return TRY(poll(one, timeout)) > 0;
}

}  // namespace skiff::kernel
