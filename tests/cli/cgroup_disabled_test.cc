// --cgroup-manager disabled, which `podman run --cgroups=disabled` gives to runtimes that know it.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(CgroupDisabled, TheContainerStaysInTheCgroupsOfItsCaller) {
  REQUIRE_ROOT();
  Rig rig;
  auto &namespaces = rig.config["linux"]["namespaces"].get_ref<Json::array_t &>();
  std::erase_if(namespaces, [](const Json &entry) { return entry["type"] == "cgroup"; });
  rig.script("cat /proc/self/cgroup");
  const Outcome outcome = rig.skiff({"--cgroup-manager", "disabled", "run", rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, read_file("/proc/self/cgroup"));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(CgroupDisabled, KillAndDeleteDoWithoutACgroup) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("sleep 1000");
  ASSERT_EQ(rig.skiff({"--cgroup-manager", "disabled", "create", rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  const Json state = rig.state();
  EXPECT_EQ(state["status"], "running");
  const Outcome inside = rig.skiff({"exec", rig.id(), "cat", "/proc/self/cgroup"});
  EXPECT_EQ(inside.code, 0) << inside.err;
  EXPECT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  ASSERT_TRUE(wait_for_end(state["pid"]));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

}  // namespace
}  // namespace skiff::rig
