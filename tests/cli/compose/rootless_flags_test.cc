// The flags of an ordinary user, who maps nobody but himself: no granted ids, no cgroup.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

constexpr unsigned user_id = 61235;

class RootlessFlags : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "needs setpriv (util-linux)";
    const std::string id = std::to_string(user_id);
    rig.host.uid = rig.host.gid = user_id;
    rig.host.uid_ranges = rig.host.gid_ranges = {};
    rig.host.capabilities = ~std::uint64_t{0};
    rig.rig().become(user_id, {"/usr/bin/setpriv", "--reuid", id, "--regid", id, "--clear-groups"});
  }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  FlagRig rig;
};

TEST_F(RootlessFlags, TheCallerIsTheContainersRoot) {
  EXPECT_PRINTS(rig.run({}, "id -u; cat /proc/self/uid_map | tr -s ' '; grep Seccomp: /proc/self/status | cut -f2"),
                "0\n 0 61235 1\n2\n");
  EXPECT_PRINTS(rig.run({"--network", "host", "--init"}, "id -u; head -c 15 /proc/1/cmdline"), "0\n/run/skiff-init");
}

TEST_F(RootlessFlags, KeepIdKeepsTheId) {
  EXPECT_PRINTS(rig.run({"--userns", "keep-id"}, "id -u; id -g"), "61235\n61235\n");
}

TEST_F(RootlessFlags, ReadOnlyAndTmpfsHold) {
  EXPECT_PRINTS(rig.run({"--read-only", "--tmpfs", "/work:size=64k"},
                        "touch /x 2>/dev/null || echo refused; touch /tmp/x /work/x && echo written"),
                "refused\nwritten\n");
}

TEST_F(RootlessFlags, ADeviceIsTheHostsOwn) {
  EXPECT_PRINTS(rig.run({"--device", "/dev/zero:/dev/mine"}, "head -c 3 /dev/mine | wc -c"), "3\n");
}

TEST_F(RootlessFlags, PrivilegedIsAllInItsOwnNamespaces) {
  EXPECT_PRINTS(
      rig.run({"--privileged"}, "grep CapBnd /proc/self/status | cut -f2; mount -t tmpfs x /tmp && echo mounted"),
      "000001ffffffffff\nmounted\n");
}

TEST_F(RootlessFlags, WhatNeedsGrantedIdsSaysSo) {
  EXPECT_NE(
      rig.run({"-u", "user"}, "true").err.find("have ids granted in /etc/subuid and /etc/subgid, or run as user 0"),
      std::string::npos);
  EXPECT_NE(rig.run({"--group-add", "5"}, "true").err.find("have ids granted in /etc/subgid"), std::string::npos);
  EXPECT_NE(rig.run({"--userns", "auto"}, "true").err.find("grant yourself more in /etc/subuid"), std::string::npos);
}

}  // namespace
}  // namespace skiff::rig
