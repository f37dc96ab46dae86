#include "runtime/kernel/capability.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "runtime/kernel/call.h"
#include "spec/capability_names.h"

namespace skiff::kernel {
namespace {

using spec::capability_names;

// Version 3 of the interface has two words for each set.
using Words = std::array<__user_cap_data_struct, 2>;

__user_cap_header_struct make_header() { return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0}; }

constexpr uint64_t join(uint32_t first, uint32_t second) { return uint64_t{second} << 32U | first; }
constexpr uint32_t low(CapabilitySet set) { return static_cast<uint32_t>(set); }
constexpr uint32_t high(CapabilitySet set) { return static_cast<uint32_t>(set >> 32U); }

bool is_known(int capability) { return ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; }

std::string_view show(int capability) {
  const auto index = static_cast<size_t>(capability);
  return index < capability_names.size() ? capability_names[index] : "unknown capability";
}

}  // namespace

Result<Capabilities> capget() {
  __user_cap_header_struct header = make_header();
  Words words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) return call_failed("capget", {});
  return Capabilities{.effective = join(words[0].effective, words[1].effective),
                      .permitted = join(words[0].permitted, words[1].permitted),
                      .inheritable = join(words[0].inheritable, words[1].inheritable)};
}

Status capset(const Capabilities &capabilities) {
  __user_cap_header_struct header = make_header();
  Words words{{{.effective = low(capabilities.effective),
                .permitted = low(capabilities.permitted),
                .inheritable = low(capabilities.inheritable)},
               {.effective = high(capabilities.effective),
                .permitted = high(capabilities.permitted),
                .inheritable = high(capabilities.inheritable)}}};
  if (::syscall(SYS_capset, &header, words.data()) == 0) return {};
  return call_failed("capset", {Argument::word("effective"), Argument::flags(capabilities.effective, {}),
                                Argument::word("permitted"), Argument::flags(capabilities.permitted, {}),
                                Argument::word("inheritable"), Argument::flags(capabilities.inheritable, {})});
}

int last_capability() {
  int last = static_cast<int>(capability_names.size()) - 1;
  while (last > 0 && !is_known(last)) --last;
  while (last < 63 && is_known(last + 1)) ++last;
  return last;
}

CapabilitySet get_bounding_set() {
  CapabilitySet set = 0;
  for (int capability = 0; capability < 64; ++capability) {
    const int held = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (held < 0) break;
    if (held > 0) set |= capability_bit(capability);
  }
  return set;
}

Status limit_bounding_set(CapabilitySet keep) {
  for (int capability = 0; capability < 64; ++capability) {
    if ((keep & capability_bit(capability)) != 0) continue;
    Status dropped = capbset_drop(capability);
    if (dropped) continue;
    // EINVAL: the kernel knows no more of them. Where dropping is not allowed, one that is gone already is no error.
    const int held = dropped.error().number == EPERM ? ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) : -1;
    if (held < 0) break;
    if (held > 0) return dropped;
  }
  return {};
}

Status capbset_drop(int capability) {
  if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) return {};
  return call_failed("prctl", {Argument::word("PR_CAPBSET_DROP"), Argument::word(show(capability))});
}

Status cap_ambient_clear_all() {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0) return {};
  return call_failed("prctl", {Argument::word("PR_CAP_AMBIENT_CLEAR_ALL")});
}

Status cap_ambient_raise(int capability) {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0) return {};
  return call_failed("prctl", {Argument::word("PR_CAP_AMBIENT_RAISE"), Argument::word(show(capability))});
}

CapabilitySet get_ambient_set() {
  CapabilitySet set = 0;
  for (int capability = 0; capability <= last_capability(); ++capability) {
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0) set |= capability_bit(capability);
  }
  return set;
}

}  // namespace skiff::kernel
