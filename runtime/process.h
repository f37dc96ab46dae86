// The last part of the way from a child of the runtime to the user's program, the same for init and for exec: the steps
// of the plan one after the other, then the program.
#pragma once

#include <span>
#include <string>

#include "runtime/cli/log.h"
#include "runtime/hooks.h"
#include "runtime/plan.h"
#include "runtime/rootfs.h"
#include "spec/state.h"

namespace skiff {

// What the child holds while it applies its steps.
struct ProcessSetup {
  const cli::Log &log;
  const Program &program;
  const kernel::Procfs &proc;
  const kernel::Fd &root;          // what paths of the container are resolved in
  kernel::Fd sync;                 // to the parent
  kernel::Fd console_socket;       // where the pty's master goes; invalid without a terminal
  HookFiles hook_files;            // for the output of hooks
  kernel::Fd slave;                // of the terminal, once there is one
  Rootfs *rootfs = nullptr;        // init only
  spec::State state;               // what hooks in the container are told; pid and status are set when they run
  bool cwd_denied = false;         // the first of two ChangeDirectory steps was refused
  bool executable_failed = false;  // the error is about process.args, whatever step found it
  std::string executable;          // the program's path, known once the working directory is
  std::string home;                // of the program's user
};

// Applies the steps in order, one debug line a step. The error has the step's field in front.
[[nodiscard]] Status apply_steps(std::span<const Step> steps, ProcessSetup &setup);

// Becomes the program. Returns only an error: exec's own, or that it was not found.
[[nodiscard]] Error exec_program(const ProcessSetup &setup);

}  // namespace skiff
