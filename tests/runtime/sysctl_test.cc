#include "runtime/sysctl.h"

#include <sched.h>

#include "tests/runtime/rootfs_stage.h"

namespace skiff::testing {
namespace {

using kernel::testing::read_whole;

// sysctl(8): the first separator decides which one separates.
TEST(Sysctl, ANameIsReadAsSysctlReadsIt) {
  EXPECT_EQ(sysctl_file("net.ipv4.ip_forward"), "sys/net/ipv4/ip_forward");
  EXPECT_EQ(sysctl_file("net/ipv4/ip_forward"), "sys/net/ipv4/ip_forward");
  EXPECT_EQ(sysctl_file("net/ipv4/conf/eth0.100/forwarding"), "sys/net/ipv4/conf/eth0.100/forwarding");
  EXPECT_EQ(sysctl_file("net.ipv4.conf.eth0/100.forwarding"), "sys/net/ipv4/conf/eth0.100/forwarding");
  for (const char *bad : {"", ".", "net..ipv4", "/net", "net/../../self/attr", "net/", "a/./b"}) {
    EXPECT_FALSE(sysctl_file(bad)) << bad;
  }
}

// config-linux.md, "Sysctl"
TEST(Sysctl, AParameterIsWritten) {
  EXPECT_STAGED(on_stage(CLONE_NEWNET, [](Stage &stage) -> Verdict {
    NEED_OK(stage.apply(SetSysctl{.key = "net.ipv4.ip_forward", .value = "1"}));
    NEED(read_whole("/proc/sys/net/ipv4/ip_forward") == "1\n");
    NEED_OK(stage.apply(SetSysctl{.key = "net/ipv4/ip_forward", .value = "0"}));
    NEED(read_whole("/proc/sys/net/ipv4/ip_forward") == "0\n");
    return {};
  }));
}

TEST(Sysctl, AnErrorNamesKeyAndValueAndARemedy) {
  EXPECT_STAGED(on_stage(CLONE_NEWNET, [](Stage &stage) -> Verdict {
    const auto missing = stage.apply(SetSysctl{.key = "net.ipv4.no_such", .value = "1"});
    NEED(!missing && missing.error().number == ENOENT);
    NEED(missing.error().text.starts_with("net.ipv4.no_such = 1: ") && !missing.error().remedy.empty());
    const auto bad = stage.apply(SetSysctl{.key = "net.ipv4.ip_forward", .value = "x"});
    NEED(!bad && bad.error().number == EINVAL && !bad.error().remedy.empty());
    return {};
  }));
}

}  // namespace
}  // namespace skiff::testing
