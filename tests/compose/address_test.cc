#include "compose/address.h"

#include <gtest/gtest.h>

#include "compose/host_subnets.h"

namespace skiff::compose {
namespace {

TEST(Address, IsReadAndWrittenAsTheKernelDoes) {
  EXPECT_EQ(Address::parse("10.0.0.1")->text(), "10.0.0.1");
  EXPECT_EQ(Address::parse("fd00:0:0::1")->text(), "fd00::1");
  EXPECT_FALSE(Address::parse("10.0.0"));
  EXPECT_FALSE(Address::parse("[::1]"));
}

TEST(Address, CountsOverItsBytes) {
  EXPECT_EQ(Address::parse("10.0.0.255")->plus(2).text(), "10.0.1.1");
  EXPECT_EQ(Address::parse("fd00::ffff")->plus(1).text(), "fd00::1:0");
}

TEST(Subnet, KnowsWhatIsInIt) {
  const Subnet subnet = *Subnet::parse("10.1.2.3/24");
  EXPECT_EQ(subnet.text(), "10.1.2.0/24");
  EXPECT_EQ(subnet.last().text(), "10.1.2.255");
  EXPECT_TRUE(subnet.contains(*Address::parse("10.1.2.77")));
  EXPECT_FALSE(subnet.contains(*Address::parse("10.1.3.77")));
  EXPECT_FALSE(subnet.contains(*Address::parse("::1")));
  EXPECT_TRUE(subnet.overlaps(*Subnet::parse("10.0.0.0/8")));
  EXPECT_TRUE(Subnet::parse("10.0.0.0/8")->overlaps(subnet));
  EXPECT_FALSE(subnet.overlaps(*Subnet::parse("10.1.3.0/24")));
  EXPECT_FALSE(Subnet::parse("10.1.2.0/33"));
  EXPECT_FALSE(Subnet::parse("10.1.2.0"));
}

TEST(HostSubnets, AreTheRoutesButTheDefaultOne) {
  const auto subnets = parse_routes(
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "sk-1\t0001C90A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
      "sk-1");
  ASSERT_EQ(subnets.size(), 1);
  EXPECT_EQ(subnets[0].text(), "192.0.2.0/24");
}

TEST(HostSubnets, AreTheRoutesOfIpv6) {
  const auto subnets = parse_ipv6_routes(
      "fd120000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n",
      "");
  ASSERT_EQ(subnets.size(), 1);
  EXPECT_EQ(subnets[0].text(), "fd12::/64");
}

TEST(HostSubnets, ADefaultRouteIsAWayOut) {
  EXPECT_TRUE(is_default_route("eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0"));
  EXPECT_FALSE(is_default_route("eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"));
  const std::string any = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 ";
  const std::string rest = "fe800000000000000000000000000001 00000400 00000001 00000000 00000003 ";
  EXPECT_TRUE(is_default_ipv6_route(any + rest + "eth0"));
  EXPECT_FALSE(is_default_ipv6_route(any + rest + "lo"));
}

}  // namespace
}  // namespace skiff::compose
