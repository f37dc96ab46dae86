#include "runtime/signal.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace skiff {
namespace {

TEST(SignalName, IsANumberOrANameWithOrWithoutItsPrefix) {
  struct Case {
    const char *text;
    int number;
  };
  for (const auto &[text, number] : {Case{"9", 9},
                                     {"KILL", 9},
                                     {"SIGKILL", 9},
                                     {"sigterm", 15},
                                     {"term", 15},
                                     {"0", 0},
                                     {"SIGIOT", SIGIOT},
                                     {"RTMIN", SIGRTMIN},
                                     {"SIGRTMIN+3", SIGRTMIN + 3},
                                     {"rtmax-1", SIGRTMAX - 1},
                                     {"64", 64}}) {
    const Result<int> parsed = parse_signal(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, number) << text;
  }
}

TEST(SignalName, ThatIsNoneIsAnErrorThatShowsIt) {
  for (const char *bad : {"", "SIG", "NOSUCH", "65", "-1", "9x", "RTMAX+1"}) {
    const Result<int> parsed = parse_signal(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_TRUE(parsed.error().text.starts_with("unknown signal")) << parsed.error().text;
  }
}

}  // namespace
}  // namespace skiff
