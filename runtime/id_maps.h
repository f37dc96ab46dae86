// The id maps of a new user namespace, written from outside (user_namespaces(7)).
#pragma once

#include <sys/types.h>

#include "runtime/host.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"

namespace skiff {

// Writes gid_map and uid_map of `pid`. A privileged runtime writes them itself. An ordinary user may map only himself,
// with setgroups denied (CVE-2014-8989); for more, newuidmap and newgidmap are run, which grant what /etc/subuid and
// /etc/subgid say. Errors name linux.uidMappings or linux.gidMappings and what to set up.
[[nodiscard]] Status write_id_maps(const kernel::Procfs &proc, pid_t pid, const IdMaps &maps, const Host &host);

}  // namespace skiff
