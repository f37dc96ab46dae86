// Runs one command of a runtime, as an engine does, and keeps what it says.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {

using Clock = std::chrono::steady_clock;

struct Outcome {
  int code = -1;  // of the exit, or 128 + the signal
  std::string out;
  std::string err;

  // Of a signal. Some runtimes exit with 255.
  [[nodiscard]] bool died() const { return code > 128 && code <= 128 + 64; }
  // "exit status 1: what it wrote to stderr", for the text of a failure.
  [[nodiscard]] std::string summary() const;
};

// A command that was started, and the pipes that a container it leaves behind goes on writing to.
struct Running {
  kernel::Child child;
  kernel::Fd out;  // none where stdout was given
  kernel::Fd err;
};

// What the command gets beside its words.
struct Surroundings {
  std::string directory;                  // working directory; empty: ours
  kernel::FdView input = kernel::no_fd;   // stdin; none: /dev/null
  kernel::FdView output = kernel::no_fd;  // stdout; none: a pipe of Running
};

// The first word is a path. The child dies with us.
[[nodiscard]] Result<Running> spawn(const std::vector<std::string> &words, const Surroundings &around);

// Waits for the end of the command, not of those that hold its pipes after it, and takes what came meanwhile. An error
// where the deadline passes first; the command is killed then.
[[nodiscard]] Result<Outcome> finish(Running &running, Clock::time_point deadline);

// The next line of the descriptor, without its end; `buffer` keeps what came after it. An error at the deadline or at
// the end of the file.
[[nodiscard]] Result<std::string> read_line(kernel::FdView fd, std::string &buffer, Clock::time_point deadline);

// What is left of the time until then, never negative.
[[nodiscard]] std::chrono::milliseconds left(Clock::time_point deadline);

}  // namespace skiff::conformance
