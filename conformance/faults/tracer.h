// Runs a command under ptrace(2) and makes one of its system calls a fault, always the same one.
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/error.h"

namespace skiff::conformance {

// One call of a command. It is found again in another run by its process, which is named by its place among the
// children of each ancestor ("0" the command, "0.1" its second child), and by its ordinal among the process's calls of
// the same name. Threads count as their process.
struct CallPlace {
  std::string process;
  std::string call;
  std::uint32_t ordinal = 0;

  bool operator==(const CallPlace &) const = default;
};

enum class Fault : std::uint8_t {
  none,
  kill,          // SIGKILL to the process that makes the call
  kill_command,  // SIGKILL to the command while a child of it makes the call
  error,         // the call fails
};

struct Injection {
  Fault fault = Fault::none;
  CallPlace place;
  int error = 0;      // errno
  bool made = false;  // the call has its effect all the same
};

struct Order {
  std::vector<std::string> words;  // the first one a path
  std::string directory;
  std::string out;  // files that stdout and stderr are appended to
  std::string err;
  // Who executes this file is let go. Empty: nobody.
  std::string released_program;
  bool only_itself = false;     // whoever executes any other file than the command's is let go, too
  std::optional<int> attached;  // a process that is traced as well from the start, as "1"
  bool record = false;          // the calls are listed
  Injection injection;
  std::chrono::milliseconds patience{};
};

struct TracedCall {
  CallPlace place;
  std::string path;      // the argument that is one
  bool stream = false;   // its first argument is a pipe or a socket, of which reads and writes do not fail as files do
  bool loading = false;  // made by the dynamic loader before the program has begun: what that says is not the program's
};

struct Traced {
  int code = -1;  // of the exit, or 128 + the signal
  bool hung = false;
  bool reached = false;  // the call of the injection was made
  std::string path;      // its argument
  std::vector<TracedCall> calls;
};

// Waits for the end of the command, and of what is attached. What lives on then is let go.
[[nodiscard]] Result<Traced> run_traced(const Order &order);

}  // namespace skiff::conformance
