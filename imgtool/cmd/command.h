// What every command gets, and the table entry that each command's file owns.
#pragma once

#include <string>

#include "imgtool/interrupts.h"
#include "imgtool/progress.h"
#include "imgtool/registry.h"
#include "runtime/cli/flags.h"
#include "runtime/cli/log.h"

namespace skiff::image {

struct Context {
  const cli::Program &program;
  const cli::Invocation &invocation;
  const cli::Log &log;
  std::string store;         // the directory of --store
  RegistryOptions registry;  // of the global flags
  ProgressMode progress = ProgressMode::automatic;
  Interrupts &interrupts;

  [[nodiscard]] const cli::Flags &flags() const { return invocation.flags; }
  [[nodiscard]] std::string flag(std::string_view name) const { return std::string(invocation.flags.string(name)); }
  [[nodiscard]] std::string argument(std::size_t index) const {
    return index < invocation.positionals.size() ? std::string(invocation.positionals[index]) : std::string();
  }
  [[nodiscard]] bool quiet() const { return progress == ProgressMode::quiet; }
};

// The exit code, or the error that main prints. One whose errno is ENOENT ends the program with 2, as skopeo says that
// there is no such image.
using Run = Result<int> (*)(const Context &);

struct CommandEntry {
  cli::Command command;
  Run run;
};

// Each table is constant: it stands in the program's own, which is built when it is compiled.
extern const CommandEntry completion_command, man_command;

}  // namespace skiff::image
