// Networks as containers see them.
#include <gtest/gtest.h>

#include "tests/cli/compose/engine_rig.h"

namespace skiff::rig {
namespace {

class NetworkProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(NetworkProgram, ContainersFindOneAnotherByNameAndTheHostByItsPort) {
  EngineRig rig;
  ASSERT_EQ(rig.compose({"network", "create", "net"}).code, 0);
  const Outcome web = rig.run({"-d", "--name", "web", "--network", "net", "--network-alias", "www", "-p", "18080:80"},
                              "echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp");
  ASSERT_EQ(web.code, 0) << web.err;
  // The server may take a moment: wget tries again where it is refused.
  const std::string fetch = "until wget -q -O - http://www/index.html; do :; done";
  EXPECT_EQ(rig.run({"--rm", "--network", "net"}, fetch).out, "hello\n");
  const Outcome host = run_program({"/bin/busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:18080/index.html"});
  EXPECT_EQ(host.out, "hello\n") << host.err;
  EXPECT_NE(rig.compose({"network", "rm", "net"}).code, 0);
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "rm", "net"}).code, 0);
  const Outcome rules = run_program({"/usr/sbin/iptables-save"});
  EXPECT_EQ(rules.code, 0) << rules.err;
  EXPECT_FALSE(rules.out.contains("skiff-")) << rules.out;
}

TEST_F(NetworkProgram, ConnectAndDisconnectWorkOnARunningContainer) {
  EngineRig rig;
  ASSERT_EQ(rig.compose({"network", "create", "front"}).code, 0);
  ASSERT_EQ(rig.compose({"network", "create", "back"}).code, 0);
  ASSERT_EQ(rig.run({"-d", "--name", "db", "--network", "back"}, "exec sleep 1000").code, 0);
  ASSERT_EQ(rig.run({"-d", "--name", "web", "--network", "front"}, "exec sleep 1000").code, 0);
  EXPECT_NE(rig.compose({"exec", "web", "nslookup", "db"}).code, 0);
  const Outcome connected = rig.compose({"network", "connect", "back", "web"});
  ASSERT_EQ(connected.code, 0) << connected.err;
  // The server of names learns of it by a signal.
  const Outcome found = rig.compose({"exec", "web", "sh", "-c", "until nslookup db; do :; done"});
  EXPECT_TRUE(found.out.contains("Name:\tdb")) << found.out << found.err;
  EXPECT_EQ(rig.compose({"network", "disconnect", "back", "web"}).code, 0);
  EXPECT_NE(rig.compose({"exec", "web", "ls", "/sys/class/net/eth1"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "disconnect", "back", "web"}).code, 4);
}

}  // namespace
}  // namespace skiff::rig
