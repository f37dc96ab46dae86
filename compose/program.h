// The other programs: skiff, skiff-image, aardvark-dns, iptables, pasta. They are run, never linked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernel/process.h"

namespace skiff::compose {

using Words = std::vector<std::string>;

// Beside this program, else on $PATH. ENOENT with what to install.
[[nodiscard]] Result<std::string> find_program(const std::string &name);

struct ProgramOutput {
  int code = 0;  // the exit code, or 128 + the signal
  std::string out;
  std::string err;
};

// Runs it to its end with `input` on its standard input. words[0] is its path. The caller ignores SIGPIPE: a program
// need not read its input.
[[nodiscard]] Result<ProgramOutput> run_program(const Words &words, std::string_view input = {});

// The same, where a failure is an Error: "skiff create: ", and what it said itself.
[[nodiscard]] Result<std::string> call_program(const Words &words, std::string_view input = {});

struct Streams {
  kernel::FdView in = kernel::no_fd;  // /dev/null where it is none
  kernel::FdView out = kernel::no_fd;
  kernel::FdView err = kernel::no_fd;
};

// Starts it and does not wait: dropping the Child kills it. The streams may be 0, 1 and 2 to hand on one's own. It runs
// in the user namespace of the process that `inside` is a pidfd of, where it is given.
[[nodiscard]] Result<kernel::Child> start_program(const Words &words, const Streams &streams,
                                                  kernel::FdView inside = kernel::no_fd);

// The same, and it is killed when we are.
[[nodiscard]] Result<kernel::Child> start_bound_program(const Words &words, const Streams &streams);

// Starts it as nobody's child, in a session of its own: it goes on when we end.
[[nodiscard]] Status start_detached(const Words &words, const Streams &streams = {});

}  // namespace skiff::compose
