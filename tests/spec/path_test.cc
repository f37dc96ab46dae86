#include "spec/path.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

// CVE-2022-23648: "/../../etc" is a directory of the container.
TEST(Path, ACleanPathIsAbsoluteAndStaysBelowTheRoot) {
  EXPECT_EQ(clean_path("/"), "/");
  EXPECT_EQ(clean_path(""), "/");
  EXPECT_EQ(clean_path("/dev/"), "/dev");
  EXPECT_EQ(clean_path("//a/./b/../c"), "/a/c");
  EXPECT_EQ(clean_path("/../../etc/./x//y/.."), "/etc/x");
  EXPECT_EQ(clean_path("a/.."), "/");
  EXPECT_EQ(clean_path("a/../..b"), "/..b");
}

TEST(Path, ARelativeOneHasNoSlashInFront) {
  EXPECT_EQ(clean_relative_path("/a//b/"), "a/b");
  EXPECT_EQ(clean_relative_path("../.."), "");
}

}  // namespace
}  // namespace skiff::spec
