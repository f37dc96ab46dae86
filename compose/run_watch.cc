#include "compose/run_watch.h"

#include <algorithm>
#include <cstdlib>

#include "compose/attach_wire.h"
#include "compose/attachment.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds left_until(std::chrono::milliseconds patience, Clock::time_point begin) {
  if (patience < std::chrono::milliseconds(0)) return patience;
  const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  return std::max(patience - gone, std::chrono::milliseconds(0));
}

}  // namespace

Result<RunWatch> RunWatch::open(const Engine &engine, const std::string &id) {
  RunWatch watch(engine, id);
  const Container container = TRY(load_container(engine.places, id));
  if (container.state.is_running()) {
    Result<kernel::Fd> process = kernel::pidfd_open(container.state.run.pid);
    if (process) watch.process_ = std::move(*process);
  }
  Result<kernel::Fd> monitor = connect_to_monitor(engine, id);
  // It may end before it has taken the connection.
  if (monitor && kernel::send_message(*monitor, std::string(1, wire::quiet))) {
    watch.monitor_ = std::move(*monitor);
  } else if (container.state.is_running()) {
    return watch;
  } else if (!watch.process_.valid()) {
    TRY(settle(engine, id));
    watch.exited_ = container.state.run.exit_code;
  }
  return watch;
}

Result<std::optional<int>> RunWatch::wait(std::chrono::milliseconds patience) {
  if (exited_) return exited_;
  const Clock::time_point begin = Clock::now();
  while (monitor_.valid()) {
    if (!TRY(kernel::wait_readable(monitor_, left_until(patience, begin)))) return std::nullopt;
    const auto message = kernel::recv_message(monitor_, wire::longest_packet, 0);
    // It ended with something of ours unread; what it had said before is still to be heard.
    if (!message && message.error().number == ECONNRESET) continue;
    if (!message || !*message) {
      monitor_.reset();
    } else if ((*message)->bytes.starts_with(wire::exit)) {
      exited_ = std::atoi((*message)->bytes.c_str() + 1);
      return exited_;
    }
  }
  return wait_for_process(left_until(patience, begin));
}

// The monitor was killed: nobody knows the exit code, but that it ends can be seen.
Result<std::optional<int>> RunWatch::wait_for_process(std::chrono::milliseconds patience) {
  if (process_.valid() && !TRY(kernel::wait_readable(process_, patience))) return std::nullopt;
  TRY(settle(*engine_, id_));
  const Result<RunRecord> run = load_run(engine_->places, id_);
  exited_ = run ? run->exit_code : 255;
  return exited_;
}

}  // namespace skiff::compose
