#include "compose/health_watch.h"

#include <fmt/format.h>

#include <array>

#include "compose/events.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

// After the check was killed: what has hold of it goes by itself.
constexpr Duration patience = std::chrono::seconds(2);

}  // namespace

Result<HealthWatch> HealthWatch::begin(const Engine &engine, const ContainerRecord &record, Clock::time_point started) {
  HealthWatch watch(engine, record, started);
  // Of a supervisor before this one.
  watch.report_ = TRY(load_health(engine.places, record.id));
  TRY(save_health(engine.places, record.id, watch.report_));
  watch.next_ = started + watch.wait();
  return watch;
}

Duration HealthWatch::wait() const { return health_wait(check(), report_, Clock::now() - started_); }

std::string HealthWatch::pid_path() const { return engine_->places.sockets(record_->id) + "/health.pid"; }

Clock::time_point HealthWatch::deadline() const { return probe_ ? probe_->deadline : next_; }

Status HealthWatch::take_time(Clock::time_point now, bool paused) {
  if (now < deadline()) return {};
  if (probe_) {
    stop_probe(now);
    return {};
  }
  if (paused) {
    next_ = now + wait();
    return {};
  }
  return start_probe(now);
}

// By the runtime, with the environment, the user and the directory of the container's own process.
Status HealthWatch::start_probe(Clock::time_point now) {
  kernel::Pipe pipe = TRY(kernel::pipe2());
  TRY(kernel::set_nonblocking(pipe.read, true));
  Words words = engine_->run_runtime({"exec", "--pid-file", pid_path(), record_->id});
  for (std::string &word : health_command(check())) words.push_back(std::move(word));
  // That of an earlier check names a process that is gone.
  (void)kernel::unlinkat(kernel::cwd, pid_path());
  probe_.emplace();
  probe_->started = time_now();
  const Duration timeout = check().timeout.value_or(Duration(0));
  probe_->deadline = now + (timeout.count() > 0 ? timeout : default_timeout);
  Result<kernel::Child> child = start_program(words, {.in = kernel::no_fd, .out = pipe.write, .err = pipe.write});
  if (!child) {
    probe_.reset();
    next_ = now + wait();
    return std::unexpected(child.error());
  }
  probe_->child = std::move(*child);
  probe_->output = std::move(pipe.read);
  return {};
}

// The process in the container, which its parent, `skiff exec`, has not reaped yet: the number is still its own. The
// second time there was none, or it cannot be killed.
void HealthWatch::stop_probe(Clock::time_point now) {
  const Result<std::string> text = read_if_there(pid_path());
  const pid_t pid = text ? cli::parse_number<pid_t>(*text).value_or(0) : 0;
  if (pid > 0 && !probe_->timed_out) {
    (void)kernel::kill(pid, SIGKILL);
  } else {
    (void)kernel::pidfd_send_signal(probe_->child.pidfd(), SIGKILL);
  }
  probe_->timed_out = true;
  probe_->deadline = now + patience;
}

void HealthWatch::add_events(std::vector<pollfd> &events) const {
  events.push_back({probe_ ? probe_->child.pidfd().get() : -1, POLLIN, 0});
  events.push_back({probe_ ? probe_->output.get() : -1, POLLIN, 0});
}

Status HealthWatch::take_events(std::span<const pollfd> events) {
  if (!probe_) return {};
  if (events[1].revents != 0) read_output();
  return events[0].revents != 0 ? finish_probe() : Status();
}

// Beyond what is kept it is read and forgotten, so that the check can end.
void HealthWatch::read_output() {
  std::array<char, 4096> buffer;
  const Result<std::size_t> count = kernel::read_some(probe_->output, buffer);
  if (!count && count.error().number == EAGAIN) return;
  if (!count || *count == 0) {
    probe_->output.reset();
    return;
  }
  const std::size_t room = longest_health_output - probe_->text.size();
  probe_->text.append(buffer.data(), std::min(*count, room));
}

Status HealthWatch::finish_probe() {
  // What it left in the pipe; a process that it left behind may hold the other end open for ever.
  while (probe_->output.valid() &&
         kernel::wait_readable(probe_->output, std::chrono::milliseconds(0)).value_or(false)) {
    read_output();
  }
  const kernel::ExitStatus status = TRY(probe_->child.wait());
  HealthResult result{.start = probe_->started, .end = time_now(), .exit_code = status.shell_code(), .output = {}};
  result.output = std::move(probe_->text);
  if (probe_->timed_out) {
    result.exit_code = -1;
    const auto timeout = check().timeout.value_or(default_timeout);
    result.output = fmt::format("Health check exceeded timeout ({} ms)",
                                std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
  }
  probe_.reset();
  const Status taken = take_result(std::move(result));
  next_ = Clock::now() + wait();
  return taken;
}

Status HealthWatch::take_result(HealthResult result) {
  const bool changed = report_.take(check(), Clock::now() - started_, std::move(result));
  TRY(save_health(engine_->places, record_->id, report_));
  if (changed) record_event(engine_->places, *record_, "health_status: " + report_.status);
  return {};
}

}  // namespace skiff::compose
