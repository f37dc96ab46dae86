#include "compose/ward.h"

#include "compose/container.h"
#include "compose/restarting.h"

namespace skiff::compose {
namespace {

// What follows the end of a run is the monitor's to do, and it does it at once; where it was killed, ours.
constexpr Duration monitors_turn = std::chrono::seconds(1);

}  // namespace

Status Ward::refresh() {
  Result<Container> loaded = load_container(engine_->places, id_);
  if (!loaded && loaded.error().number == ENOENT) {
    end_run();
    due_.reset();
    gone_ = true;
    return {};
  }
  const Container container = TRY(std::move(loaded));
  // Those before us have counted too.
  if (record_.id.empty()) streak_.count = container.state.run.restarts;
  record_ = container.record;
  return container.state.is_running() ? take_running(container.state.run) : take_ended(container.state.run);
}

Status Ward::take_running(const RunRecord &run) {
  if (process_.valid() && run.start_time == start_time_) return {};
  end_run();
  Result<kernel::Fd> process = kernel::pidfd_open(run.pid);
  // It has ended, and the monitor has not said so yet.
  if (!process && process.error().number == ESRCH) {
    plan(Task::settle, monitors_turn);
    return {};
  }
  process_ = TRY(std::move(process));
  start_time_ = run.start_time;
  running_since_ = Clock::now();
  decided_.clear();
  due_.reset();
  if (has_health_check(record_)) health_.emplace(TRY(HealthWatch::begin(*engine_, record_, running_since_)));
  return mark_restarting(engine_->places, id_, false);
}

Status Ward::take_ended(const RunRecord &run) {
  end_run();
  if (run.boot_id.empty() || job_) return {};
  if (run.settled) return decide(run);
  // Or it is being started.
  if (!due_) plan(Task::settle, monitors_turn);
  return {};
}

Status Ward::decide(const RunRecord &run) {
  if (run.stopped_by_user) {
    due_.reset();
    return mark_restarting(engine_->places, id_, false);
  }
  if (decided_ == run.finished) return {};
  decided_ = run.finished;
  const std::optional<Duration> delay = restart_delay(record_.restart, run, streak_);
  due_.reset();
  if (delay) {
    ++streak_.count;
    plan(Task::start, *delay);
  }
  return mark_restarting(engine_->places, id_, delay.has_value());
}

void Ward::end_run() {
  if (process_.valid()) streak_.take(Clock::now() - running_since_, record_.restart);
  process_.reset();
  health_.reset();
}

void Ward::plan(Task task, Duration delay) {
  task_ = task;
  due_ = Clock::now() + delay;
}

// By a process of its own: it waits for the container's lock, and its memory goes with it.
Status Ward::begin_task() {
  due_.reset();
  job_ = TRY(start_program(engine_->run_self({task_ == Task::settle ? "settle" : "start-by-policy", id_}), {}));
  return {};
}

std::optional<Clock::time_point> Ward::deadline() const {
  std::optional<Clock::time_point> first = job_ ? std::nullopt : due_;
  if (health_ && (!first || health_->deadline() < *first)) first = health_->deadline();
  return first;
}

Status Ward::take_time(Clock::time_point now) {
  if (!job_ && due_ && now >= *due_) TRY(begin_task());
  if (!health_ || now < health_->deadline()) return {};
  const ContainerState state = TRY(read_state(engine_->places, id_));
  return health_->take_time(now, state.phase == ContainerState::Phase::paused);
}

void Ward::add_events(std::vector<pollfd> &events) const {
  events.push_back({process_.get(), POLLIN, 0});
  events.push_back({job_ ? job_->pidfd().get() : -1, POLLIN, 0});
  if (health_) {
    health_->add_events(events);
  } else {
    events.insert(events.end(), HealthWatch::event_count, pollfd{-1, POLLIN, 0});
  }
}

Status Ward::take_events(std::span<const pollfd> events) {
  if (health_) TRY(health_->take_events(events.subspan(2)));
  if (events[1].revents != 0) {
    TRY(job_->wait());
    job_.reset();
    // A start that failed before it could write that down counts as an end as well.
    if (task_ == Task::start) decided_.clear();
    return refresh();
  }
  if (events[0].revents == 0) return {};
  end_run();
  plan(Task::settle, monitors_turn);
  return refresh();
}

}  // namespace skiff::compose
