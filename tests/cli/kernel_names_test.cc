// hostname, domainname and sysctl: what the container's kernel says of itself. config.md, "Hostname", "Domainname";
// config-linux.md, "Sysctl".
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

TEST(Hostname, IsTheContainersAndNotTheHosts) {
  REQUIRE_ROOT();
  const std::string before = read_file("/proc/sys/kernel/hostname");
  Rig rig;
  rig.config["hostname"] = "within";
  rig.config["domainname"] = "example.org";
  EXPECT_EQ(rig.run("hostname; uname -n; cat /proc/sys/kernel/domainname").out, "within\nwithin\nexample.org\n");
  EXPECT_EQ(read_file("/proc/sys/kernel/hostname"), before);
}

TEST(Hostname, MayBeAsLongAsTheKernelTakes) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hostname"] = std::string(64, 'h');
  EXPECT_EQ(rig.run("hostname").out, std::string(64, 'h') + "\n");
}

TEST(Sysctl, OfTheNetworkAndOfIpcAreSet) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"},
                                   {"net.ipv4.ping_group_range", "0 1000"},
                                   {"net/ipv4/ip_unprivileged_port_start", "80"},
                                   {"kernel.shm_rmid_forced", "1"},
                                   {"kernel.msgmax", "9000"},
                                   {"kernel.sem", "32000 1024000000 500 32000"},
                                   {"fs.mqueue.msg_max", "20"}};
  const Outcome outcome = rig.run(
      "cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ping_group_range net/ipv4/ip_unprivileged_port_start "
      "kernel/shm_rmid_forced kernel/msgmax kernel/sem fs/mqueue/msg_max | tr -s '\\t' ' '");
  EXPECT_EQ(outcome.out, "1\n0 1000\n80\n1\n9000\n32000 1024000000 500 32000\n20\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(Sysctl, OfTheContainerLeaveTheHostsAlone) {
  REQUIRE_ROOT();
  const std::string before = read_file("/proc/sys/kernel/msgmax");
  Rig rig;
  rig.config["linux"]["sysctl"] = {{"kernel.msgmax", "9001"}};
  ASSERT_EQ(rig.run("true").code, 0);
  EXPECT_EQ(read_file("/proc/sys/kernel/msgmax"), before);
}

TEST(Sysctl, OfUtsIsSet) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["linux"]["sysctl"] = {{"kernel.domainname", "by.sysctl"}};
  const Outcome outcome = rig.run("cat /proc/sys/kernel/domainname");
  EXPECT_EQ(outcome.out, "by.sysctl\n") << outcome.err;
}

TEST(Sysctl, OfAUserNamespaceIsSetThere) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  rig.config["linux"]["sysctl"] = {{"user.max_ipc_namespaces", "7"}};
  const Outcome outcome = rig.run("cat /proc/sys/user/max_ipc_namespaces");
  EXPECT_EQ(outcome.out, "7\n") << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
