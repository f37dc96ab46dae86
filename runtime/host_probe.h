// Reads once what deciding needs to know about the host.
#pragma once

#include <string_view>

#include "runtime/host.h"
#include "runtime/kernel/proc.h"
#include "spec/error.h"

namespace skiff {

// $LISTEN_FDS; 0 where $LISTEN_PID is not this process, sd_listen_fds(3).
[[nodiscard]] std::uint32_t read_listen_fds();

// $NOTIFY_SOCKET, sd_notify(3), or empty.
[[nodiscard]] std::string read_notify_socket();

// A host with cgroup v2 alone is known by one statfs(2); mountinfo is read only on the others. No cgroups at all is no
// error.
[[nodiscard]] Result<Host> read_host(const kernel::Procfs &proc);
[[nodiscard]] Result<Host> read_host();  // of the host's own /proc

// The cgroup mounts of a mountinfo (proc_pid_mountinfo(5)) with the cgroups of a PID/cgroup (cgroups(7)) in them. A
// hierarchy mounted more than once counts where it was mounted first. Pure.
[[nodiscard]] std::vector<CgroupHierarchy> parse_hierarchies(std::string_view mountinfo, std::string_view own);

}  // namespace skiff
