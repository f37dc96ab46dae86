// Programs that go on while the test looks at them: a `run` in the foreground, two commands at once, a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/process.h"
#include "tests/cli/rig.h"

namespace skiff::rig {

// The command line of rig.skiff(words), after config.json is written: so not while a create reads it. `environment`
// holds NAME=VALUE.
[[nodiscard]] std::vector<std::string> command_line(const Rig &rig, const std::vector<std::string> &words,
                                                    const std::vector<std::string> &environment = {});

// Starts a program whose descriptor i is a copy of fds[i]; dropped, it is killed.
[[nodiscard]] kernel::Child start_program(const std::vector<std::string> &words,
                                          const std::vector<kernel::FdView> &fds);
// With /dev/null for stdin, stdout and stderr.
[[nodiscard]] kernel::Child start_quietly(const std::vector<std::string> &words);
// Its exit code, or 128 + the signal; -1 where it does not end in time.
[[nodiscard]] int wait_for_code(kernel::Child &child, std::chrono::milliseconds patience = std::chrono::seconds(20));

// `events` of the container, whose lines come out of `out`.
struct EventStream {
  kernel::Child process;
  kernel::Fd out;
};
[[nodiscard]] EventStream start_events(const Rig &rig, const std::string &interval);

// The engine's side of --console-socket.
class ConsoleSocket {
 public:
  explicit ConsoleSocket(const std::string &path);
  // The terminal's master: exactly one descriptor, with a name as payload, as containerd reads it.
  [[nodiscard]] kernel::Fd receive();

 private:
  kernel::Fd listener_;
};

// Reads until `wanted` has come, or the other side is closed, or nothing comes any more: what came.
[[nodiscard]] std::string read_until(kernel::FdView fd, std::string_view wanted);

}  // namespace skiff::rig
