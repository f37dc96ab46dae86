// bpf(2), as far as the device rules of a cgroup v2 need it (Linux 4.15).
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::kernel {

// BPF_PROG_LOAD of type BPF_PROG_TYPE_CGROUP_DEVICE. A program the verifier refuses is an error whose text ends in the
// verifier's log. EPERM without CAP_BPF (CAP_SYS_ADMIN before Linux 5.8) in the first user namespace.
[[nodiscard]] Result<Fd> load_device_program(std::span<const bpf_insn> program);
// BPF_PROG_ATTACH to a cgroup directory as BPF_CGROUP_DEVICE. `flags` BPF_F_ALLOW_MULTI, and BPF_F_REPLACE with the
// program to replace (Linux 5.6).
[[nodiscard]] Status attach_device_program(FdView cgroup, FdView program, unsigned flags, FdView replaced = no_fd);
[[nodiscard]] Status detach_device_program(FdView cgroup, FdView program);
// BPF_PROG_QUERY: ids of the programs attached to this very cgroup, in order.
[[nodiscard]] Result<std::vector<uint32_t>> query_device_programs(FdView cgroup);
// BPF_PROG_GET_FD_BY_ID.
[[nodiscard]] Result<Fd> open_bpf_program(uint32_t id);

}  // namespace skiff::kernel
