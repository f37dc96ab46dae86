// A command that stays until the container's process has ended: run and exec without --detach.
#pragma once

#include <optional>

#include "runtime/kernel/process.h"
#include "runtime/notify.h"
#include "spec/config.h"

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

// The size of our own terminal, for the one of the process: a program that asks first thing must not find 0 by 0. Empty
// where stdin is no terminal.
[[nodiscard]] std::optional<spec::ConsoleSize> read_window_size();

// Forwards signals to the process and, where `master` is valid, carries bytes and window sizes between our terminal and
// its own, and passes on what it notifies, until the process has ended. The exit code as a shell reports it: 128 + n
// for a signal.
[[nodiscard]] Result<int> attend(kernel::Child &child, kernel::Fd master, const Forwarding &forwarding,
                                 const NotifySocket &notify = {});

}  // namespace skiff
