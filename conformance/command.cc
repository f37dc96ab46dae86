#include "conformance/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/kernel/prctl.h"

namespace skiff::conformance {
namespace {

// The child: never returns.
[[noreturn]] void become(const std::vector<std::string> &words, const Surroundings &around, kernel::FdView out,
                         kernel::FdView err) {
  std::vector<const char *> argv;
  argv.reserve(words.size() + 1);
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  const kernel::Fd null = kernel::open("/dev/null", O_RDONLY).value_or(kernel::Fd());
  const bool ready = kernel::set_pdeathsig(SIGKILL) && kernel::reset_signals() &&
                     kernel::dup_onto(around.input.valid() ? around.input : kernel::FdView(null), 0) &&
                     kernel::dup_onto(out, 1) && kernel::dup_onto(err, 2) &&
                     (around.directory.empty() || kernel::chdir(around.directory));
  if (ready) (void)kernel::execveat(kernel::cwd, words.front(), argv.data(), environ, 0);
  constexpr std::string_view sorry = "the command could not be started\n";
  (void)kernel::write_all(kernel::FdView(2), sorry);
  ::_exit(127);
}

// What there is to read now; the end of the file closes it.
void drain(kernel::Fd &fd, std::string &into) {
  std::array<char, 65536> buffer{};
  const Result<std::size_t> got = kernel::read_some(fd, buffer);
  if (!got || *got == 0) {
    fd.reset();
  } else {
    into.append(buffer.data(), *got);
  }
}

}  // namespace

std::string Outcome::summary() const {
  std::string_view said = err;
  while (said.ends_with('\n')) said.remove_suffix(1);
  constexpr std::size_t longest = 600;
  if (said.size() > longest) said.remove_prefix(said.size() - longest);
  return died() ? fmt::format("killed by signal {}: {}", code - 128, said)
                : fmt::format("exit status {}: {}", code, said.empty() ? "without a word" : said);
}

std::chrono::milliseconds left(Clock::time_point deadline) {
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(time, std::chrono::milliseconds(0));
}

Result<Running> spawn(const std::vector<std::string> &words, const Surroundings &around) {
  kernel::Pipe out = TRY(kernel::pipe2());
  kernel::Pipe err = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process())
    become(words, around, around.output.valid() ? around.output : kernel::FdView(out.write), err.write);
  if (around.output.valid()) out.read.reset();
  return Running{std::move(child), std::move(out.read), std::move(err.read)};
}

Result<Outcome> finish(Running &running, Clock::time_point deadline) {
  Outcome outcome;
  for (bool ended = false;;) {
    std::array<pollfd, 3> fds = {{{running.out.get(), POLLIN, 0},
                                  {running.err.get(), POLLIN, 0},
                                  {ended ? -1 : running.child.pidfd().get(), POLLIN, 0}}};
    // Once it has ended, all that it wrote is there: no more waiting.
    if (TRY(kernel::poll(fds, ended ? std::chrono::milliseconds(0) : left(deadline))) == 0) {
      if (ended) break;
      return fail(fmt::format("it did not end in time; so far it wrote: {}{}", outcome.out, outcome.err));
    }
    ended = ended || fds[2].revents != 0;
    if (fds[0].revents != 0) drain(running.out, outcome.out);
    if (fds[1].revents != 0) drain(running.err, outcome.err);
  }
  outcome.code = TRY(running.child.wait()).shell_code();
  return outcome;
}

Result<std::string> read_line(kernel::FdView fd, std::string &buffer, Clock::time_point deadline) {
  while (buffer.find('\n') == std::string::npos) {
    if (!TRY(kernel::wait_readable(fd, left(deadline)))) return fail("the container wrote no line in time");
    std::array<char, 65536> bytes{};
    const std::size_t got = TRY(kernel::read_some(fd, bytes));
    if (got == 0) return fail(fmt::format("the container ended without a line; it wrote \"{}\"", buffer));
    buffer.append(bytes.data(), got);
  }
  const std::size_t end = buffer.find('\n');
  std::string line = buffer.substr(0, end);
  buffer.erase(0, end + 1);
  return line;
}

}  // namespace skiff::conformance
