// A command that stays until the container's process has ended: run and exec without --detach.
#pragma once

#include "runtime/kernel/process.h"

namespace skiff {

// The signals that reach the runtime meanwhile. Made before the process is, so that none is lost: they are blocked, and
// come out of a descriptor.
class Forwarding {
 public:
  [[nodiscard]] static Result<Forwarding> start();
  [[nodiscard]] const kernel::Fd &signals() const { return signals_; }

 private:
  explicit Forwarding(kernel::Fd signals) : signals_(std::move(signals)) {}
  kernel::Fd signals_;
};

// Forwards signals to the process and, where `master` is valid, carries bytes and window sizes between our terminal and
// its own, until the process has ended. The exit code as a shell reports it: 128 + n for a signal.
[[nodiscard]] Result<int> attend(kernel::Child &child, kernel::Fd master, const Forwarding &forwarding);

}  // namespace skiff
