#include "conformance/faults/calls.h"

#include <seccomp.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace skiff::conformance {
namespace {

// Left out are errors that would say what is not so: ESRCH of a signal to a process that lives, ENOENT of an unlink of
// a file that is there, EINVAL of prctl(PR_CAPBSET_DROP), by which a kernel tells that it has no such capability. Who
// believes the kernel then does nothing wrong, and nothing could be told about it.
constexpr CallFaults table[] = {
    {"accept4", "accept", -1, {EMFILE, ENOMEM, EINTR}},
    {"bind", "bind", -1, {EACCES, ENOMEM, EADDRINUSE}},
    {"bpf", "bpf", -1, {EPERM, ENOMEM}},
    {"capset", "cap", -1, {EPERM}},
    {"chdir", "chdir", 0, {EACCES, ENOMEM, EIO}},
    {"chmod", "chmod", 0, {EPERM, EROFS, EIO}},
    {"chown", "chown", 0, {EPERM, EROFS, EIO}},
    {"chroot", "chroot", 0, {EPERM, ENOMEM}},
    {"clone", "clone", -1, {EAGAIN, ENOMEM, ENOSPC, EPERM}},
    {"clone3", "clone", -1, {EAGAIN, ENOMEM, ENOSPC, EPERM}},
    {"close", "close", -1, {EIO, EINTR}, true},
    {"connect", "connect", -1, {ECONNREFUSED, EACCES, EAGAIN}},
    {"copy_file_range", "cop", -1, {EIO, ENOSPC}},
    {"dup", "dup", -1, {EMFILE}},
    {"dup2", "dup", -1, {EBUSY, EINTR}},
    {"dup3", "dup", -1, {EBUSY, EINTR}},
    {"epoll_create1", "epoll", -1, {EMFILE, ENOMEM}},
    {"epoll_ctl", "epoll", -1, {ENOMEM, ENOSPC}},
    {"eventfd2", "eventfd", -1, {EMFILE, ENOMEM}},
    {"execve", "exec", 0, {EACCES, ENOMEM, ENOENT, EIO}},
    {"execveat", "exec", 1, {EACCES, ENOMEM, ENOENT, EIO}},
    {"fallocate", "allocate", -1, {ENOSPC, EIO}},
    {"fchdir", "chdir", -1, {EACCES}},
    {"fchmod", "chmod", -1, {EPERM, EROFS, EIO}},
    {"fchmodat", "chmod", 1, {EPERM, EROFS, EIO}},
    {"fchown", "chown", -1, {EPERM, EROFS, EIO}},
    {"fchownat", "chown", 1, {EPERM, EROFS, EIO}},
    {"fcntl", "fcntl", -1, {EMFILE, EACCES}},
    {"fdatasync", "sync", -1, {EIO, ENOSPC}},
    {"flock", "lock", -1, {EINTR, ENOLCK, EIO}},
    {"fsconfig", "fsconfig", -1, {EPERM, ENOMEM, EINVAL}},
    {"fsmount", "fsmount", -1, {EPERM, ENOMEM, EMFILE}},
    {"fsopen", "fsopen", -1, {EPERM, ENOMEM, EMFILE}},
    {"fstat", "stat", -1, {EIO, ENOMEM}},
    {"fstatfs", "statfs", -1, {EIO, ENOMEM}},
    {"fsync", "sync", -1, {EIO, ENOSPC}},
    {"ftruncate", "truncate", -1, {EIO, ENOSPC}},
    {"getcwd", "getcwd", -1, {ENOENT, EACCES}},
    {"getdents64", "dir", -1, {EIO, ENOMEM}},
    {"inotify_init1", "inotify", -1, {EMFILE, ENOMEM}},
    {"ioctl", "ioctl", -1, {EIO, EPERM, EINTR}},
    {"keyctl", "key", -1, {EDQUOT, ENOMEM, EPERM}},
    {"linkat", "link", 1, {ENOSPC, EACCES, EIO, EPERM}},
    {"listen", "listen", -1, {EADDRINUSE}},
    {"lstat", "stat", 0, {EACCES, ENOMEM, EIO}},
    {"memfd_create", "memfd", -1, {EMFILE, ENOMEM}},
    {"mkdir", "mkdir", 0, {EACCES, ENOSPC, EIO, EROFS}},
    {"mkdirat", "mkdir", 1, {EACCES, ENOSPC, EIO, EROFS}},
    {"mknod", "mknod", 0, {EPERM, ENOSPC, EIO, EROFS}},
    {"mknodat", "mknod", 1, {EPERM, ENOSPC, EIO, EROFS}},
    {"mmap", "map", -1, {ENOMEM}},
    {"mount", "mount", 1, {EPERM, ENOMEM, EBUSY, EACCES}},
    {"mount_setattr", "mount", -1, {EPERM, ENOMEM, EINVAL}},
    {"move_mount", "mount", -1, {EPERM, ENOMEM, EBUSY}},
    {"newfstatat", "stat", 1, {EACCES, ENOMEM, EIO}},
    {"open", "open", 0, {EMFILE, ENOMEM, EACCES, EIO}},
    {"open_tree", "tree", 1, {EPERM, ENOMEM, EMFILE}},
    {"openat", "open", 1, {EMFILE, ENOMEM, EACCES, EIO}},
    {"openat2", "open", 1, {EMFILE, ENOMEM, EACCES, EAGAIN}},
    {"pidfd_getfd", "pidfd", -1, {EMFILE, EPERM}},
    {"pidfd_open", "pidfd", -1, {EMFILE, ENOMEM}},
    {"pidfd_send_signal", "signal", -1, {EPERM, EAGAIN}},
    {"kill", "kill", -1, {EPERM, EAGAIN}},
    {"pipe2", "pipe", -1, {EMFILE, ENFILE}},
    {"pivot_root", "pivot", 0, {EPERM, EBUSY, EINVAL}},
    {"poll", "poll", -1, {EINTR, ENOMEM}},
    {"ppoll", "poll", -1, {EINTR, ENOMEM}},
    {"prctl", "prctl", -1, {EPERM}},
    {"pread64", "read", -1, {EIO, EINTR}},
    {"prlimit64", "limit", -1, {EPERM}},
    {"pwrite64", "write", -1, {EIO, ENOSPC, EINTR}},
    {"read", "read", -1, {EIO, EINTR, ENOMEM}},
    {"readlink", "readlink", 0, {EACCES, ENOMEM, EIO}},
    {"readlinkat", "readlink", 1, {EACCES, ENOMEM, EIO}},
    {"recvfrom", "rec", -1, {ECONNRESET, ENOMEM, EINTR}},
    {"recvmsg", "rec", -1, {ECONNRESET, ENOMEM, EINTR}},
    {"rename", "rename", 0, {ENOSPC, EACCES, EIO}},
    {"renameat", "rename", 1, {ENOSPC, EACCES, EIO}},
    {"renameat2", "rename", 1, {ENOSPC, EACCES, EIO}},
    {"rmdir", "remove", 0, {EBUSY, EACCES, EIO}},
    {"sched_setaffinity", "affinity", -1, {EPERM, EINVAL}},
    {"seccomp", "seccomp", -1, {EACCES, ENOMEM, EINVAL}},
    {"sendfile", "send", -1, {EIO, ENOMEM, EINTR}},
    {"sendmsg", "send", -1, {ENOBUFS, ENOMEM, EINTR}},
    {"sendto", "send", -1, {ENOBUFS, ENOMEM, EINTR}},
    {"setgid", "gid", -1, {EPERM, EAGAIN}},
    {"setgroups", "setgroups", -1, {EPERM, ENOMEM}},
    {"sethostname", "hostname", -1, {EPERM}},
    {"setns", "setns", -1, {EPERM, ENOMEM, EINVAL}},
    {"setresgid", "gid", -1, {EPERM, EAGAIN}},
    {"setresuid", "uid", -1, {EPERM, EAGAIN}},
    {"setsid", "setsid", -1, {EPERM}},
    {"setuid", "uid", -1, {EPERM, EAGAIN}},
    {"signalfd4", "signalfd", -1, {EMFILE, ENOMEM}},
    {"socket", "socket", -1, {EMFILE, ENOBUFS, EACCES}},
    {"socketpair", "socket", -1, {EMFILE, ENOBUFS}},
    {"splice", "splice", -1, {ENOMEM, EIO}},
    {"stat", "stat", 0, {EACCES, ENOMEM, EIO}},
    {"statfs", "statfs", 0, {EACCES, ENOMEM, EIO}},
    {"statx", "stat", 1, {EACCES, ENOMEM, EIO}},
    {"symlink", "symlink", 1, {ENOSPC, EACCES, EIO}},
    {"symlinkat", "symlink", 2, {ENOSPC, EACCES, EIO}},
    {"timerfd_create", "timerfd", -1, {EMFILE, ENOMEM}},
    {"umount2", "mount", 0, {EBUSY, EPERM, ENOMEM}},
    {"unlink", "unlink", 0, {EBUSY, EACCES, EIO}},
    {"unlinkat", "unlink", 1, {EBUSY, EACCES, EIO}},
    {"unshare", "unshare", -1, {EPERM, ENOMEM, ENOSPC}},
    {"vfork", "fork", -1, {EAGAIN, ENOMEM}},
    {"wait4", "wait", -1, {EINTR}},
    {"waitid", "wait", -1, {EINTR}},
    {"write", "write", -1, {EIO, ENOSPC, EINTR, EBUSY}},
    {"writev", "write", -1, {EIO, ENOSPC, EINTR}},
};

}  // namespace

const CallFaults *find_faults(std::string_view name) {
  const CallFaults *found = std::ranges::find(table, name, &CallFaults::name);
  return found == std::end(table) ? nullptr : found;
}

std::string call_name(std::uint64_t number) {
  char *name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
  if (name == nullptr) return std::to_string(number);
  std::string copy(name);
  ::free(name);
  return copy;
}

std::string error_name(int number) {
  const char *name = ::strerrorname_np(number);
  return name == nullptr ? std::to_string(number) : name;
}

}  // namespace skiff::conformance
