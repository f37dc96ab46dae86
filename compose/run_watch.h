// How a command waits for the end of a container's run.
#pragma once

#include <chrono>
#include <optional>

#include "compose/lifecycle.h"

namespace skiff::compose {

// Opened before a signal is sent, it misses no end: not even that of a container that is removed with it.
class RunWatch {
 public:
  [[nodiscard]] static Result<RunWatch> open(const Engine &engine, const std::string &id);
  // The exit code once the run is settled; nothing when the time is up. Only once is it told.
  [[nodiscard]] Result<std::optional<int>> wait(std::chrono::milliseconds patience);

  // Readable when wait() has something to tell or to find out.
  [[nodiscard]] const kernel::Fd &fd() const { return monitor_.valid() ? monitor_ : process_; }

 private:
  RunWatch(const Engine &engine, std::string id) : engine_(&engine), id_(std::move(id)) {}
  [[nodiscard]] Result<std::optional<int>> wait_for_process(std::chrono::milliseconds patience);

  const Engine *engine_;
  std::string id_;
  kernel::Fd monitor_;         // a connection; invalid where the monitor is gone
  kernel::Fd process_;         // its pidfd; invalid where it does not run
  std::optional<int> exited_;  // it was over already
};

}  // namespace skiff::compose
