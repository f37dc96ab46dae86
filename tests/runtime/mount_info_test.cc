#include "runtime/mount_info.h"

#include <gtest/gtest.h>

namespace skiff::testing {
namespace {

// proc_pid_mountinfo(5)
TEST(MountInfo, ALineHasNoneOrSeveralOptionalFields) {
  const auto mounts = parse_mount_info(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n"
      "37 35 0:5 / /with\\040blank\\134 ro - tmpfs none rw\n"
      "no line at all\n"
      "38 35 0:6 / /last rw - proc proc rw");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[0].root, "/mnt1");
  EXPECT_EQ(mounts[0].mount_point, "/mnt2");
  EXPECT_EQ(mounts[0].type, "ext3");
  EXPECT_EQ(mounts[0].super_options, "rw,errors=continue");
  EXPECT_EQ(mounts[1].mount_point, "/with blank\\");
  EXPECT_EQ(mounts[2].type, "proc");
}

}  // namespace
}  // namespace skiff::testing
