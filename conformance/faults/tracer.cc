#include "conformance/faults/tracer.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "conformance/faults/calls.h"
#include "conformance/faults/registers.h"
#include "conformance/stage.h"
#include "conformance/tree.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {
namespace {

constexpr long options =
    PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
constexpr int syscall_stop = SIGTRAP | 0x80;

// What is known of a traced process; its threads share it.
struct Process {
  std::string name;  // of CallPlace
  std::uint32_t children = 0;
  bool loading = false;                          // the dynamic loader is at work, and nothing of the program's
  std::map<std::uint64_t, std::uint32_t> calls;  // how many of each number
};

std::string path_argument(pid_t task, std::uint64_t address) {
  std::array<char, 256> text{};
  const iovec here{.iov_base = text.data(), .iov_len = text.size() - 1};
  // Up to the end of the page, behind which nothing may be mapped.
  const std::size_t most = std::min<std::size_t>(here.iov_len, 4096 - address % 4096);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): it is one of the other process, which this one never follows.
  const iovec there{.iov_base = reinterpret_cast<void *>(address), .iov_len = most};
  if (::process_vm_readv(task, &here, 1, &there, 1, 0) <= 0) return "";
  return text.data();
}

// A pipe or a socket is behind this descriptor.
bool is_stream(pid_t task, std::uint64_t number) {
  const Result<struct stat> file = kernel::fstatat(kernel::cwd, fmt::format("/proc/{}/fd/{}", task, number));
  return file && (S_ISFIFO(file->st_mode) || S_ISSOCK(file->st_mode));
}

// An address in the dynamic loader, whose file is ld-linux-*.so.*, or ld-*.so.
bool is_in_loader(pid_t task, std::uint64_t address) {
  const std::string maps = read_file(fmt::format("/proc/{}/maps", task)).value_or("");
  for (std::size_t at = 0; at < maps.size();) {
    const std::string_view line = std::string_view(maps).substr(at, maps.find('\n', at) - at);
    at += line.size() + 1;
    std::uint64_t begin = 0, end = 0;
    const auto first = std::from_chars(line.data(), line.data() + line.size(), begin, 16);
    if (first.ec != std::errc{} || first.ptr == line.data() + line.size()) continue;
    (void)std::from_chars(first.ptr + 1, line.data() + line.size(), end, 16);
    if (address >= begin && address < end) return line.find("/ld-") != std::string_view::npos;
  }
  return false;
}

// Lives in a process of its own: when that ends, the kernel lets go whoever is still traced.
class Tracer {
 public:
  explicit Tracer(const Order &order) : order_(order), armed_(order.record || order.injection.fault != Fault::none) {}

  Result<Traced> run() {
    if (!order_.released_program.empty()) released_ = TRY(kernel::fstatat(kernel::cwd, order_.released_program));
    if (order_.only_itself) own_ = TRY(kernel::fstatat(kernel::cwd, order_.words.front()));
    TRY(start());
    if (order_.attached && armed_) TRY(attach(*order_.attached));
    follow();
    return std::move(traced_);
  }

 private:
  using Task = pid_t;

  Status start() {
    kernel::Pipe ready = TRY(kernel::pipe2());
    kernel::Child child = TRY(kernel::clone3({}));
    if (child.is_this_process()) become_command(ready.read);
    main_ = child.pid();
    (void)child.release();
    if (armed_ && ::ptrace(PTRACE_SEIZE, main_, nullptr, options) < 0) return fail(errno, "ptrace(PTRACE_SEIZE)");
    add(main_, "0");
    return kernel::write_all(ready.write, "g");
  }

  [[noreturn]] void become_command(const kernel::Fd &ready) {
    std::vector<const char *> argv;
    for (const std::string &word : order_.words) argv.push_back(word.c_str());
    argv.push_back(nullptr);
    const kernel::Fd null = kernel::open("/dev/null", O_RDONLY).value_or(kernel::Fd());
    const kernel::Fd out = kernel::open(order_.out, O_WRONLY | O_APPEND | O_CREAT, 0644).value_or(kernel::Fd());
    const kernel::Fd err = kernel::open(order_.err, O_WRONLY | O_APPEND | O_CREAT, 0644).value_or(kernel::Fd());
    std::array<char, 1> byte{};
    if (kernel::read_some(ready, byte) && kernel::set_pdeathsig(SIGKILL) && kernel::reset_signals() &&
        kernel::chdir(order_.directory) && kernel::dup_onto(null, 0) && kernel::dup_onto(out, 1) &&
        kernel::dup_onto(err, 2)) {
      (void)kernel::execveat(kernel::cwd, order_.words.front(), argv.data(), environ, 0);
    }
    ::_exit(127);
  }

  Status attach(Task task) {
    if (::ptrace(PTRACE_SEIZE, task, nullptr, options) < 0) return fail(errno, "ptrace(PTRACE_SEIZE)");
    add(task, "1");
    // A first stop, from which it goes on to the next call.
    if (::ptrace(PTRACE_INTERRUPT, task, nullptr, nullptr) < 0) return fail(errno, "ptrace(PTRACE_INTERRUPT)");
    return {};
  }

  void add(Task task, std::string name) {
    processes_[task].name = std::move(name);
    tasks_[task] = task;
  }

  void follow() {
    const Clock::time_point deadline = Clock::now() + order_.patience;
    while (!is_over()) {
      int status = 0;
      const Task task = ::waitpid(-1, &status, __WALL);
      if (task < 0 && errno != EINTR) return;
      if (Clock::now() >= deadline && !traced_.hung) {
        traced_.hung = true;
        for (const auto &[pid, process] : processes_) (void)kernel::kill(pid, SIGKILL);
      }
      if (task > 0) handle(task, status);
    }
  }

  // What is attached is waited for only where the command came to its end undisturbed.
  [[nodiscard]] bool is_over() const {
    if (!ended_ || failing_ != 0) return false;
    return !order_.attached || !armed_ || !tasks_.contains(*order_.attached);
  }

  void handle(Task task, int status) {
    if (!WIFSTOPPED(status)) {
      if (task == main_) {
        ended_ = true;
        traced_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      forget(task);
      return;
    }
    const int signal = WSTOPSIG(status);
    const unsigned event = static_cast<unsigned>(status) >> 16;
    if (!tasks_.contains(task)) {  // seen before the event of its parent
      early_.push_back(task);
      return;
    }
    if (signal == syscall_stop) return at_call(task);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      (void)::ptrace(PTRACE_LISTEN, task, nullptr, nullptr);
      return;
    }
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) add_child(task);
    if (event == PTRACE_EVENT_EXEC && at_exec(task)) return;
    resume(task, event == 0 ? signal : 0);
  }

  void resume(Task task, int signal = 0) {
    (void)::ptrace(armed_ || failing_ == task ? PTRACE_SYSCALL : PTRACE_CONT, task, nullptr, static_cast<long>(signal));
  }

  void forget(Task task) {
    tasks_.erase(task);
    processes_.erase(task);
  }

  void add_child(Task parent) {
    unsigned long message = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, parent, nullptr, &message) < 0) return;
    const Task child = static_cast<Task>(message);
    Process &maker = processes_[tasks_[parent]];
    // The number is one of our pid namespace. A thread has no directory of its own in /proc, only a hidden one.
    if (is_thread_of(tasks_[parent], child)) {
      tasks_[child] = tasks_[parent];
    } else {
      add(child, fmt::format("{}.{}", maker.name, maker.children++));
    }
    if (const auto early = std::ranges::find(early_, child); early != early_.end()) {
      early_.erase(early);
      resume(child);
    }
  }

  static bool is_thread_of(Task process, Task task) {
    return kernel::fstatat(kernel::cwd, fmt::format("/proc/{}/task/{}", process, task)).has_value();
  }

  // True where it is let go.
  bool at_exec(Task task) {
    unsigned long former = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, task, nullptr, &former) == 0 && static_cast<Task>(former) != task) {
      tasks_.erase(static_cast<Task>(former));  // a thread that has become its process
    }
    processes_[tasks_[task]].loading = true;
    const Result<struct stat> running = kernel::fstatat(kernel::cwd, fmt::format("/proc/{}/exe", task));
    const auto is = [&](const std::optional<struct stat> &file) {
      return file && running && running->st_ino == file->st_ino && running->st_dev == file->st_dev;
    };
    if (!is(released_) && (!own_ || is(own_))) return false;
    if (task == main_) return false;
    (void)::ptrace(PTRACE_DETACH, task, nullptr, nullptr);
    forget(task);
    return true;
  }

  void at_call(Task task) {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, task, sizeof info, &info) < 0) return resume(task);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT && failing_ == task) {
      (void)set_result(task, -order_.injection.error);
      failing_ = 0;
    } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && armed_) {
      before_call(task, info);
    }
    resume(task);
  }

  void before_call(Task task, const __ptrace_syscall_info &info) {
    Process &process = processes_[tasks_[task]];
    CallPlace place{process.name, call_name(info.entry.nr), process.calls[info.entry.nr]++};
    const CallFaults *faults = find_faults(place.call);
    std::string path;
    if (faults != nullptr && faults->path >= 0) path = path_argument(task, info.entry.args[faults->path]);
    if (order_.injection.fault != Fault::none && place == order_.injection.place) {
      traced_.reached = true;
      traced_.path = path;
      armed_ = false;
      inject(task);
    }
    if (!order_.record) return;
    process.loading = process.loading && is_in_loader(task, info.instruction_pointer);
    const bool stream = faults != nullptr && faults->path < 0 && is_stream(task, info.entry.args[0]);
    traced_.calls.push_back({std::move(place), std::move(path), stream, process.loading});
  }

  void inject(Task task) {
    switch (order_.injection.fault) {
      case Fault::none:
        break;
      case Fault::kill:
        (void)kernel::kill(tasks_[task], SIGKILL);
        break;
      case Fault::kill_command:
        (void)kernel::kill(main_, SIGKILL);
        break;
      case Fault::error:
        if (!order_.injection.made) (void)skip_call(task);
        failing_ = task;
        break;
    }
  }

  const Order &order_;
  Traced traced_;
  std::map<Task, Process> processes_;
  std::map<Task, Task> tasks_;  // threads and the processes that they are of
  std::vector<Task> early_;
  std::optional<struct stat> released_;
  std::optional<struct stat> own_;
  Task main_ = 0;
  Task failing_ = 0;
  bool armed_;  // the calls are still of interest
  bool ended_ = false;
};

// What a signal does to waitpid(2) is all that is wanted.
void on_alarm(int /*signal*/) {}

void ring_after(std::chrono::milliseconds patience) {
  struct sigaction action{};
  action.sa_handler = on_alarm;
  (void)::sigaction(SIGALRM, &action, nullptr);
  const auto microseconds = [](std::chrono::milliseconds time) {
    return timeval{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
  };
  // Again and again: one that comes just before the call would be missed.
  const itimerval timer{.it_interval = microseconds(std::chrono::milliseconds(100)),
                        .it_value = microseconds(patience)};
  (void)::setitimer(ITIMER_REAL, &timer, nullptr);
}

std::string encode(const Result<Traced> &result) {
  Tree tree;
  if (!result) {
    tree.set("/error", result.error().message());
    return tree.dump();
  }
  tree.set("/code", result->code);
  tree.set("/hung", result->hung);
  tree.set("/reached", result->reached);
  tree.set("/path", result->path);
  std::string text = tree.dump() + "\n";
  for (const TracedCall &call : result->calls) {
    text += fmt::format("{} {} {} {} {} {}\n", call.place.process, call.place.call, call.place.ordinal,
                        call.stream ? "stream" : "file", call.loading ? "loading" : "own", call.path);
  }
  return text;
}

Result<Traced> decode(std::string_view text) {
  const auto next_line = [&] {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
  };
  const Tree tree = TRY(in("the tracer's report", Tree::parse(next_line())));
  if (tree.find("/error") != nullptr) return fail(tree.text("/error"));
  Traced traced{.code = static_cast<int>(tree.number("/code").value_or(-1)),
                .hung = tree.text("/hung") == "true",
                .reached = tree.text("/reached") == "true",
                .path = tree.text("/path"),
                .calls = {}};
  while (!text.empty()) {
    std::string_view line = next_line();
    const auto word = [&] {
      const std::string_view one = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(one.size() + 1, line.size()));
      return std::string(one);
    };
    TracedCall call;
    call.place.process = word();
    call.place.call = word();
    call.place.ordinal = static_cast<std::uint32_t>(std::stoul(word()));
    call.stream = word() == "stream";
    call.loading = word() == "loading";
    call.path = line;
    traced.calls.push_back(std::move(call));
  }
  return traced;
}

// Everything up to its end. Meanwhile the orphans that become ours are reaped: a pid namespace ends only when all who
// were in it are.
Result<std::string> read_and_reap(const kernel::Fd &pipe, const kernel::Child &tracer) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    if (TRY(kernel::wait_readable(pipe, std::chrono::milliseconds(10)))) {
      const std::size_t got = TRY(kernel::read_some(pipe, buffer));
      if (got == 0) return text;
      text.append(buffer.data(), got);
    }
    siginfo_t ended{};
    while (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 &&
           ended.si_pid != tracer.pid()) {
      (void)::waitid(P_PID, static_cast<id_t>(ended.si_pid), nullptr, WEXITED);
      ended = {};
    }
  }
}

}  // namespace

Result<Traced> run_traced(const Order &order) {
  kernel::Pipe pipe = TRY(kernel::pipe2());
  kernel::Child child = TRY(kernel::clone3({}));
  if (child.is_this_process()) {
    (void)kernel::set_pdeathsig(SIGKILL);
    ring_after(order.patience);
    const std::string text = encode(Tracer(order).run());
    ::_exit(kernel::write_all(pipe.write, text) ? 0 : 1);
  }
  pipe.write.reset();
  const std::string text = TRY(read_and_reap(pipe.read, child));
  (void)TRY(child.wait());
  return decode(text);
}

}  // namespace skiff::conformance
