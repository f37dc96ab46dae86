#include "imgtool/retry.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

using namespace std::chrono_literals;

TEST(Retry, TheWaitDoublesAndIsSpreadAndHasALimit) {
  const RetryPolicy policy{.retries = 9, .first_wait = 1000ms, .longest_wait = 10s};
  EXPECT_EQ(backoff(policy, 1, 0.5), 1000ms);
  EXPECT_EQ(backoff(policy, 1, 0.0), 500ms);
  EXPECT_LT(backoff(policy, 1, 0.999), 1500ms);
  EXPECT_EQ(backoff(policy, 3, 0.5), 4000ms);
  EXPECT_EQ(backoff(policy, 9, 0.5), 10s);
  EXPECT_EQ(backoff(policy, 4'000'000'000U, 0.5), 10s);
}

TEST(Retry, ThereAreAsManyTriesAsThePolicySays) {
  Tries tries({.retries = 2, .first_wait = 0ms, .longest_wait = 60s});
  EXPECT_TRUE(tries.again({}));
  EXPECT_TRUE(tries.again(0s));
  EXPECT_FALSE(tries.again({}));
  tries.renew();
  EXPECT_TRUE(tries.again({}));
}

TEST(Retry, AWaitThatIsTooLongIsNoTry) {
  Tries tries({.retries = 2, .first_wait = 0ms, .longest_wait = 60s});
  EXPECT_FALSE(tries.again(61s));
}

TEST(Retry, OnlyWhatCanPassIsTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_passing_status(status)) << status;
  for (const int status : {200, 400, 401, 403, 404, 501}) EXPECT_FALSE(is_passing_status(status)) << status;
}

}  // namespace
}  // namespace skiff::image
