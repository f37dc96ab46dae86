// The child's side of a create: what happens between clone3 and the user's program, in the container's namespaces.
#pragma once

#include <vector>

#include "runtime/cli/log.h"
#include "runtime/hooks.h"
#include "runtime/kernel/fd.h"
#include "runtime/kernel/proc.h"
#include "runtime/plan.h"
#include "spec/state.h"

namespace skiff {

// What init inherits.
struct Inheritance {
  kernel::Fd sync;
  kernel::Fd gate;  // invalid in `run`: the parent's go_on takes its place
  kernel::Fd console_socket;
  HookFiles hook_files;  // opened outside, for the hooks that run inside
  std::vector<kernel::Fd> sources;
  bool wait_for_parent = false;  // id maps or a v1 cgroup come first
  // An unprivileged runtime reaches into init (a listener of seccomp, an exec before the start) only while that is
  // dumpable. Harmless where nothing was joined: nobody else is in its user namespace.
  bool traceable = false;
  kernel::Procfs proc;  // the host's: opened before any namespace of the container is entered
};

// Never returns: becomes the program, or reports its error and ends.
[[noreturn]] void run_init(const Plan &plan, Inheritance inherited, const spec::State &state, const cli::Log &log);

// The relay (see Launch): joins the namespaces that have a path, clones init as the parent's own child, tells its pid,
// ends. Returns only in init, with `inherited` ready for run_init.
void run_relay(const Plan &plan, Inheritance &inherited, const std::vector<kernel::Fd> &joins);

}  // namespace skiff
