#include "tests/bench/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace skiff::bench {
namespace {

// An allow list of the kind engines use: most calls always, some by their arguments, a few by capability.
constexpr std::string_view allowed =
    "accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_adjtime "
    "clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 "
    "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit "
    "exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchownat fcntl "
    "fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex "
    "futex_waitv futimesat getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername "
    "getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit get_robust_list getrusage "
    "getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getxattr inotify_add_watch "
    "inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents ioprio_get "
    "ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
    "lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise membarrier "
    "memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr "
    "mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock "
    "munlockall munmap name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal "
    "pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 "
    "process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg "
    "recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction "
    "rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo "
    "sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler "
    "sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp "
    "select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid setgid setgroups "
    "setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit set_robust_list setsid setsockopt "
    "set_thread_area set_tid_address setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd "
    "signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill "
    "time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime "
    "timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 "
    "waitid write writev modify_ldt";

std::vector<std::string> split(std::string_view words) {
  std::vector<std::string> all;
  for (std::size_t end = 0; end != std::string_view::npos; words.remove_prefix(std::min(end, words.size() - 1) + 1)) {
    end = words.find(' ');
    all.emplace_back(words.substr(0, end));
  }
  return all;
}

spec::SeccompSyscall make_rule(const std::vector<std::string> &names) {
  spec::SeccompSyscall rule;
  rule.names = names;
  return rule;
}

spec::SeccompSyscall make_rule(const char *name, std::uint64_t first, spec::SeccompOperator op) {
  spec::SeccompSyscall rule = make_rule({name});
  rule.args = {{.index = 0, .value = first, .value_two = 0, .op = op}};
  return rule;
}

}  // namespace

spec::Seccomp engine_seccomp() {
  spec::Seccomp profile;
  profile.default_action = spec::SeccompAction::errno_;
  profile.default_errno_ret = 1;
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  profile.syscalls = {make_rule(split(allowed)), make_rule({"ptrace", "process_vm_readv"}),
                      make_rule("socket", 40, spec::SeccompOperator::ne)};
  for (const std::uint64_t personality : {0x0U, 0x8U, 0x20000U, 0x20008U, 0xffffffffU}) {
    profile.syscalls.push_back(make_rule("personality", personality, spec::SeccompOperator::eq));
  }
  constexpr std::uint64_t new_namespaces = 0x7E020000;  // the CLONE_NEW* of clone(2)
  profile.syscalls.push_back(make_rule("clone", new_namespaces, spec::SeccompOperator::masked_eq));
  // Its flags are behind a pointer: libraries take clone(2) instead.
  profile.syscalls.push_back(make_rule({"clone3"}));
  profile.syscalls.back().action = spec::SeccompAction::errno_;
  profile.syscalls.back().errno_ret = ENOSYS;
  return profile;
}

spec::Config default_config() {
  spec::Config config = spec::make_default_config();
  config.process->terminal = false;
  config.process->args = {"/bin/true"};
  return config;
}

spec::Config large_config() {
  spec::Config config = default_config();
  for (int i = 0; i < 100; ++i) {
    config.process->env.push_back(fmt::format("SERVICE_{0}_PORT_{0}_TCP_ADDR=10.96.{0}.1", i));
  }
  for (int i = 0; i < 40; ++i) {
    spec::Mount mount;
    mount.destination = fmt::format("/var/lib/service/volume-{}", i);
    mount.type = "bind";
    mount.source = fmt::format("/var/lib/docker/volumes/0f1e2d3c4b5a69788796a5b4c3d2e1f0-{}/_data", i);
    mount.options = {"rbind", "rprivate", "nosuid", "nodev"};
    config.mounts.push_back(mount);
  }
  for (int i = 0; i < 20; ++i) config.annotations[fmt::format("org.example.annotation.{}", i)] = std::string(64, 'a');
  spec::Hook hook;
  hook.path = "/usr/bin/hook";
  hook.args = {"hook", "--verbose"};
  config.hooks.create_runtime = {hook, hook};
  config.linux_.seccomp = engine_seccomp();
  return config;
}

}  // namespace skiff::bench
