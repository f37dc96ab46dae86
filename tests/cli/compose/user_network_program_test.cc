// Networks of an ordinary user's containers, as he has them.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include "tests/cli/compose/user_rig.h"

namespace skiff::rig {
namespace {

class UserNetworkProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = UserRig::missing(); !missing.empty()) GTEST_SKIP() << missing;
  }
};

TEST_F(UserNetworkProgram, ContainersFindOneAnotherByNameAndReachTheHost) {
  UserRig rig;
  ASSERT_EQ(rig.compose({"network", "create", "net"}).code, 0);
  const Outcome web = rig.run({"-d", "--name", "web", "--network", "net", "--network-alias", "www"},
                              "echo hello >/tmp/index.html; exec busybox httpd -f -p 80 -h /tmp");
  ASSERT_EQ(web.code, 0) << web.err;
  const kernel::Child host = serve_in(::getpid(), SOCK_STREAM, 7000);
  const Outcome client = rig.run({"--rm", "--network", "net"},
                                 "for name in web www; do until busybox wget -q -O - http://$name/index.html; do :; "
                                 "done; done; busybox wget -q -O - http://198.51.100.2:7000/; id -u");
  EXPECT_EQ(client.code, 0) << client.err;
  // pasta is a program of the host: to others it is the host that asks.
  EXPECT_EQ(client.out, "hello\nhello\n198.51.100.20\n") << client.err;
  EXPECT_NE(rig.compose({"network", "rm", "net"}).code, 0);
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "rm", "net"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST_F(UserNetworkProgram, APublishedPortShowsTheContainerWhoComes) {
  UserRig rig;
  const Outcome made =
      rig.run({"-d", "--name", "web", "-p", "18080:80", "-p", "18053:53/udp", "-p", "127.0.0.1:18081-18083:80"},
              "exec sleep 1000");
  ASSERT_EQ(made.code, 0) << made.err;
  const kernel::Child tcp = serve_in(rig.pid_of("web"), SOCK_STREAM, 80);
  const kernel::Child udp = serve_in(rig.pid_of("web"), SOCK_DGRAM, 53);
  for (const auto &[type, port] : {std::pair{SOCK_STREAM, 18080}, std::pair{SOCK_DGRAM, 18053}}) {
    const auto number = static_cast<std::uint16_t>(port);
    EXPECT_EQ(ask(type, UserRig::other_address, UserRig::host_address, number), UserRig::other_address);
    // Its answers have a way to neither of these: the bridge stands for them.
    EXPECT_TRUE(ask(type, "127.0.0.1", "127.0.0.1", number).starts_with("10.20")) << port;
    EXPECT_TRUE(ask(type, UserRig::other_address6, "::1", number).starts_with("10.20")) << port;
  }
  EXPECT_TRUE(ask(SOCK_STREAM, "127.0.0.1", "127.0.0.1", 18081).starts_with("10.20"));
  EXPECT_EQ(ask(SOCK_STREAM, UserRig::other_address, UserRig::host_address, 18081), "Connection refused");
}

TEST_F(UserNetworkProgram, OfIPv6TheSourceIsKeptWhereTheNetworkHasIt) {
  UserRig rig;
  ASSERT_EQ(rig.compose({"network", "create", "--ipv6", "net"}).code, 0);
  ASSERT_EQ(rig.run({"-d", "--name", "web", "--network", "net", "-p", "18080:80"}, "exec sleep 1000").code, 0);
  const kernel::Child tcp = serve_in(rig.pid_of("web"), SOCK_STREAM, 80);
  EXPECT_EQ(ask(SOCK_STREAM, UserRig::other_address6, "::1", 18080), UserRig::other_address6);
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "rm", "net"}).code, 0);
}

TEST_F(UserNetworkProgram, StaticAddressesSeveralNetworksAndInternalOnesAreAsForRoot) {
  UserRig rig;
  rig.make_image();
  rig.write("compose.yaml", R"(
services:
  front:
    image: example/busybox
    command: [busybox, sleep, "1000"]
    stop_grace_period: 0s
    networks: {outer: {}, inner: {ipv4_address: 10.213.9.77}}
  back:
    image: example/busybox
    command: [busybox, sleep, "1000"]
    stop_grace_period: 0s
    networks: [inner]
networks:
  outer: {}
  inner: {internal: true, ipam: {config: [{subnet: 10.213.9.0/24}]}}
)");
  const std::vector<std::string> project = {"-f", rig.path("compose.yaml"), "-p", "p", "--progress", "plain"};
  const auto compose = [&](std::vector<std::string> words) {
    words.insert(words.begin(), project.begin(), project.end());
    return rig.compose(words);
  };
  // The server of names learns of containers by a signal.
  const auto finds_front = [](std::vector<std::string> words) {
    words.insert(words.end(), {"busybox", "sh", "-c", "until busybox nslookup front; do :; done"});
    return words;
  };
  const Outcome up = compose({"up", "-d"});
  ASSERT_EQ(up.code, 0) << up.err;
  EXPECT_TRUE(compose(finds_front({"exec", "-T", "back"})).out.contains("10.213.9.77"));
  EXPECT_TRUE(compose({"exec", "-T", "front", "busybox", "ip", "route"}).out.contains("default"));
  EXPECT_FALSE(compose({"exec", "-T", "back", "busybox", "ip", "route"}).out.contains("default"));
  EXPECT_EQ(compose({"restart", "front"}).code, 0);
  EXPECT_EQ(compose({"scale", "back=2"}).code, 0);
  EXPECT_TRUE(compose(finds_front({"exec", "-T", "back"})).out.contains("10.213.9.77"));
  const Outcome once = compose(finds_front({"run", "--rm", "back"}));
  EXPECT_TRUE(once.out.contains("10.213.9.77")) << once.err;
  const Outcome down = compose({"down", "-v"});
  EXPECT_EQ(down.code, 0) << down.err;
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST_F(UserNetworkProgram, AnotherContainersNetworkIsShared) {
  UserRig rig;
  ASSERT_EQ(rig.run({"-d", "--name", "web"}, "exec sleep 1000").code, 0);
  const Outcome beside = rig.run({"--rm", "--network", "container:web"}, "ip -o addr show eth0");
  EXPECT_EQ(beside.code, 0) << beside.err;
  EXPECT_TRUE(beside.out.contains("10.20")) << beside.out;
}

TEST_F(UserNetworkProgram, OneIsConnectedAndDisconnectedWhileItRuns) {
  UserRig rig;
  ASSERT_EQ(rig.compose({"network", "create", "back"}).code, 0);
  ASSERT_EQ(rig.run({"-d", "--name", "web"}, "exec sleep 1000").code, 0);
  const Outcome connected = rig.compose({"network", "connect", "back", "web"});
  EXPECT_EQ(connected.code, 0) << connected.err;
  EXPECT_EQ(rig.compose({"exec", "web", "ls", "/sys/class/net/eth1"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "disconnect", "back", "web"}).code, 0);
  EXPECT_NE(rig.compose({"exec", "web", "ls", "/sys/class/net/eth1"}).code, 0);
  EXPECT_EQ(rig.compose({"network", "rm", "back"}).code, 0);
}

// They lie in the network's user namespace, running or not.
TEST_F(UserNetworkProgram, FilesAreCopiedInAndOut) {
  UserRig rig;
  rig.write("file", "text\n");
  ASSERT_EQ(rig.run({"-d", "--name", "web"}, "mkdir -m 700 /closed; exec sleep 1000").code, 0);
  ASSERT_EQ(rig.compose({"exec", "web", "sh", "-c", "until test -d /closed; do :; done"}).code, 0);
  for (const std::string round : {"running", "stopped"}) {
    SCOPED_TRACE(round);
    EXPECT_EQ(rig.compose({"cp", rig.path("file"), "web:/closed/" + round}).err, "");
    EXPECT_EQ(rig.compose({"cp", "web:/closed", rig.path(round)}).err, "");
    EXPECT_EQ(read_file(rig.path(round + "/" + round)), "text\n");
    EXPECT_EQ(rig.compose({"stop", "-t", "0", "web"}).code, 0);
  }
  EXPECT_EQ(rig.compose({"start", "web"}).code, 0);
  EXPECT_EQ(rig.compose({"exec", "web", "cat", "/closed/stopped"}).out, "text\n");
}

TEST_F(UserNetworkProgram, APortThatCannotBeHadIsNamedAndNothingStays) {
  UserRig rig;
  const kernel::Child other = serve_in(::getpid(), SOCK_STREAM, 18080);
  const Outcome taken = rig.run({"-d", "--name", "web", "-p", "18080:80"}, "exec sleep 1000");
  EXPECT_EQ(taken.code, 125);
  EXPECT_TRUE(taken.err.contains("18080/tcp: a program of the host has it")) << taken.err;
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  const Outcome range = rig.run({"-d", "--name", "web", "-p", "18080-18082:80"}, "exec sleep 1000");
  ASSERT_EQ(range.code, 0) << range.err;
  EXPECT_TRUE(rig.compose({"port", "web", "80"}).out.contains(":18081")) << rig.compose({"port", "web"}).out;
  const Json port = Json::parse(rig.compose({"port", "--format", "json", "web"}).out).at(0);
  EXPECT_EQ(port, Json({{"host_ip", "0.0.0.0"}, {"container_port", 80}, {"host_port", 18081}, {"protocol", "tcp"}}));
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  const Outcome low = rig.run({"-d", "--name", "web", "-p", "80:80"}, "exec sleep 1000");
  EXPECT_TRUE(low.err.contains("publish a port from 1024 on")) << low.err;
  EXPECT_EQ(rig.compose({"rm", "-f", "web"}).code, 0);
  const Outcome sctp = rig.run({"--rm", "-p", "18080:80/sctp"}, "true");
  EXPECT_TRUE(sctp.err.contains("port 80: sctp cannot be published without root")) << sctp.err;
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST_F(UserNetworkProgram, WhenItsHolderIsKilledTheNextStartMakesAnother) {
  UserRig rig;
  ASSERT_EQ(rig.run({"-d", "--name", "web"}, "exec sleep 1000").code, 0);
  const int holder = std::stoi(read_file(rig.state() + "/run/networks/holder"));
  ASSERT_EQ(::kill(holder, SIGKILL), 0);
  ASSERT_TRUE(wait_for_end(holder));
  const Outcome next = rig.run({"--rm"}, "ip -o addr show eth0");
  EXPECT_TRUE(next.out.contains("10.20")) << next.err;
  EXPECT_EQ(rig.compose({"restart", "-t", "0", "web"}).code, 0);
  EXPECT_TRUE(rig.compose({"exec", "web", "ip", "-o", "addr", "show", "eth0"}).out.contains("10.20"));
}

// At a different moment each time: the next command goes on with what is there or removes it.
TEST_F(UserNetworkProgram, ARunThatIsKilledAnywhereIsRepairedByTheNext) {
  UserRig rig;
  for (int milliseconds = 20; milliseconds < 600; milliseconds += 53) {
    const std::string seconds = (milliseconds < 100 ? "0.0" : "0.") + std::to_string(milliseconds);
    (void)rig.run({"-d", "--name", "web", "-p", "18080:80"}, "exec sleep 1000",
                  {"/usr/bin/timeout", "-s", "KILL", seconds});
    const Outcome next = rig.run({"--rm"}, "ip -o addr show eth0");
    EXPECT_TRUE(next.out.contains("10.20")) << milliseconds << ": " << next.err;
    (void)rig.compose({"rm", "-f", "web"});
    EXPECT_EQ(rig.leftovers(), std::vector<std::string>()) << milliseconds;
  }
}

}  // namespace
}  // namespace skiff::rig
