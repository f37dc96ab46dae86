#include "imgtool/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>

#include "imgtool/interrupts.h"
#include "tests/imgtool/layer_stage.h"

namespace skiff::image {
namespace {

// While it lives no thread can start: its stack would be larger than all addresses there are.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_getattr_default_np(&huge);
    ::pthread_attr_setstacksize(&huge, std::size_t{1} << 50U);
    EXPECT_EQ(::pthread_setattr_default_np(&huge), 0);
    ::pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    EXPECT_EQ(::pthread_setattr_default_np(&before_), 0);
    ::pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads &) = delete;
  NoThreads &operator=(const NoThreads &) = delete;

 private:
  pthread_attr_t before_{};
};

TEST(Thread, OneIsWaitedFor) {
  bool done = false;
  {
    ASSERT_TRUE(Thread::start([&] { done = true; }));
  }
  EXPECT_TRUE(done);
}

TEST(Thread, OneThatCannotStartNamesTheCallAndTheRemedy) {
  const NoThreads none;
  const Result<Thread> thread = Thread::start([] {});
  ASSERT_FALSE(thread);
  EXPECT_EQ(thread.error().number, EAGAIN);
  EXPECT_EQ(thread.error().message(),
            "pthread_create: clone3, or mmap of its stack: resource temporarily unavailable; raise the limit of tasks "
            "(pids.max of the cgroup, ulimit -u), or of memory");
}

TEST(Thread, WorkIsDoneByAsManyAsThereAre) {
  std::atomic<int> left = 100;
  std::atomic<int> done = 0;
  const auto work = [&] {
    while (left-- > 0) ++done;
  };
  work_together(4, work);
  EXPECT_EQ(done, 100);
  const NoThreads none;
  left = 100;
  work_together(4, work);
  EXPECT_EQ(done, 200);
  work_together(0, work);
}

TEST(Thread, WithoutTheOneThatWaitsForSignalsNothingIsBegun) {
  const NoThreads none;
  EXPECT_FALSE(Interrupts::open());
}

class ThreadsOfALayer : public LayerTest {};

TEST_F(ThreadsOfALayer, ALayerWithoutThemFailsAndSaysWhy) {
  const NoThreads none;
  const std::string said = apply(std::vector<Header>{{.name = "file"}});
  EXPECT_NE(said.find("pthread_create"), std::string::npos) << said;
  EXPECT_FALSE(exists("file"));
}

}  // namespace
}  // namespace skiff::image
