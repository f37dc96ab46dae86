// A container's life after it was created: started, waited for, ended, removed. Every step may be cut off by SIGKILL;
// settle() removes what a run left in the kernel, whoever calls it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

struct StartOptions {
  bool attach = false;     // the answer has a connection to the monitor, made before the program runs
  bool by_policy = false;  // counts as a restart of its policy; else the count begins anew
};
struct Started {
  kernel::Fd attached;
  bool already = false;  // it was running
};
// The error's text names what failed; exit_code_of() says what docker's `run` ends with.
[[nodiscard]] Result<Started> start_container(const Engine &engine, const std::string &id, const StartOptions &options);
// 127 where the program is not there, 126 where it cannot be run, else 125.
[[nodiscard]] int start_failure_code(const Error &error);

// Sends a signal to its first process; ESRCH where it does not run.
[[nodiscard]] Status signal_container(const Engine &engine, const Container &container, int signal);

struct StopOptions {
  std::optional<Duration> timeout;  // else the container's own, else 10 s; negative: without end
  std::string signal;               // else the container's own, else SIGTERM
  bool by_user = true;              // no restart policy starts it again
};
// Signals, waits, kills. Returns when the run is settled. One that does not run is no error.
[[nodiscard]] Status stop_container(const Engine &engine, const std::string &id, const StopOptions &options);

// Waits for the end of its run and for what follows it: the exit code; at once where it does not run.
[[nodiscard]] Result<int> wait_container(const Engine &engine, const std::string &id);
// The same for at most this long: nothing when it still runs.
[[nodiscard]] Result<std::optional<int>> wait_container_for(const Engine &engine, const std::string &id,
                                                            std::chrono::milliseconds patience);

// What follows the end of a run: the runtime's record, network and mounts go, the exit code stays. Nothing is done
// while it runs, or where it was done before. A container with auto_remove goes altogether.
[[nodiscard]] Status settle(const Engine &engine, const std::string &id);
// The same for who holds lock_container.
[[nodiscard]] Status settle_locked(const Engine &engine, const Container &container);

struct RemoveOptions {
  bool force = false;    // kill it first
  bool volumes = false;  // its anonymous volumes as well
};
[[nodiscard]] Status remove_container(const Engine &engine, const std::string &id, const RemoveOptions &options);

[[nodiscard]] Status rename_container(const Engine &engine, const std::string &id, const std::string &name);

}  // namespace skiff::compose
