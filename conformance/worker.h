// A process of ours that tries a runtime: a reaper in a mount namespace of its own, which dies with us. What it has to
// tell comes over a pipe, a JSON value a line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance/tree.h"
#include "runtime/kernel/process.h"

namespace skiff::conformance {

class Worker {
 public:
  // `work` is called in the process, with the end of the pipe; its error is the error of hear().
  static Result<Worker> start(const std::function<Status(const kernel::Fd &pipe)> &work);

  // False once all is heard.
  [[nodiscard]] bool is_open() const { return pipe_.valid(); }
  [[nodiscard]] const kernel::Fd &pipe() const { return pipe_; }
  // What there is to hear now; waits where there is nothing.
  [[nodiscard]] Status hear(const std::function<void(const Tree &)> &told);

 private:
  kernel::Child child_;
  kernel::Fd pipe_;
  std::string text_;
};

// All of them to their ends.
[[nodiscard]] Status hear_all(std::vector<Worker> &workers, const std::function<void(const Tree &)> &told);
// From a worker.
[[nodiscard]] Status say(const kernel::Fd &pipe, const Tree &value);

}  // namespace skiff::conformance
