// config-linux.md, Seccomp: what a filter does, and which are refused.
#include <errno.h>
#include <fmt/format.h>
#include <sys/syscall.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

Verdict call_fails(Stage &stage) {
  stage.config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
    {"names": ["getpgrp", "getpgid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]})"_json);
  stage.inside("observe", {"mkdir:/work/new", fmt::format("syscall:{}:0", SYS_getpgid), "create:/work/file"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("the mode of seccomp", seen.text("/seccomp"), "2"));
  TRY(expect_number("errno of mkdir", probe_errno(seen, 0), EPERM));
  TRY(expect_number("errno of getpgid", probe_errno(seen, 1), 99));
  return expect_number("errno of a call without a rule", probe_errno(seen, 2), 0);
}

Verdict argument_decides(Stage &stage) {
  Tree seccomp = R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getpgid"],
    "action": "SCMP_ACT_ERRNO", "errnoRet": 99, "args": [{"index": 0, "value": 7}]}]})"_json;
  const std::string_view variant = stage.variant();
  seccomp.set("/syscalls/0/args/0/op", std::string(variant.substr(0, variant.find(' '))));
  if (variant.starts_with("SCMP_CMP_MASKED_EQ")) seccomp.set("/syscalls/0/args/0/valueTwo", 7);
  stage.config.set("/linux/seccomp", std::move(seccomp));
  // Arguments below, at and above 7; a getpgid of these pids that is not filtered finds no such process.
  stage.inside("observe", {fmt::format("syscall:{}:6", SYS_getpgid), fmt::format("syscall:{}:7", SYS_getpgid),
                           fmt::format("syscall:{}:8", SYS_getpgid), fmt::format("syscall:{}:15", SYS_getpgid)});
  const Tree seen = TRY(stage.observed());
  std::string filtered;
  for (std::size_t i = 0; i < 4; ++i) filtered += probe_errno(seen, i) == 99 ? 'x' : '.';
  return expect_same("which of 6, 7, 8, 15 are filtered", filtered, std::string(variant.substr(variant.find(' ') + 1)));
}

Verdict default_errno(Stage &stage) {
  stage.config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 77})"_json);
  // Everything is forbidden, so the program cannot even run: it ends without a word. A filter of what it needs shows
  // the default for the rest.
  stage.config.set("/linux/seccomp/syscalls/-", R"({"action": "SCMP_ACT_ALLOW", "names": ["execve", "execveat", "brk",
    "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom",
    "mprotect", "mmap", "munmap", "openat", "open", "close", "read", "write", "fstat", "newfstatat", "getdents64",
    "fcntl", "getcwd", "getpid", "getppid", "getsid", "getresuid", "getresgid", "getgroups", "umask", "prctl",
    "sched_getparam", "sched_getscheduler", "getpriority", "ioprio_get", "personality", "uname", "ioctl", "stat",
    "clock_gettime", "socket", "bind", "getsockname", "sendto", "recvmsg", "exit_group", "exit", "futex", "fork",
    "clone", "clone3", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "gettid", "tgkill",
    "sched_yield", "nanosleep", "pread64", "lseek", "access", "faccessat", "faccessat2", "getuid", "getgid", "geteuid",
    "getegid", "capget", "capset", "setgroups", "setresuid", "setresgid", "setuid", "setgid", "chdir", "fchdir",
    "dup", "dup2", "dup3", "pipe2", "poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2", "madvise",
    "sched_getaffinity", "statfs", "fstatfs", "statx", "setsid", "close_range", "sendmsg", "recvfrom", "seccomp",
    "fchown", "keyctl", "openat2", "signalfd4", "writev", "readv", "timer_create", "timer_settime", "timer_delete",
    "kill", "wait4", "waitid", "unlink", "unlinkat", "memfd_create", "mount", "umount2", "getpgrp", "getpgid"]})"_json);
  stage.inside("observe", {fmt::format("syscall:{}:/work/x:0", SYS_mkdir)});
  const Tree seen = TRY(stage.observed());
  return expect_number("errno of a call without a rule", probe_errno(seen, 0), 77);
}

Verdict kills(Stage &stage) {
  stage.config.set("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["getpgid"], "action": "SCMP_ACT_KILL_PROCESS"}]})"_json);
  stage.inside("observe", {fmt::format("syscall:{}:0", SYS_getpgid)});
  TRY(stage.started());
  const Ending ending = TRY(stage.ended());
  if (!ending) return skip("the container's process is not left to the caller of create, which alone could ask");
  return expect(ending->signaled && ending->code == SIGSYS, "the end of the program", "by SIGSYS",
                fmt::format("{} {}", ending->signaled ? "by signal" : "with status", ending->code));
}

Verdict refused(Stage &stage) {
  stage.config.set("/linux/seccomp", TRY(Tree::parse(stage.variant())));
  return expect_refused(stage, stage.variant());
}

constexpr Case table[] = {
    {"seccomp/a-rule-makes-a-call-fail", "runtime.start.runs", call_fails},
    {"seccomp/equal", "runtime.start.runs", argument_decides, "SCMP_CMP_EQ .x.."},
    {"seccomp/not-equal", "runtime.start.runs", argument_decides, "SCMP_CMP_NE x.xx"},
    {"seccomp/less", "runtime.start.runs", argument_decides, "SCMP_CMP_LT x..."},
    {"seccomp/less-or-equal", "runtime.start.runs", argument_decides, "SCMP_CMP_LE xx.."},
    {"seccomp/greater", "runtime.start.runs", argument_decides, "SCMP_CMP_GT ..xx"},
    {"seccomp/greater-or-equal", "runtime.start.runs", argument_decides, "SCMP_CMP_GE .xxx"},
    {"seccomp/masked-equal", "runtime.start.runs", argument_decides, "SCMP_CMP_MASKED_EQ .x.x"},
    {"seccomp/the-default-has-its-errno", "runtime.start.runs", default_errno},
    {"seccomp/a-rule-kills", "runtime.start.runs", kills},
    {"seccomp/defaultAction-is-required", "linux.seccomp.defaultAction config.values", refused,
     R"({"syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})"},
    {"seccomp/defaultAction-must-be-known", "linux.seccomp.defaultAction config.values", refused,
     R"({"defaultAction": "SCMP_ACT_SMILE"})"},
    {"seccomp/action-is-required", "linux.seccomp.syscalls.action config.values", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"]}]})"},
    {"seccomp/action-must-be-known", "linux.seccomp.syscalls.action config.values", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_SMILE"}]})"},
    {"seccomp/names-must-not-be-empty", "linux.seccomp.syscalls.names", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]})",
     "runc and crun take the rule for none; the clause asks for one name at least"},
    {"seccomp/errnoRet-of-an-action-without-fails", "linux.seccomp.syscalls.errnoRet", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_KILL_PROCESS",
         "errnoRet": 5}]})"},
    {"seccomp/defaultErrnoRet-of-an-action-without-fails", "linux.seccomp.defaultErrnoRet", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 5,
         "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})"},
    {"seccomp/op-must-be-known", "linux.seccomp.args.op config.values", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO",
         "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_LIKE"}]}]})"},
    {"seccomp/architecture-must-be-known", "config.values", refused,
     R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_ABACUS"],
         "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})"},
};

}  // namespace

std::span<const Case> seccomp_cases() { return table; }

}  // namespace skiff::conformance
