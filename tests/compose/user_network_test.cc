#include "compose/user_network.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compose/backend.h"

namespace skiff::compose {
namespace {

using spec::IdMapping;

std::string text_of(const std::vector<IdMapping> &mappings) {
  std::string text;
  for (const IdMapping &one : mappings) {
    text += std::to_string(one.container_id) + ":" + std::to_string(one.host_id) + ":" + std::to_string(one.size) + " ";
  }
  return text;
}

TEST(UserNetwork, MapsTheUserAndWhatHeIsGranted) {
  HostFacts host;
  host.uid = 1000;
  host.gid = 100;
  host.uid_ranges = {{.first = 100000, .size = 65536}, {.first = 300000, .size = 10}};
  const IdMaps maps = make_user_network_maps(host).value();
  EXPECT_EQ(text_of(maps.uids), "0:1000:1 1:100000:65536 65537:300000:10 ");
  EXPECT_EQ(text_of(maps.gids), "0:100:1 ");
}

// user_namespaces(7): the ids in a nested namespace's uid_map are those of its parent.
TEST(UserNetwork, WritesTheSameMappingsAsWhoIsInside) {
  const std::vector<IdMapping> outer = {{.container_id = 0, .host_id = 1000, .size = 1},
                                        {.container_id = 1, .host_id = 100000, .size = 1000},
                                        {.container_id = 1001, .host_id = 300000, .size = 1000}};
  const std::vector<IdMapping> keep_id = {{.container_id = 0, .host_id = 100000, .size = 1000},
                                          {.container_id = 1000, .host_id = 1000, .size = 1},
                                          {.container_id = 1001, .host_id = 300000, .size = 7}};
  EXPECT_EQ(text_of(map_inside(keep_id, outer).value()), "0:1:1000 1000:0:1 1001:1001:7 ");
  // One that goes over the end of a range is two.
  const std::vector<IdMapping> joined = {{.container_id = 0, .host_id = 100000, .size = 1000},
                                         {.container_id = 1000, .host_id = 300000, .size = 1000}};
  EXPECT_EQ(text_of(map_inside({{.container_id = 5, .host_id = 100998, .size = 2}}, joined).value()), "5:998:2 ");
  EXPECT_EQ(text_of(map_inside({{.container_id = 0, .host_id = 10, .size = 20}},
                               {{.container_id = 0, .host_id = 20, .size = 50},
                                {.container_id = 50, .host_id = 0, .size = 20}})
                        .value()),
            "0:60:10 10:0:10 ");
}

TEST(UserNetwork, AnIdThatIsNotGrantedIsNamed) {
  const auto refused =
      map_inside({{.container_id = 0, .host_id = 7, .size = 1}}, {{.container_id = 0, .host_id = 1000, .size = 1}});
  EXPECT_EQ(refused.error().text, "the host's id 7 is not granted");
}

TEST(UserNetwork, PastaForwardsNoPortAndShowsNothingOfLoopback) {
  const std::vector<std::string> words = pasta_words("/run/p", 42);
  const auto after = [&](const std::string &flag) { return *(std::ranges::find(words, flag) + 1); };
  for (const char *flag : {"-t", "-u", "-T", "-U"}) EXPECT_EQ(after(flag), "none") << flag;
  EXPECT_NE(std::ranges::find(words, "--no-map-gw"), words.end());
  EXPECT_EQ(after("--pid"), "/run/p");
  EXPECT_EQ(words.back(), "42");
}

InetName from(const std::string &address) { return {.address = *Address::parse(address), .port = 4000}; }

TEST(Backend, TheContainerSeesAClientOfItsOwnKind) {
  const Forward forward{
      .protocol = "tcp", .address = {}, .port = 8080, .targets = {"10.201.3.2/24", "fd12::2/64"}, .target_port = 80};
  const BackendChoice four = choose_backend(forward, from("203.0.113.9")).value();
  EXPECT_EQ(four.target.address.text(), "10.201.3.2");
  EXPECT_EQ(four.target.port, 80);
  EXPECT_TRUE(four.keeps_source);
  const BackendChoice six = choose_backend(forward, from("2001:db8::9")).value();
  EXPECT_EQ(six.target.address.text(), "fd12::2");
  EXPECT_TRUE(six.keeps_source);
}

TEST(Backend, ASourceThatCannotBeAnsweredIsNotKept) {
  const Forward forward{
      .protocol = "tcp", .address = {}, .port = 8080, .targets = {"10.201.3.2/24"}, .target_port = 80};
  for (const char *client : {"127.0.0.1", "10.201.3.77", "169.254.1.1", "::1", "fe80::1", "2001:db8::9"}) {
    const BackendChoice choice = choose_backend(forward, from(client)).value();
    EXPECT_EQ(choice.target.address.text(), "10.201.3.2") << client;
    EXPECT_FALSE(choice.keeps_source) << client;
  }
}

TEST(Backend, PortsGoToTheFirstInterfaceThatLeadsOut) {
  NetworkState state;
  state.endpoints = {{.network = "inside", .addresses = {"10.201.4.2/24"}},
                     {.network = "front", .addresses = {"10.201.3.2/24"}, .gateways = {"10.201.3.1"}}};
  Port port;
  port.container = 80;
  port.host = 8080;
  state.ports = {port};
  const std::vector<Forward> forwards = forwards_of(state);
  ASSERT_EQ(forwards.size(), 1);
  EXPECT_EQ(forwards[0].targets, std::vector<std::string>{"10.201.3.2/24"});
  state.endpoints.pop_back();
  EXPECT_TRUE(forwards_of(state).empty()) << "an internal network publishes nothing";
}

}  // namespace
}  // namespace skiff::compose
