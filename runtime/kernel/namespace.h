// Namespaces: joining, leaving, and asking a descriptor of one what it is (ioctl_ns(2)).
#pragma once

#include <sched.h>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"

// Linux 5.6; glibc hides it.
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace skiff::kernel {

// setns(2): `fd` is a namespace, or (Linux 5.8) a pidfd with any set of CLONE_NEW* in `flags`. 0 takes any type.
[[nodiscard]] Status setns(FdView fd, int flags);
[[nodiscard]] Status unshare(int flags);

// /proc/PID/ns/NAME, where NAME is "mnt", "net", "pid_for_children", ...: a namespace of a process that the caller can
// ptrace. ESRCH or ENOENT where the process is gone, ENOENT too where the kernel has no such namespace.
[[nodiscard]] Result<Fd> open_namespace(const Procfs &proc, pid_t pid, CString name);

// The same of the caller, by self/ns/NAME: for who does not know its pid in the procfs.
[[nodiscard]] Result<Fd> open_own_namespace(const Procfs &proc, CString name);

// /proc/PID/root of a process that the caller can ptrace, O_PATH: where its "/" is, whatever its mount namespace's.
[[nodiscard]] Result<Fd> open_process_root(const Procfs &proc, pid_t pid);

// NS_GET_NSTYPE: a CLONE_NEW* flag. ENOTTY where the descriptor is no namespace.
[[nodiscard]] Result<int> get_namespace_type(FdView ns);
// NS_GET_USERNS: the user namespace that owns it. EPERM where that is outside the caller's.
[[nodiscard]] Result<Fd> get_owning_user_namespace(FdView ns);
// NS_GET_OWNER_UID of a user namespace, as seen from the caller's.
[[nodiscard]] Result<uid_t> get_owner_uid(FdView user_namespace);
// Whether the caller's user namespace is the host's: user_namespaces(7), it maps every id to itself.
[[nodiscard]] Result<bool> in_first_user_namespace(const Procfs &proc);
// Whether both descriptors are one namespace (device and inode).
[[nodiscard]] Result<bool> is_same_namespace(FdView one, FdView other);

}  // namespace skiff::kernel
