#include <array>

#include "compose/seccomp_profile.h"

// The calls by what they are for, as section 2 of the manual describes them. A name that a machine does not have counts
// nothing there; those that end in 64, 32 or time64 are of machines with 32 bits.
namespace skiff::compose {
namespace {

using std::string_view;

// ---- what every program does ----

constexpr auto content = std::to_array<string_view>({
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "preadv2",
    "pwritev2",
    "lseek",
    "_llseek",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fcntl64",
    "flock",
    "ioctl",
    "pipe",
    "pipe2",
    "sendfile",
    "sendfile64",
    "copy_file_range",
    "splice",
    "tee",
    "ftruncate",
    "ftruncate64",
    "truncate",
    "truncate64",
    "fallocate",
    "fsync",
    "fdatasync",
    "sync",
    "syncfs",
    "fadvise64",
    "fadvise64_64",
    "arm_fadvise64_64",
    "readahead",
    "sync_file_range",
    "sync_file_range2",
});

constexpr auto names = std::to_array<string_view>({
    "open",    "openat",    "openat2",  "creat",      "access",     "faccessat",  "faccessat2", "stat",     "stat64",
    "lstat",   "lstat64",   "fstat",    "fstat64",    "newfstatat", "fstatat64",  "statx",      "statfs",   "statfs64",
    "fstatfs", "fstatfs64", "readlink", "readlinkat", "getdents",   "getdents64", "getcwd",     "chdir",    "fchdir",
    "umask",   "mkdir",     "mkdirat",  "rmdir",      "unlink",     "unlinkat",   "rename",     "renameat", "renameat2",
});

constexpr auto polling = std::to_array<string_view>({
    "select",          "_newselect",        "pselect6",        "pselect6_time64",   "poll",       "ppoll",
    "ppoll_time64",    "epoll_create",      "epoll_create1",   "epoll_ctl",         "epoll_wait", "epoll_pwait",
    "epoll_pwait2",    "eventfd",           "eventfd2",        "signalfd",          "signalfd4",  "timerfd_create",
    "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
});

constexpr auto memory = std::to_array<string_view>({
    "brk",
    "mmap",
    "mmap2",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "mincore",
    "msync",
    "mlock",
    "mlock2",
    "munlock",
    "mlockall",
    "munlockall",
    "membarrier",
    "mseal",
    "map_shadow_stack",
    "memfd_create",
});

constexpr auto threads = std::to_array<string_view>({
    "futex",
    "futex_time64",
    "futex_waitv",
    "futex_wait",
    "futex_wake",
    "futex_requeue",
    "rseq",
    "set_tid_address",
    "set_robust_list",
    "get_robust_list",
    "arch_prctl",
    "set_thread_area",
    "get_thread_area",
    "set_tls",
    "get_tls",
    "cacheflush",
    "sched_yield",
    "gettid",
    "riscv_flush_icache",
    "riscv_hwprobe",
    "swapcontext",
    "s390_pci_mmio_read",
    "s390_pci_mmio_write",
    "s390_runtime_instr",
});

// clone(2) has a rule of its own.
constexpr auto processes = std::to_array<string_view>({
    "fork",
    "vfork",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "waitpid",
    "kill",
    "tkill",
    "tgkill",
    "getpid",
    "getppid",
    "getpgid",
    "getpgrp",
    "setpgid",
    "getsid",
    "setsid",
    "prctl",
    "getrusage",
    "times",
    "getrlimit",
    "ugetrlimit",
    "setrlimit",
    "prlimit64",
    "getpriority",
    "pidfd_open",
    "pidfd_send_signal",
    "restart_syscall",
});

constexpr auto signals = std::to_array<string_view>({
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigtimedwait_time64",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "sigaltstack",
    "sigreturn",
    "pause",
    "alarm",
    "setitimer",
    "getitimer",
    "timer_create",
    "timer_settime",
    "timer_settime64",
    "timer_gettime",
    "timer_gettime64",
    "timer_getoverrun",
    "timer_delete",
});

// Setting them the kernel leaves to those who have the capability.
constexpr auto identity = std::to_array<string_view>({
    "getuid",     "getuid32",   "geteuid",     "geteuid32",  "getgid",      "getgid32",   "getegid",
    "getegid32",  "getresuid",  "getresuid32", "getresgid",  "getresgid32", "getgroups",  "getgroups32",
    "setuid",     "setuid32",   "setgid",      "setgid32",   "setreuid",    "setreuid32", "setregid",
    "setregid32", "setresuid",  "setresuid32", "setresgid",  "setresgid32", "setgroups",  "setgroups32",
    "setfsuid",   "setfsuid32", "setfsgid",    "setfsgid32", "capget",      "capset",
});

constexpr auto clocks = std::to_array<string_view>({
    "time",
    "gettimeofday",
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "clock_getres_time64",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
});

constexpr auto host = std::to_array<string_view>({"uname", "sysinfo", "getcpu", "getrandom"});

// socket(2) has a rule of its own.
constexpr auto sockets = std::to_array<string_view>({
    "socketpair",  "bind",       "listen",     "accept",   "accept4",         "connect",  "getsockname",
    "getpeername", "getsockopt", "setsockopt", "send",     "sendto",          "sendmsg",  "sendmmsg",
    "recv",        "recvfrom",   "recvmsg",    "recvmmsg", "recvmmsg_time64", "shutdown",
});

// ---- what larger programs do ----

constexpr auto file_changes = std::to_array<string_view>({
    "link",          "linkat",       "symlink",      "symlinkat",   "chmod",       "fchmod",           "fchmodat",
    "fchmodat2",     "chown",        "chown32",      "fchown",      "fchown32",    "lchown",           "lchown32",
    "fchownat",      "utime",        "utimes",       "futimesat",   "utimensat",   "utimensat_time64", "setxattr",
    "lsetxattr",     "fsetxattr",    "setxattrat",   "getxattr",    "lgetxattr",   "fgetxattr",        "getxattrat",
    "listxattr",     "llistxattr",   "flistxattr",   "listxattrat", "removexattr", "lremovexattr",     "fremovexattr",
    "removexattrat", "file_getattr", "file_setattr", "cachestat",
});

constexpr auto watches =
    std::to_array<string_view>({"inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch"});

constexpr auto scheduling = std::to_array<string_view>({
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getattr",
    "sched_setattr",
    "sched_getparam",
    "sched_setparam",
    "sched_getscheduler",
    "sched_setscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_rr_get_interval",
    "sched_rr_get_interval_time64",
    "setpriority",
    "nice",
    "ioprio_get",
    "ioprio_set",
});

// Of the container's own ipc namespace.
constexpr auto ipc = std::to_array<string_view>({
    "shmget",
    "shmat",
    "shmdt",
    "shmctl",
    "semget",
    "semop",
    "semctl",
    "semtimedop",
    "semtimedop_time64",
    "msgget",
    "msgsnd",
    "msgrcv",
    "msgctl",
    "mq_open",
    "mq_unlink",
    "mq_timedsend",
    "mq_timedsend_time64",
    "mq_timedreceive",
    "mq_timedreceive_time64",
    "mq_notify",
    "mq_getsetattr",
});

// What a program takes from itself: protection keys, Landlock, a filter of its own.
constexpr auto self_confinement = std::to_array<string_view>({
    "seccomp",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "lsm_get_self_attr",
    "lsm_set_self_attr",
    "lsm_list_modules",
});

// ---- what default has beyond strict ----

constexpr auto special_files = std::to_array<string_view>({
    "mknod",
    "mknodat",
    "name_to_handle_at",
    "fanotify_mark",
    "vmsplice",
    "remap_file_pages",
    "memfd_secret",
});

constexpr auto asynchronous = std::to_array<string_view>({
    "io_setup",
    "io_destroy",
    "io_submit",
    "io_cancel",
    "io_getevents",
    "io_pgetevents",
    "io_pgetevents_time64",
});

// Forms that newer calls have replaced; programs with 32 bits and old C libraries make them.
constexpr auto obsolete = std::to_array<string_view>({
    "ipc",
    "socketcall",
    "signal",
    "sigaction",
    "sigprocmask",
    "sigsuspend",
    "sigpending",
    "sgetmask",
    "ssetmask",
    "adjtimex",
    "modify_ldt",
    "readdir",
    "epoll_ctl_old",
    "epoll_wait_old",
    "sysfs",
    "ustat",
    "_sysctl",
});

// ---- what goes with a capability ----

constexpr auto root_directory = std::to_array<string_view>({"chroot"});
constexpr auto administration = std::to_array<string_view>({
    "mount",         "umount",        "umount2",        "fsopen",        "fsconfig",
    "fsmount",       "fspick",        "move_mount",     "open_tree",     "open_tree_attr",
    "mount_setattr", "statmount",     "listmount",      "unshare",       "setns",
    "clone",         "clone3",        "sethostname",    "setdomainname", "quotactl",
    "quotactl_fd",   "fanotify_init", "lookup_dcookie", "bpf",           "perf_event_open",
});
constexpr auto programs_in_kernel = std::to_array<string_view>({"bpf"});
constexpr auto counters = std::to_array<string_view>({"perf_event_open"});
constexpr auto handles = std::to_array<string_view>({"open_by_handle_at"});
constexpr auto restart = std::to_array<string_view>({"reboot"});
constexpr auto modules = std::to_array<string_view>({"init_module", "finit_module", "delete_module"});
constexpr auto accounting = std::to_array<string_view>({"acct"});
constexpr auto inspection = std::to_array<string_view>(
    {"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"});
constexpr auto raw_ports = std::to_array<string_view>({"iopl", "ioperm"});
constexpr auto clock_setting = std::to_array<string_view>(
    {"settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64"});
constexpr auto hang_up = std::to_array<string_view>({"vhangup"});
constexpr auto placement = std::to_array<string_view>(
    {"mbind", "get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages"});
constexpr auto kernel_log = std::to_array<string_view>({"syslog"});

constexpr auto minimal = std::to_array<CallGroup>({
    {"", content},
    {"", names},
    {"", polling},
    {"", memory},
    {"", threads},
    {"", processes},
    {"", signals},
    {"", identity},
    {"", clocks},
    {"", host},
    {"", sockets},
});

constexpr auto strict = [] {
  constexpr auto more = std::to_array<CallGroup>(
      {{"", file_changes}, {"", watches}, {"", scheduling}, {"", ipc}, {"", self_confinement}});
  std::array<CallGroup, minimal.size() + more.size()> all;
  std::size_t at = 0;
  for (const CallGroup &group : minimal) all[at++] = group;
  for (const CallGroup &group : more) all[at++] = group;
  return all;
}();

constexpr auto ordinary = [] {
  constexpr auto more = std::to_array<CallGroup>({
      {"", special_files},
      {"", asynchronous},
      {"", obsolete},
      {"CAP_SYS_CHROOT", root_directory},
      {"CAP_SYS_ADMIN", administration},
      {"CAP_BPF", programs_in_kernel},
      {"CAP_PERFMON", counters},
      {"CAP_DAC_READ_SEARCH", handles},
      {"CAP_SYS_BOOT", restart},
      {"CAP_SYS_MODULE", modules},
      {"CAP_SYS_PACCT", accounting},
      {"CAP_SYS_PTRACE", inspection},
      {"CAP_SYS_RAWIO", raw_ports},
      {"CAP_SYS_TIME", clock_setting},
      {"CAP_SYS_TTY_CONFIG", hang_up},
      {"CAP_SYS_NICE", placement},
      {"CAP_SYSLOG", kernel_log},
  });
  std::array<CallGroup, strict.size() + more.size()> all;
  std::size_t at = 0;
  for (const CallGroup &group : strict) all[at++] = group;
  for (const CallGroup &group : more) all[at++] = group;
  return all;
}();

}  // namespace

std::span<const CallGroup> default_calls() { return ordinary; }
std::span<const CallGroup> strict_calls() { return strict; }
std::span<const CallGroup> minimal_calls() { return minimal; }

}  // namespace skiff::compose
