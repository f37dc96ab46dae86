// linux.seccomp as a program for the kernel: libseccomp's translation of the rules, with a stub in front of it that
// answers ENOSYS to system calls newer than the profile (config-linux.md, "Seccomp"; seccomp(2)).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff {

struct SeccompProgram {
  std::vector<sock_filter> filter;
};

// The names that this libseccomp does not know, for debug lines: their rules are left out, because a profile is written
// for many kernels and libraries.
[[nodiscard]] std::vector<std::string_view> unknown_syscalls(const spec::Seccomp &seccomp);

// Costs milliseconds for a profile of some hundred calls on several architectures; see seccomp_cache_key. Errors name
// the field below linux.seccomp.
[[nodiscard]] Result<SeccompProgram> make_seccomp_program(const spec::Seccomp &seccomp);

// What seccomp(2) is given for a name of spec::seccomp_flag_names, 0 for one that asks nothing of it; nothing for
// another name.
[[nodiscard]] std::optional<std::uint32_t> seccomp_flag(std::string_view name);

// SECCOMP_FILTER_FLAG_* of seccomp.flags, without NEW_LISTENER. SPEC_ALLOW where the field is absent, as opposed to
// empty: before Linux 5.16 a filter without it slows the process down by the mitigation of speculative store bypass.
[[nodiscard]] Result<std::uint32_t> seccomp_flags(const spec::Seccomp &seccomp);

// Whether a rule notifies, so that the filter has a listener.
[[nodiscard]] bool seccomp_notifies(const spec::Seccomp &seccomp);

// 32 hexadecimal digits, the same for values that compile to the same program with this build of skiff and this
// libseccomp: the name under which a compiled program may be kept. No secret and no signature (FNV-1a, 128 bits): the
// directory it names a file in must be writable by its owner alone.
[[nodiscard]] std::string seccomp_cache_key(const spec::Seccomp &seccomp);

}  // namespace skiff
