#include "imgtool/thread.h"

#include <vector>

namespace skiff::image {
namespace {

void *call(void *work) {
  (*static_cast<std::function<void()> *>(work))();
  return nullptr;
}

}  // namespace

Result<Thread> Thread::start(std::function<void()> work) {
  Thread thread;
  auto kept = std::make_unique<std::function<void()>>(std::move(work));
  if (const int error = ::pthread_create(&thread.thread_, nullptr, call, kept.get()); error != 0) {
    return fail(error, "pthread_create: clone3, or mmap of its stack",
                "raise the limit of tasks (pids.max of the cgroup, ulimit -u), or of memory");
  }
  thread.work_ = std::move(kept);
  return thread;
}

Thread &Thread::operator=(Thread &&other) noexcept {
  join();
  work_ = std::move(other.work_);
  thread_ = other.thread_;
  return *this;
}

void Thread::join() {
  if (work_ == nullptr) return;
  (void)::pthread_join(thread_, nullptr);
  work_.reset();
}

void work_together(std::size_t count, const std::function<void()> &work) {
  std::vector<Thread> others;
  while (others.size() + 1 < count) {
    Result<Thread> other = Thread::start(work);
    if (!other) break;
    others.push_back(std::move(*other));
  }
  work();
}

}  // namespace skiff::image
