// The program that a container of the conformance cases runs: a static file that needs nothing else in the rootfs.
//
//   inside observe PROBE... [-- IGNORED...]   prints one JSON object and ends
//   inside wait PROBE... [-- IGNORED...]      the same, then prints {"signal": N} for each signal; SIGTERM ends it
//   inside spy FILE                           looks for ways out through other processes until the file is there;
//   prints
//                                             what it met
//   inside exit CODE
//   inside log FILE TAG [then WORDS...]       appends {"tag": TAG, ...} to the file, then goes on as WORDS say
//   inside hook FILE TAG [exit CODE|hang]     the same with its stdin: what a hook was given
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <string_view>

#include "conformance/inside/observe.h"
#include "conformance/inside/probe.h"
#include "conformance/inside/spy.h"

namespace skiff::inside {
namespace {

using Words = std::span<char *>;

void write_line(int fd, std::string text) {
  text += '\n';
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string read_input() {
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(0, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

void print_observation(Words words) {
  Text out('{');
  observe_process(out, static_cast<int>(words.size()), words.data());
  observe_system(out);
  Text probes('[');
  for (const std::string_view word : words.subspan(2)) {
    if (word == "--") break;
    probes.raw("", probe(word));
  }
  out.raw("probes", probes.finish());
  write_line(1, out.finish());
}

int wait_for_signals(Words words) {
  // Blocked before the first line: whoever has read it may send one at once.
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  print_observation(words);
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&all, &info);
    if (signal < 0 || signal == SIGCHLD) continue;
    Text line('{');
    line.add("signal", signal);
    write_line(1, line.finish());
    if (signal == SIGTERM) return 0;
  }
}

// One line in one write(2), so that the lines of several processes do not mix.
int append_line(Words words, std::string_view input) {
  Text out('{');
  out.add("tag", words[3]);
  Text arguments('[');
  for (const char *word : words) arguments.add("", word);
  out.raw("argv", arguments.finish());
  Text environment('[');
  for (char **entry = environ; *entry != nullptr; ++entry) environment.add("", *entry);
  out.raw("env", environment.finish());
  out.raw("namespaces", namespaces());
  out.add("pid", ::getpid());
  out.add("uid", ::getuid());
  // Whether the root directory here is that of the container.
  struct stat found{};
  out.raw("containerRoot", ::stat("/inside", &found) == 0 ? "true" : "false");
  out.add("input", input);
  const int fd = ::open(words[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return 3;
  write_line(fd, out.finish());
  ::close(fd);
  return 0;
}

int end_hook(Words words) {
  if (words.size() > 5 && std::string_view(words[4]) == "exit") return std::atoi(words[5]);
  while (words.size() > 4 && std::string_view(words[4]) == "hang") ::pause();
  return 0;
}

int run(Words words) {
  const std::string_view mode = words.size() > 1 ? words[1] : "";
  if (mode == "observe") return print_observation(words), 0;
  if (mode == "wait") return wait_for_signals(words);
  if (mode == "spy" && words.size() > 2) return write_line(1, spy(words[2])), 0;
  if (mode == "exit" && words.size() > 2) return std::atoi(words[2]);
  if (mode == "hook" && words.size() > 3) {
    const int failure = append_line(words, read_input());
    return failure != 0 ? failure : end_hook(words);
  }
  if (mode == "log" && words.size() > 3) {
    const int failure = append_line(words, "");
    // The word "then" takes the place of the program's name.
    return failure != 0 || words.size() < 6 ? failure : run(words.subspan(4));
  }
  return 2;
}

}  // namespace
}  // namespace skiff::inside

int main(int argc, char **argv) { return skiff::inside::run({argv, static_cast<std::size_t>(argc)}); }
