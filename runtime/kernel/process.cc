#include "runtime/kernel/process.h"

#include <linux/sched.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/call.h"

namespace skiff::kernel {
namespace {

// What would let the child write into our memory or share our signals: the return from clone3 is then no fork.
constexpr uint64_t sharing_flags = CLONE_VM | CLONE_VFORK | CLONE_THREAD | CLONE_SIGHAND | CLONE_SETTLS;

// The kernel's numbers, among them 32 and 33, which glibc keeps to itself.
constexpr int last_signal = 64;

ExitStatus make_exit_status(const siginfo_t &info) {
  return {.pid = info.si_pid, .signaled = info.si_code != CLD_EXITED, .code = info.si_status};
}

}  // namespace

Child &Child::operator=(Child &&other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

void Child::kill_and_reap() {
  if (!pidfd_.valid()) return;
  const int saved = errno;
  // A child of somebody else (CLONE_PARENT), or one that was reaped already, leaves nothing to wait for.
  if (pidfd_send_signal(pidfd_, SIGKILL)) [[maybe_unused]]
    const auto ended = waitid(pidfd_, WEXITED);
  pidfd_.reset();
  pid_ = 0;
  errno = saved;
}

Result<ExitStatus> Child::wait() {
  const std::optional<ExitStatus> ended = TRY(waitid(pidfd_, WEXITED));
  pidfd_.reset();
  return *ended;
}

Fd Child::release() {
  pid_ = 0;
  return std::move(pidfd_);
}

Result<Child> clone3(const CloneRequest &request) {
  int pidfd = -1;
  clone_args args{};
  args.flags = request.flags | CLONE_PIDFD;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the kernel takes the address as a number.
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  args.exit_signal = static_cast<uint64_t>(request.exit_signal);
  if (request.cgroup.valid()) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(request.cgroup.get());
  }
  const bool shares = (request.flags & sharing_flags) != 0;
  if (shares) errno = EINVAL;
  const long pid = shares ? -1 : ::syscall(SYS_clone3, &args, sizeof(args));
  if (pid < 0) return call_failed("clone3", {Argument::flags(args.flags & ~uint64_t{CLONE_PIDFD}, clone_flag_names)});
  if (pid == 0) return Child();
  return Child(static_cast<pid_t>(pid), Fd(pidfd));
}

Result<Fd> pidfd_open(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  // Older kernels say EINVAL where the number lives on as that of a session or a group of processes only.
  if (fd < 0 && errno == EINVAL && pid > 0) errno = ESRCH;
  if (fd < 0) return call_failed("pidfd_open", {pid});
  return Fd(fd);
}

Result<Fd> pidfd_getfd(FdView pidfd, int number) {
  const long fd = syscall(SYS_pidfd_getfd, pidfd.get(), number, 0);
  if (fd < 0) return call_failed("pidfd_getfd", {pidfd, number});
  return Fd(static_cast<int>(fd));
}

Status pidfd_send_signal(FdView pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0) return {};
  return call_failed("pidfd_send_signal", {pidfd, signal});
}

Status kill(pid_t pid, int signal) {
  if (::kill(pid, signal) == 0) return {};
  return call_failed("kill", {pid, signal});
}

Result<std::optional<ExitStatus>> waitid(FdView pidfd, int options) {
  siginfo_t info{};
  // __WALL: a child with another exit signal than SIGCHLD counts too.
  const auto call = [&] { return ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, options | __WALL); };
  if (retry(call) != 0) return call_failed("waitid", {Argument::word("P_PIDFD"), pidfd});
  if (info.si_pid == 0) return std::nullopt;
  return make_exit_status(info);
}

Result<std::optional<ExitStatus>> waitpid_any(int options) {
  siginfo_t info{};
  const auto call = [&] { return ::waitid(P_ALL, 0, &info, options | WEXITED | __WALL); };
  if (retry(call) != 0) return call_failed("waitid", {Argument::word("P_ALL")});
  if (info.si_pid == 0) return std::nullopt;
  return make_exit_status(info);
}

Error execveat(FdView fd, CString path, const char *const *argv, const char *const *envp, int flags) {
  ::syscall(SYS_execveat, fd.get(), path.c_str(), argv, envp, flags);
  return call_error("execveat", {fd, path});
}

Status exit_on_signal(int signal) {
  struct sigaction action{};
  action.sa_handler = [](int number) { _exit(128 + number); };
  if (::sigaction(signal, &action, nullptr) == 0) return {};
  return call_failed("sigaction", {signal});
}

Status reset_signals() {
  // The kernel's struct sigaction is all zero for SIG_DFL, on every architecture smaller than this, and glibc's own
  // call would refuse 32 and 33.
  constexpr std::array<uint64_t, 8> default_action{};
  for (int signal = 1; signal <= last_signal; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    if (::syscall(SYS_rt_sigaction, signal, default_action.data(), nullptr, sizeof(uint64_t)) != 0) {
      return call_failed("rt_sigaction", {signal, Argument::word("SIG_DFL")});
    }
  }
  constexpr uint64_t nothing = 0;
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, nullptr, sizeof(nothing)) == 0) return {};
  return call_failed("rt_sigprocmask", {Argument::word("SIG_SETMASK")});
}

Status block_signals(const sigset_t &signals) {
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) == 0) return {};
  return call_failed("sigprocmask", {Argument::word("SIG_BLOCK")});
}

Result<Fd> signalfd(const sigset_t &signals, int flags) {
  const int fd = ::signalfd(-1, &signals, flags | SFD_CLOEXEC);
  if (fd < 0) return call_failed("signalfd", {flags});
  return Fd(fd);
}

Status ignore_signal(int signal) {
  if (::signal(signal, SIG_IGN) != SIG_ERR) return {};
  return call_failed("signal", {signal, Argument::word("SIG_IGN")});
}

Result<pid_t> setsid() {
  const pid_t session = ::setsid();
  if (session < 0) return call_failed("setsid", {});
  return session;
}

mode_t umask(mode_t mask) { return ::umask(mask); }

Status chdir(CString path) {
  if (::chdir(path.c_str()) == 0) return {};
  return call_failed("chdir", {path});
}

Status fchdir(FdView dir) {
  if (::fchdir(dir.get()) == 0) return {};
  return call_failed("fchdir", {dir});
}

Status chroot(CString path) {
  if (::chroot(path.c_str()) == 0) return {};
  return call_failed("chroot", {path});
}

pid_t getpid() { return ::getpid(); }
pid_t getppid() { return ::getppid(); }
pid_t gettid() { return ::gettid(); }

Status sethostname(std::string_view name) {
  if (::sethostname(name.data(), name.size()) == 0) return {};
  return call_failed("sethostname", {name});
}

Status setdomainname(std::string_view name) {
  if (::setdomainname(name.data(), name.size()) == 0) return {};
  return call_failed("setdomainname", {name});
}

}  // namespace skiff::kernel
