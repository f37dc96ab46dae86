// This terminal, or these pipes, and a container's standard streams: run, start -a and attach.
#pragma once

#include <optional>
#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

struct AttachOptions {
  bool input = false;       // our standard input goes to it
  bool output = true;       // its output comes to ours
  bool proxy = true;        // signals go on to it; else they detach
  std::string detach_keys;  // empty: ctrl-p,ctrl-q; only from a terminal
};

struct AttachEnd {
  int code = 0;           // of the container
  bool detached = false;  // by the keys or a signal: it runs on
};

// Connects to a container that runs.
[[nodiscard]] Result<kernel::Fd> connect_to_monitor(const Engine &engine, const std::string &id);

// The signals that reach this process from now on; made before the program runs, so that none is lost.
class SignalProxy {
 public:
  [[nodiscard]] static Result<SignalProxy> start();
  [[nodiscard]] const kernel::Fd &fd() const { return signals_; }

 private:
  explicit SignalProxy(kernel::Fd signals) : signals_(std::move(signals)) {}
  kernel::Fd signals_;
};

// Until the container has ended and is settled, or the keys were pressed. `signals` may be null.
[[nodiscard]] Result<AttachEnd> stay_attached(const Engine &engine, const ContainerRecord &record, kernel::Fd monitor,
                                              const SignalProxy *signals, const AttachOptions &options);

}  // namespace skiff::compose
