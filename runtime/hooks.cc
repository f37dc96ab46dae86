#include "runtime/hooks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include "runtime/kernel/fd.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/plan_annotations.h"

namespace skiff {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kept_output = 2048;  // of what a failed hook wrote: its end explains most

struct Streams {
  kernel::Pipe input;
  kernel::Pipe output;
};

// In the child. Returns only where the program could not be run.
Error exec_hook(const spec::Hook &hook, const Streams &streams, const HookFiles &files) {
  const kernel::Fd &out = files.out.valid() ? files.out : streams.output.write;
  const kernel::Fd &err = files.err.valid() ? files.err : streams.output.write;
  for (const auto &[fd, number] : {std::pair{&streams.input.read, 0}, std::pair{&out, 1}, std::pair{&err, 2}}) {
    if (const Status done = kernel::dup_onto(*fd, number); !done) return done.error();
  }
  if (const Status done = kernel::reset_signals(); !done) return done.error();
  std::vector<const char *> argv;
  for (const std::string &arg : hook.args) argv.push_back(arg.c_str());
  if (argv.empty()) argv.push_back(hook.path.c_str());
  argv.push_back(nullptr);
  std::vector<const char *> envp;
  for (const std::string &entry : hook.env) envp.push_back(entry.c_str());
  envp.push_back(nullptr);
  return kernel::execveat(kernel::cwd, hook.path, argv.data(), envp.data(), 0);
}

std::chrono::milliseconds remaining(const spec::Hook &hook, Clock::time_point started) {
  if (!hook.timeout) return kernel::forever;
  const auto left = std::chrono::seconds(*hook.timeout) - (Clock::now() - started);
  return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(0));
}

void keep_end(std::string &text, std::string_view more) {
  text += more;
  if (text.size() > kept_output) text.erase(0, text.size() - kept_output);
}

// Reads the hook's output until the hook itself has ended: a daemon that it left behind may hold the pipe for ever.
Result<bool> follow(const kernel::Child &child, Streams &streams, const spec::Hook &hook, std::string_view state,
                    std::string &output) {
  const auto started = Clock::now();
  std::array<char, 4096> buffer{};
  while (true) {
    std::array<pollfd, 3> fds = {{{child.pidfd().get(), POLLIN, 0},
                                  {streams.output.read.get(), POLLIN, 0},
                                  {streams.input.write.get(), POLLOUT, 0}}};
    const int events = TRY(kernel::poll(fds, remaining(hook, started)));
    if (events == 0) return false;
    if (fds[2].revents != 0) {
      const Result<std::size_t> wrote = kernel::write_some(streams.input.write, state);
      state.remove_prefix(wrote ? *wrote : state.size());  // EPIPE: a hook need not read its state
      if (state.empty()) streams.input.write.reset();
    }
    if (fds[1].revents != 0) {
      const std::size_t got = TRY(kernel::read_some(streams.output.read, buffer));
      keep_end(output, {buffer.data(), got});
      if (got == 0) streams.output.read.reset();
    } else if (fds[0].revents != 0) {
      return true;
    }
  }
}

std::string last_words(std::string_view output) {
  while (!output.empty() && (output.back() == '\n' || output.back() == ' ')) output.remove_suffix(1);
  if (output.empty()) return {};
  return fmt::format(": {}", output);
}

Status run_hook(const spec::Hook &hook, std::string_view state, const HookFiles &files) {
  Streams streams{TRY(kernel::pipe2()), TRY(kernel::pipe2())};
  TRY(kernel::set_nonblocking(streams.input.write, true));
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    // Read back as the hook's own output. 127 is what a shell gives for a program that cannot be run.
    (void)kernel::write_some(streams.output.write, exec_hook(hook, streams, files).message());
    _exit(127);
  }
  streams.input.read.reset();
  streams.output.write.reset();
  std::string output;
  if (!TRY(follow(child, streams, hook, state, output))) {
    return fail(fmt::format("killed after its timeout of {} s{}", *hook.timeout, last_words(output)),
                "raise the hook's timeout or find out what it waits for");
  }
  const kernel::ExitStatus ended = TRY(child.wait());
  if (ended.shell_code() == 0) return {};
  std::string how = fmt::format("exit status {}", ended.code);
  if (ended.signaled) {
    const char *signal = ::sigdescr_np(ended.code);
    how = fmt::format("killed by signal {}", ended.code);
    if (signal != nullptr) how += fmt::format(" ({}{})", static_cast<char>(std::tolower(*signal)), signal + 1);
  }
  return fail(how + last_words(output));
}

Result<kernel::Fd> open_hook_file(const spec::StringMap &annotations, std::string_view name) {
  const auto found = annotations.find(std::string(name));
  if (found == annotations.end()) return kernel::Fd();
  return in(fmt::format("annotations[\"{}\"]", name),
            kernel::open(found->second, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0600));
}

std::string place(RunHooks::Kind kind, std::size_t index, const spec::Hook &hook) {
  return fmt::format("hooks.{}[{}] ({})", hook_kind_name(kind), index, hook.path);
}

}  // namespace

std::string_view hook_kind_name(RunHooks::Kind kind) {
  static constexpr std::array<std::string_view, 6> names = {"prestart",       "createRuntime", "createContainer",
                                                            "startContainer", "poststart",     "poststop"};
  return names[static_cast<std::size_t>(kind)];
}

Result<HookFiles> open_hook_files(const spec::StringMap &annotations) {
  return HookFiles{.out = TRY(open_hook_file(annotations, annotation::hooks_stdout)),
                   .err = TRY(open_hook_file(annotations, annotation::hooks_stderr))};
}

Status run_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks, std::string_view state,
                 const HookFiles &files) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    TRY(in(fmt::format("{}: error running {} hook #{}", place(kind, i, hooks[i]), hook_kind_name(kind), i),
           run_hook(hooks[i], state, files)));
  }
  return {};
}

std::vector<Error> run_all_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks, std::string_view state,
                                 const HookFiles &files) {
  std::vector<Error> errors;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    Status done = in(place(kind, i, hooks[i]), run_hook(hooks[i], state, files));
    if (!done) errors.push_back(std::move(done).error());
  }
  return errors;
}

}  // namespace skiff
