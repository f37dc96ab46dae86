#include "runtime/host_probe.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace skiff {
namespace {

constexpr std::string_view hybrid_mounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/with\\040blank rw,relatime - cgroup cgroup rw,memory\n"
    "36 31 0:32 / /mnt/again rw,relatime - cgroup cgroup rw,memory\n"
    "40 31 0:37 /pod /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr std::string_view hybrid_own = "9:name=systemd:/pod/one\n4:memory:/a:b\n2:cpu,cpuacct:/\n0::/own\n";

TEST(HostProbe, FindsEachHierarchyOnceWithTheRuntimesOwnCgroupInIt) {
  const auto found = parse_hierarchies(hybrid_mounts, hybrid_own);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].mount, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(found[0].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(found[0].own, "/");
  EXPECT_EQ(found[1].mount, "/sys/fs/cgroup/with blank");
  EXPECT_EQ(found[1].own, "/a:b");
  EXPECT_EQ(found[2].controllers, std::vector<std::string>{"name=systemd"});
  EXPECT_EQ(found[2].own, "/one") << "the mount shows the hierarchy from /pod on";
  EXPECT_TRUE(found[3].unified);
  EXPECT_EQ(found[3].own, "/own");
}

TEST(HostProbe, AnOwnCgroupThatTheMountDoesNotShowIsTheMountsRoot) {
  const auto found = parse_hierarchies("1 1 0:1 /pod /cg rw - cgroup cgroup rw,pids\n", "3:pids:/elsewhere\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].own, "/");
}

TEST(HostProbe, NothingMountedIsNoError) { EXPECT_TRUE(parse_hierarchies("", "").empty()); }

TEST(HostProbe, ReadsThisHost) {
  const auto host = read_host();
  ASSERT_TRUE(host) << host.error().message();
  EXPECT_GE(host->last_capability, 36);  // CAP_BLOCK_SUSPEND, Linux 3.5
  EXPECT_EQ(host->cgroups == Host::Cgroups::none, host->hierarchies.empty());
  const auto unified = std::ranges::count_if(host->hierarchies, &CgroupHierarchy::unified);
  EXPECT_LE(unified, 1);
}

}  // namespace
}  // namespace skiff
