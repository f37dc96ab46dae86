#include "tests/bench/trace.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <type_traits>

#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::bench {
namespace {

constexpr long options =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
constexpr int syscall_stop = SIGTRAP | 0x80;
constexpr unsigned event_stop = PTRACE_EVENT_STOP;

// Lives in a process of its own: when that ends, the kernel lets go whoever is still traced.
class Tracer {
 public:
  Tracer(const Streams &streams, const struct stat &program) : streams_(streams), program_(program) {}

  Status run(const Step &step) {
    prepare(step);
    const int code = TRY(run_to_end(TRY(start(step.words, step.measured))));
    if (code != 0) {
      return fail(fmt::format("`{}` exited with {}: {}", join_words(step.words), code, streams_.take_errors()));
    }
    return step.ends.empty() ? Status{} : follow_until_end(step.ends);
  }

  Traced traced;

 private:
  struct Event {
    pid_t pid = 0;
    int status = 0;
  };

  // Of a command that is not traced, too: it may wait for a process of an earlier step, which moves on by our doing
  // alone.
  Result<int> run_to_end(pid_t pid) {
    for (;;) {
      Event event;
      event.pid = ::waitpid(-1, &event.status, __WALL);
      if (event.pid < 0 && errno != EINTR) return fail(errno, "waitpid");
      if (event.pid < 0) continue;
      if (event.pid == pid && WIFEXITED(event.status)) return WEXITSTATUS(event.status);
      if (event.pid == pid && WIFSIGNALED(event.status)) return 128 + WTERMSIG(event.status);
      handle(event);
    }
  }

  // To be traced it stops itself before it runs the command.
  Result<pid_t> start(const Words &words, bool is_traced) {
    const pid_t pid = ::fork();
    if (pid < 0) return fail(errno, "fork");
    if (pid == 0) {
      std::vector<const char *> argv;
      for (const std::string &word : words) argv.push_back(word.c_str());
      argv.push_back(nullptr);
      ::dup2(streams_.null(), 0);
      ::dup2(streams_.null(), 1);
      ::dup2(streams_.errors(), 2);
      if (is_traced) (void)::raise(SIGSTOP);
      ::execv(argv[0], const_cast<char *const *>(argv.data()));
      ::_exit(127);
    }
    if (!is_traced) return pid;
    int status = 0;
    if (::waitpid(pid, &status, WUNTRACED) < 0) return fail(errno, "waitpid");
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, options) < 0) return fail(errno, "ptrace(PTRACE_SEIZE)");
    first_ = pid;
    ++traced.tasks;
    if (::kill(pid, SIGCONT) < 0) return fail(errno, "kill(SIGCONT)");
    return pid;
  }

  Status follow_until_end(const std::string &pid_file) {
    const Result<kernel::Fd> process = open_process_of(pid_file);
    if (!process && process.error().number == ESRCH) return {};
    if (!process) return std::unexpected(process.error());
    // What is traced and stopped moves on only by our doing, so the wait is cut in pieces.
    while (!TRY(kernel::wait_readable(*process, std::chrono::milliseconds(1)))) {
      Event event;
      while ((event.pid = ::waitpid(-1, &event.status, __WALL | WNOHANG)) > 0) handle(event);
    }
    return {};
  }

  void handle(const Event &event) {
    if (!WIFSTOPPED(event.status)) return;
    const int signal = WSTOPSIG(event.status);
    const unsigned kind = static_cast<unsigned>(event.status) >> 16;
    if (signal == syscall_stop) {
      count(event.pid);
    } else if (kind == event_stop) {
      // A new process reports itself with SIGTRAP; any other signal here is a stop that lasts until SIGCONT.
      if (signal != SIGTRAP && event.pid != first_) {
        (void)::ptrace(PTRACE_LISTEN, event.pid, nullptr, nullptr);
        return;
      }
    } else if (kind == PTRACE_EVENT_EXEC) {
      if (event.pid == first_) first_ = 0;  // from here on it is the command
      if (is_program(event.pid)) {
        (void)::ptrace(PTRACE_DETACH, event.pid, nullptr, nullptr);
        return;
      }
    } else if (kind == PTRACE_EVENT_FORK || kind == PTRACE_EVENT_VFORK || kind == PTRACE_EVENT_CLONE) {
      ++traced.tasks;
    } else if (kind == 0) {
      (void)::ptrace(PTRACE_SYSCALL, event.pid, nullptr, static_cast<long>(signal));
      return;
    }
    (void)::ptrace(PTRACE_SYSCALL, event.pid, nullptr, nullptr);
  }

  void count(pid_t pid) {
    // Before its exec the first process is still this program.
    if (pid == first_) return;
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY) return;
    if (info.entry.nr < most_calls) ++traced.calls[info.entry.nr];
    const std::uint64_t number = info.entry.nr;
    // The moments before a process gives its memory up.
    if (number == SYS_exit || number == SYS_exit_group || number == SYS_execve || number == SYS_execveat)
      note_memory(pid);
  }

  void note_memory(pid_t pid) {
    const Result<kernel::Fd> file = kernel::open(fmt::format("/proc/{}/status", pid), O_RDONLY);
    if (!file) return;
    const Result<std::string> text = kernel::read_all(*file, 1 << 16);
    if (!text) return;
    const auto peak = static_cast<std::uint32_t>(number_after(*text, "VmHWM:"));
    traced.peak_kib = std::max<std::uint64_t>(traced.peak_kib, peak);
    const auto process = static_cast<pid_t>(number_after(*text, "Tgid:"));
    const auto place = std::ranges::find(processes_, process) - processes_.begin();
    if (place == std::ssize(processes_)) processes_.push_back(process);
    if (place >= std::ssize(traced.peaks_kib)) return;
    std::uint32_t &largest = traced.peaks_kib[static_cast<std::size_t>(place)];
    largest = std::max(largest, peak);
  }

  static unsigned long number_after(const std::string &text, std::string_view key) {
    const std::size_t at = text.find(key);
    return at == std::string::npos ? 0 : std::strtoul(text.c_str() + at + key.size(), nullptr, 10);
  }

  [[nodiscard]] bool is_program(pid_t pid) const {
    struct stat running{};
    return ::stat(fmt::format("/proc/{}/exe", pid).c_str(), &running) == 0 && running.st_ino == program_.st_ino &&
           running.st_dev == program_.st_dev;
  }

  const Streams &streams_;
  struct stat program_;
  std::vector<pid_t> processes_;  // whose memory was noted
  pid_t first_ = 0;               // the command's process as long as it has not run its program yet
};

[[noreturn]] void run_tracer(const Steps &steps, const Streams &streams, const struct stat &program,
                             const kernel::Fd &result) {
  Tracer tracer(streams, program);
  for (const Step &step : steps) {
    const Status done = tracer.run(step);
    if (done) continue;
    ::_exit(kernel::write_all(result, done.error().message()) ? 1 : 2);
  }
  static_assert(std::is_trivially_copyable_v<Traced>);
  ::_exit(kernel::write_all(result, {reinterpret_cast<const char *>(&tracer.traced), sizeof tracer.traced}) ? 0 : 2);
}

std::string call_name(std::size_t number) {
  char *name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
  if (name == nullptr) return std::to_string(number);
  std::string copy(name);
  ::free(name);
  return copy;
}

}  // namespace

std::vector<std::pair<std::string, std::uint32_t>> calls_by_count(const Traced &traced) {
  std::vector<std::pair<std::string, std::uint32_t>> calls;
  for (std::size_t i = 0; i < traced.calls.size(); ++i) {
    if (traced.calls[i] > 0) calls.emplace_back(call_name(i), traced.calls[i]);
  }
  std::ranges::sort(
      calls, [](const auto &a, const auto &b) { return std::tie(b.second, a.first) < std::tie(a.second, b.first); });
  return calls;
}

std::uint32_t Traced::total() const { return std::accumulate(calls.begin(), calls.end(), std::uint32_t{0}); }

Result<Traced> trace_steps(const Steps &steps, const Streams &streams, const std::string &program) {
  struct stat file{};
  if (::stat(program.c_str(), &file) < 0) return fail(errno, fmt::format("stat(\"{}\")", program));
  kernel::Pipe pipe = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) run_tracer(steps, streams, file, pipe.write);
  pipe.write.reset();
  const std::string answer = TRY(kernel::read_all(pipe.read, 1 << 16));
  const kernel::ExitStatus ended = TRY(child.wait());
  reap_orphans();
  if (ended.shell_code() != 0 || answer.size() != sizeof(Traced)) return fail("tracing: " + answer);
  Traced traced;
  std::copy_n(answer.data(), sizeof traced, reinterpret_cast<char *>(&traced));
  return traced;
}

}  // namespace skiff::bench
