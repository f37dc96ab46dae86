// Prints the functions of a program in the order in which a command first comes to them, "command NAME", and those that
// a process which it makes comes to, "child NAME": what runtime/link_order.txt is made of. It steps through every
// instruction of the command and of the processes it makes, as long as they run this program; an x86-64 Linux is needed
// for that, the list is of use everywhere.
//
// usage: link_order SYMBOLS PROGRAM [ARGUMENT]...    SYMBOLS: what `nm -n --defined-only PROGRAM` prints
#include <fmt/format.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace skiff::bench {
namespace {

struct Function {
  unsigned long address = 0;
  std::vector<std::string> names;
  bool seen_in_command = false;
  bool seen_in_child = false;
};

std::vector<Function> read_functions(const char *path) {
  std::vector<Function> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string address, type, name;
    words >> address >> type >> name;
    if (name.empty() || std::string("tTwWiu").find(type) == std::string::npos) continue;
    const unsigned long number = std::stoul(address, nullptr, 16);
    if (out.empty() || out.back().address != number) out.push_back({.address = number, .names = {}});
    out.back().names.push_back(name);
  }
  return out;
}

class Tracer {
 public:
  Tracer(std::vector<Function> functions, const struct stat &program, pid_t first)
      : functions_(std::move(functions)), program_(program), first_(first) {}

  // Until the first process has ended. Who outlives it is let go by the end of this one.
  void follow() {
    for (int status = 0;;) {
      const pid_t pid = ::waitpid(-1, &status, __WALL);
      if (pid < 0 || (pid == first_ && !WIFSTOPPED(status))) return;
      if (WIFSTOPPED(status)) go_on(pid, status);
    }
  }

 private:
  void go_on(pid_t pid, int status) {
    const int signal = WSTOPSIG(status);
    const unsigned event = static_cast<unsigned>(status) >> 16U;
    long delivered = 0;
    if (event == PTRACE_EVENT_EXEC) {
      runs_program_[pid] = is_program(pid);
    } else if (event == 0 && signal == SIGSTOP && !runs_program_.contains(pid)) {
      runs_program_[pid] = true;  // a new child
    } else if (event == 0 && signal != SIGTRAP) {
      delivered = signal;
    }
    if (runs_program_[pid]) note(pid);
    ::ptrace(runs_program_[pid] ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, nullptr, delivered);
  }

  void note(pid_t pid) {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
    auto next = std::ranges::upper_bound(functions_, registers.rip, {}, &Function::address);
    if (next == functions_.begin()) return;
    Function &function = *std::prev(next);
    const bool is_child = pid != first_;
    if (std::exchange(is_child ? function.seen_in_child : function.seen_in_command, true)) return;
    for (const std::string &name : function.names) fmt::print("{} {}\n", is_child ? "child" : "command", name);
  }

  [[nodiscard]] bool is_program(pid_t pid) const {
    struct stat running{};
    return ::stat(fmt::format("/proc/{}/exe", pid).c_str(), &running) == 0 && running.st_ino == program_.st_ino &&
           running.st_dev == program_.st_dev;
  }

  std::vector<Function> functions_;
  struct stat program_;
  pid_t first_;
  std::map<pid_t, bool> runs_program_;
};

int trace(char **words) {
  struct stat program{};
  if (::stat(words[2], &program) != 0) return 1;
  const pid_t first = ::fork();
  if (first == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::execv(words[2], words + 2);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(first, &status, 0);
  constexpr long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
  ::ptrace(PTRACE_SETOPTIONS, first, nullptr, options);
  ::ptrace(PTRACE_CONT, first, nullptr, nullptr);
  Tracer(read_functions(words[1]), program, first).follow();
  return 0;
}

}  // namespace
}  // namespace skiff::bench

int main(int argc, char **argv) {
  if (argc >= 3) return skiff::bench::trace(argv);
  fmt::print(stderr, "usage: link_order SYMBOLS PROGRAM [ARGUMENT]...\n");
  return 2;
}
