#include "imgtool/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <random>

namespace skiff::image {
namespace {

double draw_chance() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace

bool is_passing_status(int status) {
  constexpr std::array passing = {408, 429, 500, 502, 503, 504};
  return std::ranges::find(passing, status) != passing.end();
}

std::chrono::milliseconds backoff(const RetryPolicy &policy, std::uint32_t failed, double chance) {
  const double doubled =
      static_cast<double>(policy.first_wait.count()) * static_cast<double>(1ULL << std::min(failed - 1, 30U));
  const double spread = doubled * (0.5 + chance);
  const auto longest = static_cast<double>(std::chrono::milliseconds(policy.longest_wait).count());
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(spread, longest)));
}

bool Tries::again(std::optional<std::chrono::seconds> retry_after) {
  ++failed_;
  if (failed_ > policy_.retries || (retry_after && *retry_after > policy_.longest_wait)) return false;
  std::chrono::milliseconds wait = backoff(policy_, failed_, draw_chance());
  if (retry_after) wait = std::max(wait, std::chrono::milliseconds(*retry_after));
  if (shown_ != nullptr) shown_->status(fmt::format("Retrying in {}s", (wait.count() + 999) / 1000));
  std::mutex mutex;
  std::unique_lock lock(mutex);
  (void)std::condition_variable_any().wait_for(lock, stop_, wait, [] { return false; });
  return !stop_.stop_requested();
}

}  // namespace skiff::image
