// skiff-init: process 1 of a container that asks for an init. Runs a program, hands every signal on to it, reaps what
// is left to it, and ends as the program ended.
//
// usage: skiff-init -- PROGRAM [ARGUMENT...]
//
// A static program of our own, because it is bound into containers that have neither a C library nor a shell, on hosts
// that have no other init to offer; it has to fit the version of skiff-compose that binds it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

namespace {

constexpr int cannot_execute = 126;
constexpr int no_such_program = 127;

void say(std::string_view text) {
  // Nobody is left to be told where standard error is closed.
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
}

// In its own process group, so that a terminal's signals reach it once; in the foreground of the terminal, if any.
[[noreturn]] void run_program(char **arguments, const sigset_t &before) {
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
  ::signal(SIGTTOU, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::execvp(arguments[0], arguments);
  const int error = errno;
  say("skiff-init: ");
  say(arguments[0]);
  say(": ");
  say(::strerror(error));
  say("\n");
  ::_exit(error == ENOENT ? no_such_program : cannot_execute);
}

// Reaps all that have ended; the program's own status, or -1.
int reap(pid_t program) {
  int ended = -1;
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid == program) ended = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended;
}

int serve(pid_t program, const sigset_t &all) {
  while (true) {
    int signal = 0;
    if (::sigwait(&all, &signal) != 0) continue;
    if (signal == SIGCHLD) {
      const int code = reap(program);
      if (code >= 0) return code;
    } else {
      ::kill(program, signal);
    }
  }
}

}  // namespace

int main(int count, char **words) {
  if (count < 3 || std::string_view(words[1]) != "--") {
    say("usage: skiff-init -- PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  // With a pid namespace of others it is not process 1: orphans come to it all the same.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // Faults of its own are not to be waited for.
  for (const int fault : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU}) {
    ::sigdelset(&all, fault);
  }
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t program = ::fork();
  if (program < 0) {
    say("skiff-init: fork: out of memory or processes\n");
    return cannot_execute;
  }
  if (program == 0) run_program(words + 2, before);
  return serve(program, all);
}
