// One container as its supervisor sees it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compose/health_watch.h"
#include "compose/restart_policy.h"

namespace skiff::compose {

class Ward {
 public:
  Ward(const Engine &engine, std::string id) : engine_(&engine), id_(std::move(id)) {}
  Ward(const Ward &) = delete;
  Ward &operator=(const Ward &) = delete;

  // Asks the disk and the kernel what it is now, and decides what is to be done.
  [[nodiscard]] Status refresh();
  // It runs, or something is to be done. One that does not is looked at again when its files change.
  [[nodiscard]] bool is_active() const { return process_.valid() || job_.has_value() || due_.has_value(); }
  [[nodiscard]] bool is_gone() const { return gone_; }

  [[nodiscard]] std::optional<Clock::time_point> deadline() const;
  [[nodiscard]] Status take_time(Clock::time_point now);

  static constexpr std::size_t event_count = 2 + HealthWatch::event_count;
  void add_events(std::vector<pollfd> &events) const;
  [[nodiscard]] Status take_events(std::span<const pollfd> events);

 private:
  enum class Task : std::uint8_t { settle, start };

  Status take_running(const RunRecord &run);
  Status take_ended(const RunRecord &run);
  Status decide(const RunRecord &run);
  void end_run();
  void plan(Task task, Duration delay);
  Status begin_task();

  const Engine *engine_;
  std::string id_;
  ContainerRecord record_;
  bool gone_ = false;
  kernel::Fd process_;  // valid while it runs
  std::uint64_t start_time_ = 0;
  Clock::time_point running_since_;
  std::optional<HealthWatch> health_;
  RestartStreak streak_;
  std::string decided_;                   // RunRecord::finished of the end after which it is decided what follows
  Task task_ = Task::settle;              // what is due, or done by job_
  std::optional<Clock::time_point> due_;  // when
  std::optional<kernel::Child> job_;
};

}  // namespace skiff::compose
