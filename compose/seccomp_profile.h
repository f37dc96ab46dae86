// Which system calls a container may make: three profiles of our own, and files.
//
// A profile allows what is listed; anything else fails with EPERM, a call that the profile's author did not know with
// ENOSYS (skiff's filter does that), so that a C library falls back. Lists say what a call does by its manual page.
//
//   default   what programs need; not what changes the host or looks into it: modules, mounts, keyrings, kexec, bpf,
//             perf, clocks, swap, other processes' memory. A capability that is given gives the calls that need it.
//   strict    of those: no new namespaces, no ptrace, no io_uring, no userfaultfd, no obsolete calls, and sockets for
//             IP, Unix and netlink only. Capabilities add nothing.
//   minimal   what a static HTTP server and a shell need.
//   disabled  none
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::compose {

struct SeccompContext {
  std::vector<std::string> capabilities;  // CAP_..., of the bounding set
  std::string machine;                    // uname(2): x86_64, aarch64
  std::uint32_t kernel = 0;               // major << 16 | minor << 8
};

// This host's machine and kernel.
[[nodiscard]] SeccompContext seccomp_context(std::vector<std::string> capabilities);

// `name` is default, strict, minimal, disabled (or unconfined), or a file: Docker's form of a profile, with includes,
// excludes and minKernel, or the runtime specification's. Nothing for disabled.
[[nodiscard]] Result<std::optional<spec::Seccomp>> make_seccomp(const std::string &name, const SeccompContext &context);

// What make_seccomp does with a file's text; `path` is for errors.
[[nodiscard]] Result<spec::Seccomp> parse_seccomp_profile(std::string_view json, const std::string &path,
                                                          const SeccompContext &context);

// The calls of one purpose.
struct CallGroup {
  std::string_view capability;  // needed as well; empty: none
  std::span<const std::string_view> names;
};

[[nodiscard]] std::span<const CallGroup> default_calls();
[[nodiscard]] std::span<const CallGroup> strict_calls();
[[nodiscard]] std::span<const CallGroup> minimal_calls();

}  // namespace skiff::compose
