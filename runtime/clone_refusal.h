// Why the kernel would not make a container's process: a switch of the administrator's, which the errno alone does not
// name.
#pragma once

#include "runtime/kernel/proc.h"
#include "runtime/kernel/process.h"

namespace skiff {

// The same result; a refusal gets the remedy that the host's switches (user_namespaces(7), cgroups(7)) point to.
[[nodiscard]] Result<kernel::Child> explain_clone(Result<kernel::Child> child, const kernel::CloneRequest &request,
                                                  const kernel::Procfs &proc);

// The same for the error itself, of clone3(2) or unshare(2).
[[nodiscard]] Error explain_refusal(Error error, const kernel::CloneRequest &request, const kernel::Procfs &proc);

// An unprivileged runtime whose AppArmor profile takes the capabilities from user namespaces (Ubuntu 23.10 and later)
// fails wherever it uses the first: an error without a remedy gets this one.
[[nodiscard]] Error explain_confinement(Error error, const kernel::Procfs &proc);

}  // namespace skiff
