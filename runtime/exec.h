// A further process in a running container: the parent's and the child's side of `exec`.
#pragma once

#include "runtime/cgroup.h"
#include "runtime/cli/log.h"
#include "runtime/container.h"
#include "runtime/kernel/process.h"
#include "runtime/plan.h"

namespace skiff {

struct ExecRequest {
  const ExecPlan &plan;
  const Container &container;
  const spec::Config &config;  // the container's: its namespaces are joined
  const kernel::Procfs &proc;
  kernel::Fd console_socket;  // connected; invalid without a terminal
  Cgroup cgroup;              // where the process goes
  kernel::Fd image;           // take_image (seal.h), to be closed while the process is made
  bool cgroup_named = false;  // by the caller, who means this one and no other
  const cli::Log &log;
};

// The process, once it runs its program; our child, although a relay made it. Errors are the child's own.
[[nodiscard]] Result<kernel::Child> exec_in_container(ExecRequest request);

}  // namespace skiff
