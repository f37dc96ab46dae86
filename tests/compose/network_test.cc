#include "compose/network.h"

#include "compose/address.h"
#include "compose/network_namespace.h"
#include "compose/network_record.h"
#include "compose/network_rules.h"
#include "compose/program.h"
#include "runtime/kernel/path.h"
#include "tests/compose/network_rig.h"

namespace skiff::compose {
namespace {

std::string address_of(const NetworkState &state) {
  const std::string address = state.endpoints.at(0).addresses.at(0);
  return address.substr(0, address.find('/'));
}

Port port_of(std::uint16_t container, std::optional<std::uint16_t> host, const std::string &protocol = "tcp") {
  Port port;
  port.container = container;
  port.host = host;
  port.protocol = protocol;
  return port;
}

// Another host, on a cable of its own.
class Outside {
 public:
  static constexpr const char *host = "192.0.2.1";
  static constexpr const char *own = "192.0.2.2";

  Outside() {
    EXPECT_TRUE(make_network_namespace(path_));
    call({"ip", "link", "add", "cable", "type", "veth", "peer", "name", "eth0"});
    call({"ip", "address", "add", std::string(host) + "/24", "dev", "cable"});
    call({"ip", "link", "set", "cable", "up"});
    call({"ip", "link", "set", "eth0", "netns", path_});
    EXPECT_EQ(run_inside(path_,
                         [] {
                           call({"ip", "address", "add", std::string(own) + "/24", "dev", "eth0"});
                           call({"ip", "link", "set", "eth0", "up"});
                           call({"ip", "route", "add", "default", "via", host});
                           return std::string("made");
                         }),
              "made");
  }
  Outside(const Outside &) = delete;
  Outside &operator=(const Outside &) = delete;
  ~Outside() {
    call({"ip", "link", "del", "cable"});
    EXPECT_TRUE(remove_network_namespace(path_));
  }
  [[nodiscard]] const std::string &path() const { return path_; }

 private:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/outside";
};

TEST_F(NetworkTest, TwoContainersFindOneAnotherByNameAndAlias) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net");
  const NetworkState db = attach("db", "net");
  const std::string server = web.endpoints.at(0).name_servers.at(0);
  EXPECT_EQ(run_inside(web.path, [&] { return find_name(server, "db"); }), address_of(db));
  EXPECT_EQ(run_inside(web.path, [&] { return find_name(server, "db-alias"); }), address_of(db));
  EXPECT_EQ(run_inside(db.path, [&] { return find_name(server, "web"); }), address_of(web));
  kernel::Child server_process = serve(db.path, "tcp", 5432);
  EXPECT_EQ(run_inside(web.path, [&] { return talk_to("tcp", address_of(db), 5432); }), "hello " + address_of(web));
}

// Neighbours remember a hardware address for half a minute.
TEST_F(NetworkTest, WhoeverTakesAnAddressAgainIsReachedAtOnce) {
  (void)make_network("net");
  const NetworkState db = attach("db", "net");
  const auto answer = [&](const NetworkState &web) {
    const kernel::Child server = serve(web.path, "tcp", 80);
    return run_inside(db.path, [&] { return talk_to("tcp", address_of(web), 80); });
  };
  const NetworkState first = attach("web", "net");
  EXPECT_EQ(answer(first), "hello " + address_of(db));
  ASSERT_TRUE(detach_networks(places_, first.container));
  const NetworkState second = attach("other", "net");
  ASSERT_EQ(address_of(second), address_of(first));
  EXPECT_EQ(second.endpoints.at(0).mac_address, first.endpoints.at(0).mac_address);
  EXPECT_EQ(answer(second), "hello " + address_of(db));
}

// It learns of the second one by a signal, for which it may not have been ready.
TEST_F(NetworkTest, TheNameServerOutlivesContainersThatComeAndGoAtOnce) {
  (void)make_network("net");
  for (int round = 0; round < 5; ++round) {
    const NetworkState web = attach("web", "net");
    const NetworkState db = attach("db", "net");
    const std::string server = web.endpoints.at(0).name_servers.at(0);
    EXPECT_EQ(run_inside(web.path, [&] { return find_name(server, "db"); }), address_of(db)) << round;
    EXPECT_TRUE(detach_networks(places_, db.container));
    EXPECT_TRUE(detach_networks(places_, web.container));
  }
}

TEST_F(NetworkTest, OfARangeTheFirstFreePortIsTaken) {
  (void)make_network("net");
  const NetworkState first = attach("first", "net", {port_of(80, std::nullopt)});
  Port range = port_of(90, first.ports.at(0).host);
  range.host_last = static_cast<std::uint16_t>(*range.host + 20);
  const NetworkState second = attach("second", "net", {range});
  ASSERT_EQ(second.ports.size(), 1);
  EXPECT_GT(second.ports[0].host, *range.host);
  EXPECT_LE(second.ports[0].host, *range.host_last);
  range.host_last = range.host;
  Attachment attachment;
  attachment.network = "net";
  const Result<NetworkState> none =
      attach_as({.container = "third", .name = "third", .attachments = {attachment}, .ports = {range}});
  EXPECT_EQ(none.error().number, EADDRINUSE);
  EXPECT_TRUE(none.error().text.contains("none of")) << none.error().message();
}

TEST_F(NetworkTest, APublishedPortAnswersFromTheHost) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt), port_of(53, std::nullopt, "udp")});
  ASSERT_EQ(web.ports.size(), 2);
  const kernel::Child tcp = serve(web.path, "tcp", 80);
  EXPECT_TRUE(talk_to("tcp", "127.0.0.1", *web.ports[0].host).starts_with("hello "));
  const kernel::Child udp = serve(web.path, "udp", 53);
  EXPECT_TRUE(talk_to("udp", "127.0.0.1", *web.ports[1].host).starts_with("hello "));
}

TEST_F(NetworkTest, APortThatAnotherContainerHasIsRefusedByItsName) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  Attachment attachment;
  attachment.network = "net";
  const Result<NetworkState> other =
      attach_as({.container = "other", .name = "other", .attachments = {attachment}, .ports = web.ports});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().number, EADDRINUSE);
  EXPECT_TRUE(other.error().text.contains("container web has it")) << other.error().message();
  EXPECT_EQ(find_attached(places_, "other").error().number, ENOENT);
}

TEST_F(NetworkTest, WhatAKilledCommandLeftIsRemoved) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  // Its namespace is gone, and the firewall still has its rules.
  ASSERT_TRUE(remove_network_namespace(web.path));
  const Status detached = detach_networks(places_, web.container);
  EXPECT_TRUE(detached) << detached.error().message();
  // Only the record was made.
  ASSERT_TRUE(save_attached(places_, web));
  const Status again = detach_networks(places_, web.container);
  EXPECT_TRUE(again) << again.error().message();
  EXPECT_TRUE(detach_networks(places_, web.container));
}

// A bridge that is down, and of its rules the first table.
TEST_F(NetworkTest, AHalfMadeBridgeIsMadeAgain) {
  const NetworkRecord net = make_network("net");
  const std::string rules = rules_to_add(net, {}, AddressFamily::ipv4);
  call({"ip", "link", "add", net.bridge, "group", std::to_string(std::stoul(net.id.substr(0, 7), nullptr, 16)), "type",
        "bridge"});
  call({"iptables-restore", "--noflush"}, rules.substr(0, rules.find("COMMIT\n") + 7));
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  const kernel::Child server = serve(web.path, "tcp", 80);
  EXPECT_TRUE(talk_to("tcp", "127.0.0.1", *web.ports.at(0).host).starts_with("hello "));
}

TEST_F(NetworkTest, ABridgeAndRulesThatSomebodyElseHasRemovedAreNoError) {
  const NetworkRecord net = make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  call({"iptables", "-t", "nat", "-F", "PREROUTING"});
  EXPECT_TRUE(detach_networks(places_, web.container));
  const NetworkState again = attach("web", "net", {port_of(80, std::nullopt)});
  call({"ip", "link", "del", net.bridge});
  EXPECT_TRUE(detach_networks(places_, again.container));
}

TEST_F(NetworkTest, AFirewallThatDropsIsPassedByPublishedPortsAndByWhatGoesOut) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  const Outside outside;
  for (const char *chain : {"FORWARD", "INPUT"}) call({"iptables", "-P", chain, "DROP"});
  const kernel::Child inner = serve(web.path, "tcp", 80);
  const std::uint16_t port = *web.ports.at(0).host;
  EXPECT_EQ(run_inside(outside.path(), [&] { return talk_to("tcp", Outside::host, port); }),
            std::string("hello ") + Outside::own);
  const kernel::Child outer = serve(outside.path(), "tcp", 80);
  EXPECT_EQ(run_inside(web.path, [&] { return talk_to("tcp", Outside::own, 80); }),
            std::string("hello ") + Outside::host);
  const std::string server = web.endpoints.at(0).name_servers.at(0);
  EXPECT_EQ(run_inside(web.path, [&] { return find_name(server, "web"); }), address_of(web));
}

TEST_F(NetworkTest, OneNetworkIsOutOfReachOfAnotherAndOfTheWorldBesideItsPorts) {
  (void)make_network("front");
  (void)make_network("back");
  const NetworkState web = attach("web", "front");
  const NetworkState db = attach("db", "back", {port_of(53, std::nullopt, "udp")});
  const Outside outside;
  const kernel::Child server = serve(db.path, "udp", 53);
  const auto ask = [&] { return talk_to("udp", address_of(db), 53, std::chrono::milliseconds(250)); };
  EXPECT_EQ(run_inside(web.path, ask), "no answer");
  EXPECT_EQ(run_inside(outside.path(), ask), "no answer");
  const std::uint16_t port = *db.ports.at(0).host;
  EXPECT_TRUE(run_inside(web.path, [&] { return talk_to("udp", Outside::host, port); }).starts_with("hello "));
}

TEST_F(NetworkTest, AContainerReachesAPortThatItsNeighbourHasPublished) {
  (void)make_network("net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt)});
  const NetworkState db = attach("db", "net");
  const Outside outside;
  const kernel::Child server = serve(web.path, "tcp", 80);
  const std::uint16_t port = *web.ports.at(0).host;
  EXPECT_TRUE(run_inside(db.path, [&] { return talk_to("tcp", Outside::host, port); }).starts_with("hello "));
}

TEST_F(NetworkTest, OfAnInternalNetworkNothingGoesOut) {
  Network network;
  network.key = network.name = "net";
  network.internal = true;
  ASSERT_TRUE(create_network(places_, network));
  const NetworkState web = attach("web", "net");
  const NetworkState db = attach("db", "net");
  const Outside outside;
  const kernel::Child inner = serve(db.path, "tcp", 80);
  EXPECT_EQ(run_inside(web.path, [&] { return talk_to("tcp", address_of(db), 80); }), "hello " + address_of(web));
  EXPECT_EQ(run_inside(web.path, [] { return talk_to("tcp", Outside::own, 80); }), "Network is unreachable");
  // Nor by a way that it has made itself.
  const kernel::Child outer = serve(outside.path(), "udp", 80);
  const std::string gateway = web.endpoints.at(0).name_servers.at(0);
  const auto find_way = [&] {
    call({"ip", "route", "add", "default", "via", gateway});
    return talk_to("udp", Outside::own, 80, std::chrono::milliseconds(250));
  };
  EXPECT_EQ(run_inside(web.path, find_way), "no answer");
}

TEST_F(NetworkTest, NftDoesWithoutIptables) {
  const TemporaryDirectory programs;
  for (const char *name : {"nft", "ip"}) {
    const Result<std::string> path = find_program(name);
    ASSERT_TRUE(path) << path.error().message();
    ASSERT_TRUE(kernel::symlinkat(*path, kernel::cwd, programs.path() + "/" + name));
  }
  const std::string before = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", programs.path().c_str(), 1), 0);
  (void)make_network("net");
  const NetworkState db = attach("db", "net");
  const NetworkState web = attach("web", "net", {port_of(80, std::nullopt), port_of(81, std::nullopt)});
  const Outside outside;
  for (const std::size_t i : {0U, 1U}) {
    const kernel::Child server = serve(web.path, "tcp", web.ports.at(i).container);
    const std::string address = i == 0 ? "127.0.0.1" : Outside::host;
    EXPECT_TRUE(talk_to("tcp", address, *web.ports[i].host).starts_with("hello "));
  }
  const kernel::Child outer = serve(outside.path(), "tcp", 80);
  EXPECT_EQ(run_inside(db.path, [&] { return talk_to("tcp", Outside::own, 80); }),
            std::string("hello ") + Outside::host);
  EXPECT_TRUE(detach_networks(places_, web.container));
  EXPECT_TRUE(detach_networks(places_, db.container));
  EXPECT_EQ(call_program({programs.path() + "/nft", "list", "tables"}).value_or("an error"), "");
  ASSERT_EQ(::setenv("PATH", before.c_str(), 1), 0);
}

TEST_F(NetworkTest, OneIsConnectedAndDisconnectedWhileItRuns) {
  (void)make_network("front");
  (void)make_network("back");
  const NetworkState web = attach("web", "front");
  const NetworkState db = attach("db", "back");
  Attachment attachment;
  attachment.network = "back";
  attachment.aliases = {"www"};
  const Result<NetworkState> both = connect_network(places_, web.container, attachment);
  ASSERT_TRUE(both) << both.error().message();
  ASSERT_EQ(both->endpoints.size(), 2);
  EXPECT_EQ(both->endpoints[1].interface_name, "eth1");
  const std::string server = db.endpoints.at(0).name_servers.at(0);
  EXPECT_TRUE(Address::parse(run_inside(db.path, [&] { return find_name(server, "www"); })));
  EXPECT_EQ(connect_network(places_, web.container, attachment).error().number, EEXIST);
  EXPECT_EQ(remove_network(places_, "back").error().number, EBUSY);
  const Result<NetworkState> one = disconnect_network(places_, web.container, "back");
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(one->endpoints.size(), 1);
  EXPECT_EQ(disconnect_network(places_, web.container, "back").error().number, ENOENT);
}

TEST_F(NetworkTest, AWishedAddressIsGivenOnce) {
  Network network;
  network.key = network.name = "net";
  network.pools = {{.subnet = "10.212.7.0/24", .gateway = {}, .range = {}, .reserved = {}},
                   {.subnet = "fd12:3456::/64", .gateway = {}, .range = {}, .reserved = {}}};
  ASSERT_TRUE(create_network(places_, network));
  Attachment wish;
  wish.network = "net";
  wish.ipv4_address = "10.212.7.77";
  wish.ipv6_address = "fd12:3456::77";
  wish.mac_address = "02:12:34:56:78:9a";
  const Result<NetworkState> state = attach_as({.container = "one", .name = "one", .attachments = {wish}});
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_EQ(state->endpoints.at(0).addresses, (std::vector<std::string>{"10.212.7.77/24", "fd12:3456::77/64"}));
  EXPECT_EQ(state->endpoints.at(0).mac_address, wish.mac_address);
  const Result<NetworkState> other = attach_as({.container = "two", .name = "two", .attachments = {wish}});
  EXPECT_EQ(other.error().number, EADDRINUSE);
}

TEST_F(NetworkTest, ANetworkIsFoundByItsNameAndTheBeginningOfItsId) {
  const NetworkRecord net = make_network("net");
  EXPECT_EQ(find_network(places_, "net")->id, net.id);
  EXPECT_EQ(find_network(places_, net.id.substr(0, 10))->name, "net");
  EXPECT_EQ(find_network(places_, "nonesuch").error().number, ENOENT);
  const NetworkRecord other = make_network("other");
  EXPECT_NE(other.subnets.at(0).subnet, net.subnets.at(0).subnet);
  EXPECT_EQ(remove_network(places_, "net").has_value(), true);
  EXPECT_EQ(list_networks(places_)->size(), 1);
}

TEST_F(NetworkTest, ASubnetOfAnotherNetworkIsRefused) {
  const NetworkRecord net = make_network("net");
  Network network;
  network.key = network.name = "other";
  network.pools = {{.subnet = net.subnets.at(0).subnet, .gateway = {}, .range = {}, .reserved = {}}};
  EXPECT_TRUE(create_network(places_, network).error().text.contains("overlaps"));
}

// It goes down with the last container.
TEST_F(NetworkTest, ABridgeOfSomebodyElseIsRefused) {
  call({"ip", "link", "add", "theirs", "type", "bridge"});
  Network network;
  network.key = network.name = "net";
  network.driver_options["com.docker.network.bridge.name"] = "theirs";
  EXPECT_EQ(create_network(places_, network).error().text,
            "networks.net.driver_opts.com.docker.network.bridge.name: theirs, an interface of the host");
  network.driver_options["com.docker.network.bridge.name"] = "ours";
  ASSERT_TRUE(create_network(places_, network));
  network.key = network.name = "other";
  EXPECT_EQ(create_network(places_, network).error().text,
            "networks.other.driver_opts.com.docker.network.bridge.name: ours, the bridge of network net");
  call({"ip", "link", "del", "theirs"});
}

}  // namespace
}  // namespace skiff::compose
