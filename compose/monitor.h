// The process beside each container that runs: it is the parent of the container's first process, keeps its output,
// serves who attaches, and knows how it ended. It runs `skiff create` and `skiff start`; everything that follows the
// end another process does, so that this one stays small.
//
// Killed, it takes nothing along: the container goes on without a log, and the next command sees how it ends.
#pragma once

#include <string>

#include "compose/log_file.h"
#include "compose/program.h"

namespace skiff::compose {

struct MonitorRequest {
  std::string id;
  std::string sockets;  // RUN/ID, which is there
  Words runtime;        // skiff and its global flags
  std::string bundle;
  Words settle;  // the program to run when the container has ended
  LogOptions log;
  kernel::Fd inside;  // of who is in the user namespace to create it in (a pidfd); invalid: our own
  bool terminal = false;
  bool stdin_open = false;  // else the program reads /dev/null
};

// The exit code of the monitor: how the container ended it tells by RUN/ID/exit ("CODE TIME") and to who is attached.
[[nodiscard]] Result<int> run_monitor(const MonitorRequest &request);

}  // namespace skiff::compose
