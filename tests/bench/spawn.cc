#include "tests/bench/spawn.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/kernel/process.h"

namespace skiff::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The argument vector and the descriptors of a command, made ready before its time begins.
class Prepared {
 public:
  Prepared(const Words &words, const Streams &streams) {
    for (const std::string &word : words) argv_.push_back(const_cast<char *>(word.c_str()));
    argv_.push_back(nullptr);
    posix_spawn_file_actions_init(&actions_);
    for (const int number : {0, 1}) posix_spawn_file_actions_adddup2(&actions_, streams.null(), number);
    posix_spawn_file_actions_adddup2(&actions_, streams.errors(), 2);
  }
  Prepared(const Prepared &) = delete;
  Prepared &operator=(const Prepared &) = delete;
  ~Prepared() { posix_spawn_file_actions_destroy(&actions_); }

  [[nodiscard]] Result<pid_t> start() const {
    pid_t pid = 0;
    const int refused = ::posix_spawn(&pid, argv_[0], &actions_, nullptr, argv_.data(), environ);
    if (refused != 0) return fail(refused, fmt::format("posix_spawn({})", argv_[0]));
    return pid;
  }

  // The exit status as a shell has it. What the command used of the processor is added to `cpu`.
  Result<int> run(std::chrono::nanoseconds &cpu) const {
    const pid_t pid = TRY(start());
    int status = 0;
    rusage usage{};
    while (::wait4(pid, &status, 0, &usage) < 0) {
      if (errno != EINTR) return fail(errno, "wait4");
    }
    for (const timeval &time : {usage.ru_utime, usage.ru_stime}) {
      cpu += std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  std::vector<char *> argv_;
  posix_spawn_file_actions_t actions_{};
};

Status wait_for_end(const std::string &pid_file) {
  const Result<kernel::Fd> process = open_process_of(pid_file);
  if (!process && process.error().number == ESRCH) return {};
  if (!process) return std::unexpected(process.error());
  TRY(kernel::wait_readable(*process, kernel::forever));
  return {};
}

// Whoever profiles the machine meanwhile tells by this name which commands are the measured ones: tests/bench/profile.
void name_measured(bool measured) { ::prctl(PR_SET_NAME, measured ? "bench-measured" : "bench", 0, 0, 0); }

Result<Cost> run_step(const Step &step, const Streams &streams) {
  prepare(step);
  const Prepared prepared(step.words, streams);
  name_measured(step.measured);
  Cost cost;
  const Clock::time_point begin = Clock::now();
  const int code = TRY(prepared.run(cost.cpu));
  if (code == 0 && !step.ends.empty()) TRY(wait_for_end(step.ends));
  cost.wall = Clock::now() - begin;
  name_measured(false);
  if (code != 0) {
    return fail(fmt::format("`{}` exited with {}: {}", join_words(step.words), code, streams.take_errors()));
  }
  return cost;
}

}  // namespace

Result<Streams> Streams::open(const std::string &errors) {
  Streams streams;
  streams.null_ = TRY(kernel::open("/dev/null", O_RDWR));
  streams.errors_ = TRY(kernel::open(errors, O_RDWR | O_CREAT | O_APPEND, 0600));
  return streams;
}

std::string Streams::take_errors() const {
  std::string text(2000, '\0');
  const ssize_t size = ::pread(errors_.get(), text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  (void)::ftruncate(errors_.get(), 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char &c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

Result<Cost> run_steps(const Steps &steps, const Streams &streams) {
  Cost sum;
  for (const Step &step : steps) {
    const Cost cost = TRY(run_step(step, streams));
    if (!step.measured) continue;
    sum.wall += cost.wall;
    sum.cpu += cost.cpu;
  }
  reap_orphans();
  return sum;
}

void prepare(const Step &step) {
  std::error_code ignored;  // of what is not there
  for (const std::string &path : step.removes) std::filesystem::remove_all(path, ignored);
}

Result<pid_t> spawn(const Words &words, const Streams &streams) { return Prepared(words, streams).start(); }

Result<int> run_command(const Words &words, const Streams &streams) {
  std::chrono::nanoseconds cpu{};
  return Prepared(words, streams).run(cpu);
}

std::string join_words(const Words &words) {
  std::string line;
  for (const std::string &word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

Result<kernel::Fd> open_process_of(const std::string &pid_file) {
  const kernel::Fd file = TRY(kernel::open(pid_file, O_RDONLY));
  const std::string text = TRY(kernel::read_all(file, 32));
  return kernel::pidfd_open(static_cast<pid_t>(std::strtol(text.c_str(), nullptr, 10)));
}

void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace skiff::bench
