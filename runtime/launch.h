// The parent's side of a create: makes init, does to it from outside what it cannot do itself, and listens until it is
// ready. Its twin is init.h.
#pragma once

#include "runtime/cgroup.h"
#include "runtime/cli/log.h"
#include "runtime/container.h"
#include "runtime/kernel/process.h"
#include "runtime/plan.h"

namespace skiff {

struct LaunchRequest {
  const Plan &plan;
  const Host &host;
  const spec::Config &config;  // for the hooks' state
  Container &container;        // its record gets pid, start time and cgroup paths
  const kernel::Procfs &proc;
  kernel::Fd host_rootfs;              // with plan.host_mounts: to be attached; else invalid
  kernel::Fd console_socket;           // connected; invalid without a terminal
  kernel::Fd image;                    // take_image (seal.h), to be closed while init works
  bool gate = true;                    // create: init waits at the gate; run: it waits for go_on
  std::vector<std::string> &warnings;  // gets those of the cgroup
  const cli::Log &log;
};

// Init at its gate. Dropping it kills init; the cgroup stays until remove().
struct Launched {
  kernel::Child init;
  kernel::Fd sync;
  Cgroup cgroup;
};

// On an error nothing is left: no process, no cgroup. The caller removes the container's directory.
[[nodiscard]] Result<Launched> launch(LaunchRequest request);

// After launch without a gate: lets init become the program. The Error is init's own.
[[nodiscard]] Status let_go(const Launched &launched);

// Runs what the caller has to when a process that speaks over `sync` hands over its seccomp listener.
[[nodiscard]] Status forward_listener(const kernel::Child &child, std::int32_t number, const std::string &listener_path,
                                      const std::string &metadata, const spec::State &state);

// Why a child ended without a word: its exit status, and whether the kernel killed it for memory.
[[nodiscard]] Error explain_end(kernel::Child &child, const Cgroup &cgroup);

}  // namespace skiff
