// Runs commands and says how long they took.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/kernel/fd.h"

namespace skiff::bench {

using Words = std::vector<std::string>;

// A command line of a case. The program of a container outlives `start`: `ends` names the file with the pid of a
// process whose end is awaited after the command, and counts as part of it; empty for none.
struct Step {
  Words words;
  bool measured = true;  // otherwise it only prepares
  std::string ends = {};
  Words removes = {};  // files and directories that are removed before the command, unmeasured
};
using Steps = std::vector<Step>;

// Where commands speak to: stdin and stdout are /dev/null, stderr goes to a file that is kept for the report of a
// failure.
class Streams {
 public:
  // Creates the file. Errors: those of open(2).
  [[nodiscard]] static Result<Streams> open(const std::string &errors);

  [[nodiscard]] int null() const { return null_.get(); }
  [[nodiscard]] int errors() const { return errors_.get(); }
  // What was written since the last call, one line, without control characters.
  [[nodiscard]] std::string take_errors() const;

 private:
  kernel::Fd null_;
  kernel::Fd errors_;
};

// `wall` is from before the fork to after the wait. `cpu` is the processor's time for the command and all it waited
// for: a busy neighbour does not change it much.
struct Cost {
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds cpu{};
};

// Runs the steps one after the other: the cost of the measured ones. A command that does not exit with 0 is an error
// that shows its command line and what it said.
[[nodiscard]] Result<Cost> run_steps(const Steps &steps, const Streams &streams);

// What is removed before a step.
void prepare(const Step &step);

// Starts a command and leaves the waiting to the caller.
[[nodiscard]] Result<pid_t> spawn(const Words &words, const Streams &streams);

// The same of one command, whose exit status is returned.
[[nodiscard]] Result<int> run_command(const Words &words, const Streams &streams);

// The command line, as a shell would take it.
[[nodiscard]] std::string join_words(const Words &words);

// A pidfd of the process whose pid stands in that file; ESRCH where it is gone already.
[[nodiscard]] Result<kernel::Fd> open_process_of(const std::string &pid_file);

// Waits for whatever became our child without our doing: containers whose runtime has ended.
void reap_orphans();

}  // namespace skiff::bench
