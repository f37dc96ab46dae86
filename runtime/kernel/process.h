// Processes: clone3(2) with a pidfd, waiting, signals, exec.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// How a process ended.
struct ExitStatus {
  pid_t pid = 0;
  bool signaled = false;  // `code` is the signal's number; otherwise it is the exit code
  int code = 0;

  // What a shell reports: the exit code, or 128 + the signal.
  [[nodiscard]] int shell_code() const { return signaled ? 128 + code : code; }
};

// A child process held by its pidfd. One that is dropped is killed (SIGKILL) and reaped.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(Child &&other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  Child &operator=(Child &&other) noexcept;
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;
  ~Child() { kill_and_reap(); }

  // True in the process that clone3 made; such a value owns nothing.
  [[nodiscard]] bool is_this_process() const { return pid_ == 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Fd &pidfd() const { return pidfd_; }
  // Waits for its end; afterwards there is nothing left to kill.
  [[nodiscard]] Result<ExitStatus> wait();
  // Lets it live on without us: the pidfd, which the caller owns now.
  [[nodiscard]] Fd release();

 private:
  void kill_and_reap();
  pid_t pid_ = 0;
  Fd pidfd_;
};

struct CloneRequest {
  uint64_t flags = 0;         // CLONE_NEW*, CLONE_PARENT; CLONE_PIDFD is added, CLONE_VM and its like are refused
  FdView cgroup = no_fd;      // a cgroup v2 directory to start in (CLONE_INTO_CGROUP, Linux 5.7), or none
  int exit_signal = SIGCHLD;  // 0 with CLONE_PARENT
};
// clone3(2) (Linux 5.3) in the manner of fork(2): the child has a copy of the memory and returns from here too, with a
// value that says is_this_process(). Only for a process of one thread: glibc's own fork handlers do not run, and the
// child must not use pthread functions.
[[nodiscard]] Result<Child> clone3(const CloneRequest &request);

// pidfd_open(2), Linux 5.3. ESRCH where no such process is.
[[nodiscard]] Result<Fd> pidfd_open(pid_t pid);
// pidfd_send_signal(2), Linux 5.1. ESRCH where it is gone. Signal 0 only asks.
[[nodiscard]] Status pidfd_send_signal(FdView pidfd, int signal);
[[nodiscard]] Status kill(pid_t pid, int signal);

// pidfd_getfd(2), Linux 5.6: a copy of descriptor `number` of that process. EPERM without the right to ptrace it.
[[nodiscard]] Result<Fd> pidfd_getfd(FdView pidfd, int number);

// waitid(2) on a pidfd (Linux 5.4). Empty only with WNOHANG in `options`. ECHILD where it is no child of ours.
[[nodiscard]] Result<std::optional<ExitStatus>> waitid(FdView pidfd, int options = WEXITED);
// waitpid(-1): any child that ended. Empty where WNOHANG is in `options` and none has; ECHILD where there is none.
[[nodiscard]] Result<std::optional<ExitStatus>> waitpid_any(int options = 0);

// execveat(2): returns only to report an error. With an empty path and AT_EMPTY_PATH it runs the file `fd` is.
[[nodiscard]] Error execveat(FdView fd, CString path, const char *const *argv, const char *const *envp, int flags);

// Every signal to its default action and unblocked, as a program expects to be started: signal(7).
[[nodiscard]] Status reset_signals();
// sigaction(2) with a handler that ends the process with 128 + n: the first process of a pid namespace does not die of
// a default action, pid_namespaces(7). A program that is executed has the default action again.
[[nodiscard]] Status exit_on_signal(int signal);
// sigprocmask(2) with SIG_BLOCK.
[[nodiscard]] Status block_signals(const sigset_t &signals);
// signalfd(2) of signals that are blocked. SFD_CLOEXEC is always added.
[[nodiscard]] Result<Fd> signalfd(const sigset_t &signals, int flags = 0);
// signal(2) with SIG_IGN.
[[nodiscard]] Status ignore_signal(int signal);

[[nodiscard]] Result<pid_t> setsid();
mode_t umask(mode_t mask);
[[nodiscard]] Status chdir(CString path);
[[nodiscard]] Status fchdir(FdView dir);
[[nodiscard]] Status chroot(CString path);
[[nodiscard]] pid_t getpid();
[[nodiscard]] pid_t getppid();
[[nodiscard]] pid_t gettid();
// sethostname(2) and setdomainname(2), in a uts namespace of one's own.
[[nodiscard]] Status sethostname(std::string_view name);
[[nodiscard]] Status setdomainname(std::string_view name);

}  // namespace skiff::kernel
