// A second process for the tests of what two do at once, and of one that is killed.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

#include "runtime/kernel/fd.h"

namespace skiff::image {

// Runs `body` in a fork; killed and reaped with its owner. The two sides step by single bytes over pipes.
class OtherProcess {
 public:
  // What the body has of it.
  class Side {
   public:
    Side(kernel::FdView from, kernel::FdView to) : from_(from), to_(to) {}
    void say() const {
      if (::write(to_.get(), "x", 1) != 1) ::_exit(3);
    }
    void await() const {
      char byte = 0;
      if (::read(from_.get(), &byte, 1) != 1) ::_exit(4);
    }

   private:
    kernel::FdView from_;
    kernel::FdView to_;
  };

  explicit OtherProcess(const std::function<int(const Side &)> &body) {
    kernel::Pipe there = *kernel::pipe2();
    kernel::Pipe back = *kernel::pipe2();
    pid_ = ::fork();
    if (pid_ == 0) {
      there.write.reset();
      back.read.reset();
      ::_exit(body(Side(there.read, back.write)));
    }
    to_ = std::move(there.write);
    from_ = std::move(back.read);
  }
  OtherProcess(const OtherProcess &) = delete;
  OtherProcess &operator=(const OtherProcess &) = delete;
  ~OtherProcess() {
    if (pid_ > 0) kill();
  }

  // False where the other one has ended.
  [[nodiscard]] bool await() const {
    char byte = 0;
    return ::read(from_.get(), &byte, 1) == 1;
  }
  void go() const { (void)!::write(to_.get(), "x", 1); }
  void kill() {
    ::kill(pid_, SIGKILL);
    (void)wait();
  }
  // Its exit code, or -1 after a signal.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  kernel::Fd to_;
  kernel::Fd from_;
};

}  // namespace skiff::image
