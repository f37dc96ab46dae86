#include "compose/long_sleep.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <string>

#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

// KiB of files that this process has in its memory.
long mapped_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "RssFile:") return status >> word ? std::stol(word) : 0;
  }
  return 0;
}

TEST(LongSleep, LetsTheProgramGoAndHearsWhatComes) {
  const kernel::SocketPair pair = kernel::socketpair().value();
  std::array<pollfd, 1> fds = {{{pair.one.get(), POLLIN, 0}}};
  LongSleep sleep;
  const long before = mapped_of_files();
  EXPECT_EQ(sleep.poll(fds, std::chrono::milliseconds(1100)), 0);
  EXPECT_LT(mapped_of_files(), before);
  ASSERT_TRUE(kernel::send_message(pair.other, "x"));
  EXPECT_EQ(sleep.poll(fds, kernel::forever), 1);
}

}  // namespace
}  // namespace skiff::compose
