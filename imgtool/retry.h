// When a request that failed is worth another try, and how long to wait before it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>

#include "imgtool/progress.h"

namespace skiff::image {

struct RetryPolicy {
  std::uint32_t retries = 4;
  std::chrono::milliseconds first_wait{1000};
  std::chrono::seconds longest_wait{60};
};

// 408, 429, 500, 502, 503, 504: the others will be the same the next time.
[[nodiscard]] bool is_passing_status(int status);

// Before the try after `failed` ones (1 and up): doubled each time, and spread by half to both sides so that many
// clients do not come back at once. `chance` is from [0, 1).
[[nodiscard]] std::chrono::milliseconds backoff(const RetryPolicy &policy, std::uint32_t failed, double chance);

// Counts the tries of one request.
class Tries {
 public:
  // `stop` ends a wait, and then there is no other try.
  explicit Tries(const RetryPolicy &policy, ProgressItem *shown = nullptr, std::stop_token stop = {})
      : policy_(policy), shown_(shown), stop_(std::move(stop)) {}

  // Waits, then says that another try is due. False at once where there were enough of them, or where the registry asks
  // for more than the longest wait.
  [[nodiscard]] bool again(std::optional<std::chrono::seconds> retry_after);
  // The last try brought something that the next one need not fetch again.
  void renew() { failed_ = 0; }

 private:
  RetryPolicy policy_;
  ProgressItem *shown_;
  std::stop_token stop_;
  std::uint32_t failed_ = 0;
};

}  // namespace skiff::image
