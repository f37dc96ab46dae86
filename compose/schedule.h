// Which of many tasks may begin now: whoever is waited for comes first, only so many at once, and nothing after the
// failure of what it waits for. It decides only; who runs the tasks tells it how they ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace skiff::compose {

struct Task {
  struct Wait {
    std::size_t task = 0;
    bool required = true;  // else its end is enough, however it ended
  };

  std::string name;  // "shop-db-1"
  std::vector<Wait> after = {};
  bool waits = false;  // does nothing but wait: it takes no place from those that work
};

class Schedule {
 public:
  enum class Fate : std::uint8_t { pending, running, done, failed, skipped };

  // `limit`: how many work at the same time, at least one. A task that waits for itself in a circle is never begun.
  Schedule(std::vector<Task> tasks, std::size_t limit);

  // Those that begin now, in the order they were given; they count as running.
  [[nodiscard]] std::vector<std::size_t> take();
  // What waits for a task that failed is skipped, and what waits for that.
  void end(std::size_t task, bool well);
  // No task is begun any more.
  void cancel();

  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool all_done() const;
  [[nodiscard]] Fate fate(std::size_t task) const { return fates_[task]; }
  // Of a skipped task: which one failed, or was never begun.
  [[nodiscard]] std::size_t cause(std::size_t task) const { return causes_[task]; }
  [[nodiscard]] const std::vector<Task> &tasks() const { return tasks_; }

 private:
  [[nodiscard]] bool is_ready(std::size_t task) const;
  void skip_behind(std::size_t task, std::size_t cause);

  std::vector<Task> tasks_;
  std::size_t limit_;
  std::vector<Fate> fates_;
  std::vector<std::size_t> causes_;
};

}  // namespace skiff::compose
