// A file system of 256 KiB, for what happens when it is full or read-only.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "runtime/kernel/mount.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::image {

// Runs `body` where such a tmpfs is mounted at `path`; it goes with the mount namespace.
inline void expect_on_small_disk(const std::string &path, const std::function<kernel::testing::Verdict()> &body) {
  const auto mounted = [&]() -> kernel::testing::Verdict {
    NEED_OK(kernel::mount("tmpfs", path, "tmpfs", 0, "size=256k"));
    return body();
  };
  const int flags = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
  const kernel::testing::Verdict verdict = kernel::testing::run_isolated(flags, mounted);
  if (verdict.starts_with("skip: ")) GTEST_SKIP() << verdict;
  EXPECT_EQ(verdict, "");
}

inline Status make_read_only(const std::string &path) { return kernel::mount("", path, "", MS_REMOUNT | MS_RDONLY); }

}  // namespace skiff::image
