// Compiled seccomp programs, kept in ROOT/@seccomp under the hash of their profile: libseccomp needs milliseconds for a
// profile that an engine gives to every one of its containers.
#pragma once

#include <optional>
#include <string>

#include "runtime/bpf.h"
#include "runtime/cli/log.h"

namespace skiff {

// The program of this profile, from the cache or compiled now and put there; empty without a profile. A cache that
// cannot be read or written, or holds something else, costs time and is no error. The directory is the owner's alone
// (0700), as the key is no signature. System calls that libseccomp does not know are left out, with a debug line each.
[[nodiscard]] Result<std::optional<SeccompProgram>> load_seccomp(const std::string &root,
                                                                 const std::optional<spec::Seccomp> &seccomp,
                                                                 const cli::Log &log);

}  // namespace skiff
