// Capabilities: their names and the five sets of a thread (capabilities(7)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"

namespace skiff::kernel {

// Indexed by number, as linux/capability.h counts them.
inline constexpr std::array<std::string_view, 41> capability_names = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

// The number of "CAP_CHOWN"; "chown" and "cap_chown" are the same. Empty for a name that is none.
[[nodiscard]] std::optional<int> parse_capability(std::string_view name);

// One bit a capability.
using CapabilitySet = uint64_t;
[[nodiscard]] constexpr CapabilitySet capability_bit(int number) {
  return uint64_t{1} << static_cast<unsigned>(number);
}

struct Capabilities {
  CapabilitySet effective = 0;
  CapabilitySet permitted = 0;
  CapabilitySet inheritable = 0;

  bool operator==(const Capabilities &) const = default;
};
// capget(2) and capset(2), version 3, of the calling thread. EPERM where permitted would grow.
[[nodiscard]] Result<Capabilities> capget();
[[nodiscard]] Status capset(const Capabilities &capabilities);

// The highest number this kernel knows, found by PR_CAPBSET_READ: needs no /proc.
[[nodiscard]] int last_capability();
// PR_CAPBSET_READ of all: the bounding set.
[[nodiscard]] CapabilitySet get_bounding_set();
// PR_CAPBSET_DROP of everything that is not in `keep`. Needs CAP_SETPCAP where there is something to drop.
[[nodiscard]] Status limit_bounding_set(CapabilitySet keep);
[[nodiscard]] Status capbset_drop(int capability);
// PR_CAP_AMBIENT_*. Raising asks that the capability is permitted and inheritable: EPERM.
[[nodiscard]] Status cap_ambient_clear_all();
[[nodiscard]] Status cap_ambient_raise(int capability);
[[nodiscard]] CapabilitySet get_ambient_set();

}  // namespace skiff::kernel
