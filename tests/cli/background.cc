#include "tests/cli/background.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/kernel/socket.h"

namespace skiff::rig {
namespace {

constexpr int above_all_targets = 100;  // so that no copy is overwritten before its turn

[[noreturn]] void become(const std::vector<std::string> &words, const std::vector<kernel::FdView> &fds) {
  std::vector<kernel::Fd> copies;
  for (const kernel::FdView fd : fds) copies.push_back(kernel::dup_above(fd, above_all_targets).value());
  for (std::size_t i = 0; i < copies.size(); ++i) {
    if (!kernel::dup_onto(copies[i], static_cast<int>(i))) _exit(126);
  }
  std::vector<const char *> argv;
  for (const std::string &word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  (void)kernel::execveat(kernel::cwd, words.front(), argv.data(), environ, 0);
  _exit(127);
}

}  // namespace

std::vector<std::string> command_line(const Rig &rig, const std::vector<std::string> &words,
                                      const std::vector<std::string> &environment) {
  write_file(rig.bundle() + "/config.json", rig.config.dump(2));
  std::vector<std::string> all = {"/usr/bin/env", "-C", rig.bundle()};
  all.insert(all.end(), environment.begin(), environment.end());
  all.insert(all.end(), {program(), "--root", rig.root()});
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

kernel::Child start_program(const std::vector<std::string> &words, const std::vector<kernel::FdView> &fds) {
  kernel::Child child = kernel::clone3({}).value();
  if (child.is_this_process()) become(words, fds);
  return child;
}

kernel::Child start_quietly(const std::vector<std::string> &words) {
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  return start_program(words, {null, null, null});
}

EventStream start_events(const Rig &rig, const std::string &interval) {
  kernel::Pipe out = kernel::pipe2().value();
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  kernel::Child process =
      start_program(command_line(rig, {"events", "--interval", interval, rig.id()}), {null, out.write, null});
  return {.process = std::move(process), .out = std::move(out.read)};
}

int wait_for_code(kernel::Child &child, std::chrono::milliseconds patience) {
  const Result<bool> ended = kernel::wait_readable(child.pidfd(), patience);
  if (!ended || !*ended) return -1;
  return child.wait().value().shell_code();
}

ConsoleSocket::ConsoleSocket(const std::string &path)
    : listener_(kernel::listen_unix(kernel::cwd, path, SOCK_STREAM, 1).value()) {}

kernel::Fd ConsoleSocket::receive() {
  const kernel::Fd peer = kernel::accept4(listener_).value();
  std::optional<kernel::Message> message = kernel::recv_message(peer, 4096, 2).value();
  EXPECT_EQ(message->fds.size(), 1U);
  EXPECT_FALSE(message->bytes.empty());
  return std::move(message->fds.front());
}

std::string read_until(kernel::FdView fd, std::string_view wanted) {
  std::string text;
  while (text.find(wanted) == std::string::npos) {
    const Result<bool> ready = kernel::wait_readable(fd, std::chrono::seconds(10));
    if (!ready || !*ready) break;
    std::array<char, 4096> buffer{};
    const Result<std::size_t> got = kernel::read_some(fd, buffer);
    if (!got || *got == 0) break;
    text.append(buffer.data(), *got);
  }
  return text;
}

}  // namespace skiff::rig
