#include "imgtool/interrupts.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/runtime/temporary_directory.h"

namespace skiff::image {
namespace {

namespace fs = std::filesystem;

TEST(HalfMade, WhatAKilledProcessLeftGoesWithTheNextAndWhatIsBeingMadeStays) {
  const TemporaryDirectory directory;
  const std::string target = directory.path() + "/made";
  const std::string left = directory.path() + "/.made.skiff-abcdefghijkl";
  fs::create_directories(left + "/rootfs");
  const Result<std::unique_ptr<Interrupts>> interrupts = Interrupts::open();
  ASSERT_TRUE(interrupts);
  const Result<HalfMade> one = HalfMade::make_directory(target, **interrupts);
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_FALSE(fs::exists(left));
  const Result<HalfMade> other = HalfMade::make_directory(target, **interrupts);
  ASSERT_TRUE(other) << other.error().message();
  EXPECT_TRUE(fs::exists(one->path()));
  EXPECT_NE(one->path(), other->path());
}

}  // namespace
}  // namespace skiff::image
