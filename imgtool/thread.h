// Threads that may fail to start: that is an error as any other, where std::thread ends the program.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <memory>

#include "spec/error.h"

namespace skiff::image {

class Thread {
 public:
  // EAGAIN where the kernel has no memory for its stack, or allows no more tasks.
  [[nodiscard]] static Result<Thread> start(std::function<void()> work);
  Thread() = default;
  Thread(Thread &&other) noexcept = default;
  Thread &operator=(Thread &&other) noexcept;
  Thread(const Thread &) = delete;
  Thread &operator=(const Thread &) = delete;
  ~Thread() { join(); }

  // Waits for its end; nothing to wait for is no error.
  void join();

 private:
  std::unique_ptr<std::function<void()>> work_;  // as long as it runs
  pthread_t thread_{};
};

// `work` in this thread and in up to count - 1 others, to the end of all. Each takes what is left to do: where fewer
// can be started it takes longer.
void work_together(std::size_t count, const std::function<void()> &work);

}  // namespace skiff::image
