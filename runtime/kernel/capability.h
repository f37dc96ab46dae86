// Capabilities: the five sets of a thread (capabilities(7)).
#pragma once

#include <cstdint>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"

namespace skiff::kernel {

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
