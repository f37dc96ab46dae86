// linux.netDevices: config-linux.md, "Network Devices". The device is a tun device, which a descriptor makes and which
// goes away with it or with the container's network namespace.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <string>

#include "runtime/kernel/fd.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

class NetDevices : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    Result<kernel::Fd> opened = kernel::open("/dev/net/tun", O_RDWR);
    if (!opened) GTEST_SKIP() << opened.error().message();
    ifreq request{};
    // A name that no test beside this one takes as soon as the device has left the host.
    name = "skt" + std::to_string(::getpid());
    name.copy(static_cast<char *>(request.ifr_name), IFNAMSIZ - 1);
    request.ifr_flags = 0x0001 | 0x1000;  // IFF_TUN | IFF_NO_PI
    ASSERT_EQ(::ioctl(opened->get(), _IOW('T', 202, int), &request), 0);
    tun = *std::move(opened);
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Json &devices() { return rig.config["linux"]["netDevices"]; }
  Rig rig;
  kernel::Fd tun;
  std::string name;
};

TEST_F(NetDevices, AreInTheContainerUpAndUnderTheirNewName) {
  devices()[name] = {{"name", "inside0"}};
  const Outcome outcome = rig.run("ip -o link show inside0 | cut -d ' ' -f 2,3");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("inside0: <")) << outcome.out;
  EXPECT_NE(outcome.out.find("UP"), std::string::npos) << outcome.out;
  EXPECT_EQ(::if_nametoindex(name.c_str()), 0U);
}

TEST_F(NetDevices, KeepTheirNameWhereNoOtherIsGiven) {
  devices()[name] = Json::object();
  EXPECT_EQ(rig.run("ip -o link show " + name + " | cut -d : -f 2").out, " " + name + "\n");
}

// runtime.md, "Lifecycle": what the configuration asks for is made before the hooks that look at it.
TEST_F(NetDevices, AreThereBeforeTheHooksOfTheContainer) {
  devices()[name] = {{"name", "inside0"}};
  rig.config["hooks"]["createContainer"] = {
      {{"path", "/bin/sh"}, {"args", {"sh", "-c", "cat /proc/net/dev > " + rig.path("seen")}}}};
  ASSERT_EQ(rig.run("true").code, 0);
  EXPECT_NE(read_file(rig.path("seen")).find("inside0:"), std::string::npos);
}

TEST_F(NetDevices, ADeviceThatIsNotThereIsNamed) {
  devices()["skiff-nothing"] = Json::object();
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("linux.netDevices (skiff-nothing)"), std::string::npos) << outcome.err;
}

// config-linux.md: without a network namespace of its own the container has the host's.
TEST_F(NetDevices, WithoutANetworkNamespaceIsRefused) {
  devices()[name] = Json::object();
  std::erase_if(rig.config["linux"]["namespaces"].get_ref<Json::array_t &>(),
                [](const Json &entry) { return entry["type"] == "network"; });
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("netDevices"), std::string::npos) << outcome.err;
  EXPECT_NE(::if_nametoindex(name.c_str()), 0U) << "it stays where it was";
}

TEST_F(NetDevices, TheHostsNamespaceByItsPathIsRefused) {
  devices()[name] = {{"name", "inside0"}};
  namespace_entry(rig, "network")["path"] = "/proc/self/ns/net";
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("the container has the runtime's own network namespace"), std::string::npos)
      << outcome.err;
  EXPECT_NE(::if_nametoindex(name.c_str()), 0U) << "it stays where it was";
}

}  // namespace
}  // namespace skiff::rig
