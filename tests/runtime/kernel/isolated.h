// What the tests of this room share: a child process with namespaces of its own, and a directory that goes away.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "spec/error.h"

namespace skiff::kernel::testing {

// Empty for success; otherwise what went wrong, or "skip: " and why this machine cannot show it.
using Verdict = std::string;

// Runs `body` in a forked child that has entered new namespaces (CLONE_NEW*; 0 for none). With CLONE_NEWUSER the
// caller's ids are mapped to 0 before; with CLONE_NEWNS every mount is private; with CLONE_NEWPID the body is pid 1.
Verdict run_isolated(int flags, const std::function<Verdict()> &body);

// A directory below /tmp with everything in it, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string &path() const { return path_; }

 private:
  std::string path_;
};

// From now on this process gets `number` from the system call: as an older kernel or a sandbox answers.
Status hide_call(long call, int number);

// What the test can read without the code that is tested.
std::string read_whole(const std::string &path);
void write_whole(const std::string &path, const std::string &text);
// The path the kernel has for a descriptor.
std::string path_of(int fd);

template <class T>
std::string why(const std::expected<T, Error> &result) {
  return result ? "succeeded" : result.error().message();
}

}  // namespace skiff::kernel::testing

// In a body: ends it with the place and the words of what did not hold.
#define NEED(condition)                                                                              \
  do {                                                                                               \
    if (!(condition)) return std::string(__FILE__ ":") + std::to_string(__LINE__) + ": " #condition; \
  } while (false)
#define NEED_OK(expression)                                                                                          \
  do {                                                                                                               \
    if (const auto &need_ = (expression); !need_) {                                                                  \
      return std::string(__FILE__ ":") + std::to_string(__LINE__) + ": " #expression ": " + need_.error().message(); \
    }                                                                                                                \
  } while (false)

// In a test: the verdict becomes a pass, a failure or a skip.
#define EXPECT_ISOLATED(flags, ...)                                                          \
  do {                                                                                       \
    const std::string verdict_ = ::skiff::kernel::testing::run_isolated(flags, __VA_ARGS__); \
    if (verdict_.starts_with("skip: ")) GTEST_SKIP() << verdict_.substr(6);                  \
    EXPECT_EQ(verdict_, "");                                                                 \
  } while (false)
#define EXPECT_ERRNO(result, expected)                                        \
  do {                                                                        \
    const auto &result_ = (result);                                           \
    ASSERT_FALSE(result_.has_value());                                        \
    EXPECT_EQ(result_.error().number, expected) << result_.error().message(); \
  } while (false)
#define ASSERT_OK(result)                                                       \
  do {                                                                          \
    const auto &result_ = (result);                                             \
    ASSERT_TRUE(result_.has_value()) << ::skiff::kernel::testing::why(result_); \
  } while (false)
