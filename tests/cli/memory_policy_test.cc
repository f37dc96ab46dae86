// linux.memoryPolicy as the kernel shows it: config-linux.md, "Memory policy".
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

struct Policy {
  const char *mode;
  const char *nodes;
  std::vector<std::string> flags;
  const char *shown;  // the second word of a line of numa_maps
};

class MemoryPolicy : public testing::TestWithParam<Policy> {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (!std::filesystem::exists("/proc/self/numa_maps")) GTEST_SKIP() << "this kernel knows no memory nodes";
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Rig rig;
};

TEST_P(MemoryPolicy, IsThatOfTheConfiguration) {
  const Policy &wanted = GetParam();
  rig.config["linux"]["memoryPolicy"] = {{"mode", wanted.mode}, {"nodes", wanted.nodes}, {"flags", wanted.flags}};
  const Outcome outcome = rig.run("head -n 1 /proc/self/numa_maps");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::size_t start = outcome.out.find(' ') + 1;
  EXPECT_TRUE(outcome.out.substr(start).starts_with(std::string(wanted.shown) + " ")) << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(Mode, MemoryPolicy,
                         testing::Values(Policy{"MPOL_DEFAULT", "", {}, "default"},
                                         Policy{"MPOL_LOCAL", "", {}, "local"}, Policy{"MPOL_BIND", "0", {}, "bind:0"},
                                         Policy{"MPOL_INTERLEAVE", "0", {}, "interleave:0"},
                                         Policy{"MPOL_PREFERRED", "0", {}, "prefer:0"},
                                         Policy{"MPOL_PREFERRED", "", {}, "local"},
                                         Policy{"MPOL_BIND", "0", {"MPOL_F_STATIC_NODES"}, "bind=static:0"},
                                         Policy{"MPOL_BIND", "0", {"MPOL_F_RELATIVE_NODES"}, "bind=relative:0"}));

TEST(MemoryPolicyOfExec, IsTheContainersToo) {
  REQUIRE_ROOT();
  if (!std::filesystem::exists("/proc/self/numa_maps")) GTEST_SKIP() << "this kernel knows no memory nodes";
  Rig rig;
  rig.config["linux"]["memoryPolicy"] = {{"mode", "MPOL_BIND"}, {"nodes", "0"}};
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", rig.id(), "head", "-n", "1", "/proc/self/numa_maps"});
  EXPECT_NE(outcome.out.find(" bind:0 "), std::string::npos) << outcome.out << outcome.err;
  (void)rig.skiff({"delete", "--force", rig.id()});
  EXPECT_CLEAN(rig);
}

// MPOL_WEIGHTED_INTERLEAVE is of Linux 6.9, MPOL_PREFERRED_MANY of 5.15: an older kernel names the field.
TEST(MemoryPolicyOfANewKernel, IsSetOrRefusedByName) {
  REQUIRE_ROOT();
  for (const char *mode : {"MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"}) {
    Rig rig;
    rig.config["linux"]["memoryPolicy"] = {{"mode", mode}, {"nodes", "0"}};
    const Outcome outcome = rig.run("true");
    if (outcome.code != 0) {
      EXPECT_NE(outcome.err.find("linux.memoryPolicy: set_mempolicy("), std::string::npos) << outcome.err;
    }
    EXPECT_CLEAN(rig);
  }
}

}  // namespace
}  // namespace skiff::rig
