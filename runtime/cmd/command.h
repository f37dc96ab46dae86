// What every command gets, and the table entry that each command's file owns.
#pragma once

#include <string>

#include "runtime/cli/flags.h"
#include "runtime/cli/log.h"
#include "runtime/seal.h"

namespace skiff {

struct Context {
  const cli::Program &program;
  const cli::Invocation &invocation;
  const cli::Log &log;
  std::string root;   // of the runtime's state
  kernel::Fd &image;  // take_image (seal.h): for the commands that enter a container to close

  [[nodiscard]] const cli::Flags &flags() const { return invocation.flags; }
  [[nodiscard]] std::string flag(std::string_view name) const { return std::string(invocation.flags.string(name)); }
  [[nodiscard]] std::string id() const { return std::string(invocation.positionals.front()); }
};

// The exit code, or the error that main prints.
using Run = Result<int> (*)(const Context &);

struct CommandEntry {
  cli::Command command;
  Run run;
  bool enters_container = false;  // its process is seen inside: main seals the binary first (seal.h)
  int error_code = 1;             // what an error exits with
};

extern const CommandEntry check_command, checkpoint_command, completion_command, create_command, delete_command,
    events_command, exec_command, features_command, kill_command, list_command, man_command, pause_command,
    plan_command, ps_command, restore_command, resume_command, run_command, spec_command, start_command, state_command,
    update_command;

}  // namespace skiff
