#include <gtest/gtest.h>

#include "compose/netavark.h"

namespace skiff::compose {
namespace {

constexpr const char *empty_chains =
    "*filter\n"
    ":INPUT ACCEPT [0:0]\n"
    ":FORWARD ACCEPT [0:0]\n"
    ":NETAVARK_FORWARD - [0:0]\n"
    "-A FORWARD -m comment --comment \"netavark firewall plugin rules\" -j NETAVARK_FORWARD\n"
    "-A FORWARD -j SOMEBODY\n"
    "COMMIT\n";

TEST(ChainRemoval, TakesAwayJumpsAndChainsButNothingElse) {
  EXPECT_EQ(chain_removal(empty_chains),
            "*filter\n"
            "-D FORWARD -m comment --comment \"netavark firewall plugin rules\" -j NETAVARK_FORWARD\n"
            "-F NETAVARK_FORWARD\n"
            "-X NETAVARK_FORWARD\n"
            "COMMIT\n");
}

TEST(ChainRemoval, LeavesChainsThatANetworkUses) {
  const std::string used = std::string(empty_chains) +
                           "*nat\n:NETAVARK-1 - [0:0]\n-A POSTROUTING -s 10.88.0.0/16 -j NETAVARK-1\n"
                           "-A NETAVARK-1 -d 10.88.0.0/16 -j ACCEPT\nCOMMIT\n";
  EXPECT_EQ(chain_removal(used), "");
}

TEST(ChainRemoval, HasNothingToDoWithoutNetavark) {
  EXPECT_EQ(chain_removal("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"), "");
}

}  // namespace
}  // namespace skiff::compose
