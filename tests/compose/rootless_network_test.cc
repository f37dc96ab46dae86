#include "compose/rootless_network.h"

#include <gtest/gtest.h>

namespace skiff::compose {
namespace {

Port port_of(std::uint16_t container, std::uint16_t host, const std::string &address, const std::string &protocol) {
  Port port;
  port.container = container;
  port.host = host;
  port.host_address = address;
  port.protocol = protocol;
  return port;
}

TEST(RootlessNetwork, PublishesThePortsThatAreAskedForAndNoOther) {
  EXPECT_EQ(pasta_words("/run/p", 42, {port_of(80, 8080, "127.0.0.1", "tcp"), port_of(81, 8081, "", "tcp")}),
            (std::vector<std::string>{"--config-net", "--quiet", "--pid", "/run/p", "-t", "127.0.0.1/8080:80", "-t",
                                      "8081:81", "-u", "none", "-T", "none", "-U", "none", "--no-map-gw", "42"}));
}

TEST(RootlessNetwork, WithoutAPidFileThereIsNothingToStop) {
  EXPECT_TRUE(stop_pasta({.data = "/nonexistent", .run = "/nonexistent"}, "id"));
}

TEST(RootlessNetwork, SctpIsRefusedWithItsPort) {
  const Status refused = start_pasta({}, "id", 1, {port_of(9, 9, "", "sctp")});
  EXPECT_TRUE(refused.error().text.starts_with("port 9: sctp")) << refused.error().message();
}

}  // namespace
}  // namespace skiff::compose
