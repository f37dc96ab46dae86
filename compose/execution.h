// One more program in a running container: exec, health checks, hooks.
#pragma once

#include <string>
#include <vector>

#include "compose/container.h"
#include "compose/engine.h"
#include "spec/config.h"

namespace skiff::compose {

struct ExecRequest {
  std::vector<std::string> args;
  Environment environment;
  std::string user;         // by name or number, with or without a group; empty: the container's
  std::string working_dir;  // empty: the container's
  bool terminal = false;
  bool privileged = false;
};

// The container's own process with what the request says otherwise.
[[nodiscard]] Result<spec::Process> make_exec_process(const Engine &engine, const Container &container,
                                                      const ExecRequest &request);

// The words that run it. What it is, its environment with it, stands in a file of memory: in no other file and on no
// command line. It goes with this value.
struct ExecCommand {
  Words words;
  kernel::Fd process;
  kernel::Fd log;  // what the runtime says of its own
};
[[nodiscard]] Result<ExecCommand> make_exec_command(const Engine &engine, const Container &container,
                                                    const ExecRequest &request, bool detach);
// What docker's exec ends with, by the code of the runtime and what it said: 127 where the program is not there, 126
// where it cannot be run.
[[nodiscard]] int exec_exit_code(const ExecCommand &command, int code);

// Runs it to its end and keeps what it writes.
[[nodiscard]] Result<ProgramOutput> run_in_container(const Engine &engine, const Container &container,
                                                     const ExecRequest &request);

}  // namespace skiff::compose
