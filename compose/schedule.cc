#include "compose/schedule.h"

#include <algorithm>

namespace skiff::compose {

Schedule::Schedule(std::vector<Task> tasks, std::size_t limit)
    : tasks_(std::move(tasks)),
      limit_(std::max<std::size_t>(limit, 1)),
      fates_(tasks_.size(), Fate::pending),
      causes_(tasks_.size(), 0) {}

bool Schedule::is_ready(std::size_t task) const {
  return fates_[task] == Fate::pending && std::ranges::all_of(tasks_[task].after, [&](const Task::Wait &wait) {
           const Fate fate = fates_[wait.task];
           if (fate == Fate::done) return true;
           return !wait.required && (fate == Fate::failed || fate == Fate::skipped);
         });
}

std::vector<std::size_t> Schedule::take() {
  std::size_t working = 0;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (fates_[i] == Fate::running && !tasks_[i].waits) ++working;
  }
  std::vector<std::size_t> begun;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!is_ready(i) || (!tasks_[i].waits && working >= limit_)) continue;
    if (!tasks_[i].waits) ++working;
    fates_[i] = Fate::running;
    begun.push_back(i);
  }
  return begun;
}

void Schedule::skip_behind(std::size_t task, std::size_t cause) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (fates_[i] != Fate::pending) continue;
    const bool needs = std::ranges::any_of(tasks_[i].after,
                                           [&](const Task::Wait &wait) { return wait.task == task && wait.required; });
    if (!needs) continue;
    fates_[i] = Fate::skipped;
    causes_[i] = cause;
    skip_behind(i, cause);
  }
}

void Schedule::end(std::size_t task, bool well) {
  fates_[task] = well ? Fate::done : Fate::failed;
  if (!well) skip_behind(task, task);
}

void Schedule::cancel() {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (fates_[i] != Fate::pending) continue;
    fates_[i] = Fate::skipped;
    causes_[i] = i;
  }
}

bool Schedule::is_over() const {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (fates_[i] == Fate::running || is_ready(i)) return false;
  }
  return true;
}

bool Schedule::all_done() const {
  return std::ranges::all_of(fates_, [](Fate fate) { return fate == Fate::done; });
}

}  // namespace skiff::compose
