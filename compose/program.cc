#include "compose/program.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "compose/user_namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"

namespace skiff::compose {
namespace {

constexpr std::size_t longest_output = std::size_t{64} << 20U;

struct Manner {
  // Whom a command waits for goes with it: killed, it leaves nobody behind who still makes what the next one sweeps up.
  bool dies_with_parent = false;
  kernel::FdView inside = kernel::no_fd;  // of start_program
  pid_t parent = 0;
};

// One who has died before the call sends no signal.
Status die_with(pid_t parent) {
  TRY(kernel::set_pdeathsig(SIGKILL));
  return kernel::getppid() == parent ? Status() : fail("who started it has ended");
}

// Found before: the namespace's root may not reach the directory that it is in.
Status become_in(const Manner &manner, const std::vector<const char *> &argv) {
  const kernel::Fd program = TRY(kernel::open(argv.front(), O_PATH));
  TRY(become_root_of(manner.inside));
  // Whose credentials change forgets the signal: PR_SET_PDEATHSIG(2const). All that runs in there is waited for.
  TRY(die_with(manner.parent));
  return std::unexpected(kernel::execveat(program, "", argv.data(), environ, AT_EMPTY_PATH));
}

// Returns only to tell why it did not.
Status become(const std::vector<const char *> &argv, const std::array<kernel::FdView, 3> &streams, const Manner &manner,
              std::array<kernel::Fd, 3> &copies) {
  TRY(kernel::reset_signals());
  if (manner.dies_with_parent) TRY(die_with(manner.parent));
  // Above 2 first: one of them may be what another is to become.
  for (std::size_t i = 0; i < streams.size(); ++i) copies[i] = TRY(kernel::dup_above(streams[i], 3));
  for (std::size_t i = 0; i < copies.size(); ++i) TRY(kernel::dup_onto(copies[i], static_cast<int>(i)));
  if (manner.inside.valid()) return become_in(manner, argv);
  return std::unexpected(kernel::execveat(kernel::cwd, argv.front(), argv.data(), environ, 0));
}

std::string name_of(const Words &words) { return words.front().substr(words.front().rfind('/') + 1); }

// What it has to say comes where the program's own words would have come.
[[noreturn]] void become_or_tell(const Words &words, const std::array<kernel::FdView, 3> &streams,
                                 const Manner &manner) {
  std::vector<const char *> argv;
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  std::array<kernel::Fd, 3> copies;
  const Status done = become(argv, streams, manner, copies);
  const kernel::FdView err = copies[2].valid() ? kernel::FdView(copies[2]) : streams[2];
  (void)kernel::write_all(err, fmt::format("{}: {}\n", name_of(words), done.error().message()));
  _exit(127);
}

Result<kernel::Child> start_bound(const Words &words, const Streams &streams, Manner manner) {
  manner.parent = kernel::getpid();
  const kernel::Fd null = TRY(kernel::open("/dev/null", O_RDWR));
  std::array<kernel::FdView, 3> all = {streams.in, streams.out, streams.err};
  for (kernel::FdView &one : all) {
    if (!one.valid()) one = null;
  }
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) become_or_tell(words, all, manner);
  return child;
}

// What has come on one of the two pipes; the pipe is closed at its end.
Status take(kernel::Fd &pipe, std::string &text, short events) {
  if (!pipe.valid() || events == 0) return {};
  std::array<char, 16384> buffer;
  const std::size_t count = TRY(kernel::read_some(pipe, buffer));
  if (count == 0) pipe.reset();
  if (text.size() + count > longest_output) return fail(EFBIG, "its output");
  text.append(buffer.data(), count);
  return {};
}

Status feed(kernel::Fd &pipe, std::string_view &input, short events) {
  if (!pipe.valid() || events == 0) return {};
  const Result<std::size_t> count = kernel::write_some(pipe, input);
  // One that fails before it has read all still says why.
  if (!count && count.error().number != EPIPE) return std::unexpected(count.error());
  input.remove_prefix(count ? *count : input.size());
  if (input.empty()) pipe.reset();
  return {};
}

Status talk(kernel::Fd &in, kernel::Fd &out, kernel::Fd &err, std::string_view input, ProgramOutput &output) {
  if (input.empty()) in.reset();
  if (in.valid()) TRY(kernel::set_nonblocking(in, true));
  while (in.valid() || out.valid() || err.valid()) {
    std::array<pollfd, 3> events = {{{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    TRY(kernel::poll(events, kernel::forever));
    TRY(feed(in, input, events[0].revents));
    TRY(take(out, output.out, events[1].revents));
    TRY(take(err, output.err, events[2].revents));
  }
  return {};
}

// "/" keeps no file system from being unmounted.
Status start_from_root(const Words &words, const Streams &streams) {
  (void)TRY(kernel::setsid());
  TRY(kernel::chdir("/"));
  (void)TRY(start_program(words, streams)).release();
  return {};
}

std::string last_words(const ProgramOutput &output) {
  std::string text = output.err.empty() ? output.out : output.err;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<std::string> find_program(const std::string &name) {
  const std::string self = TRY(kernel::readlinkat(kernel::cwd, "/proc/self/exe"));
  // Where they are built each lies in a folder of its own.
  const std::string folder = self.substr(0, self.rfind('/'));
  for (const std::string &place : {fmt::format("{}/{}", folder, name), fmt::format("{}/../runtime/{}", folder, name),
                                   fmt::format("{}/../imgtool/{}", folder, name)}) {
    if (kernel::faccessat(kernel::cwd, place, X_OK)) return place;
  }
  if (std::string found = kernel::find_on_path(name); !found.empty()) return found;
  return fail(ENOENT, fmt::format("{}: it is neither beside this program nor on $PATH", name), "install it");
}

Result<kernel::Child> start_program(const Words &words, const Streams &streams, kernel::FdView inside) {
  return start_bound(words, streams, {.inside = inside});
}

Result<kernel::Child> start_bound_program(const Words &words, const Streams &streams) {
  return start_bound(words, streams, {.dies_with_parent = true});
}

Status start_detached(const Words &words, const Streams &streams) {
  kernel::Pipe why = TRY(kernel::pipe2());
  kernel::Child between = TRY(kernel::clone3({}));
  if (between.is_this_process()) {
    const Status started = start_from_root(words, streams);
    if (!started) (void)kernel::write_all(why.write, started.error().message());
    _exit(started ? 0 : 1);
  }
  why.write.reset();
  const std::string said = TRY(kernel::read_all(why.read, longest_output));
  if (TRY(between.wait()).shell_code() == 0) return {};
  return fail(fmt::format("{} could not be started{}{}", words.front(), said.empty() ? "" : ": ", said));
}

Result<ProgramOutput> run_program(const Words &words, std::string_view input) {
  kernel::Pipe in = TRY(kernel::pipe2());
  kernel::Pipe out = TRY(kernel::pipe2());
  kernel::Pipe err = TRY(kernel::pipe2());
  kernel::Child child =
      TRY(start_bound(words, {.in = in.read, .out = out.write, .err = err.write}, {.dies_with_parent = true}));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  ProgramOutput output;
  TRY(skiff::in(words.front(), talk(in.write, out.read, err.read, input, output)));
  output.code = TRY(child.wait()).shell_code();
  return output;
}

Result<std::string> call_program(const Words &words, std::string_view input) {
  ProgramOutput output = TRY(run_program(words, input));
  if (output.code == 0) return std::move(output.out);
  const std::string name = name_of(words);
  std::string said = last_words(output);
  // It names itself already.
  if (said.starts_with(name)) return fail(std::move(said));
  return fail(said.empty() ? fmt::format("{}: exit code {}", name, output.code) : fmt::format("{}: {}", name, said));
}

}  // namespace skiff::compose
