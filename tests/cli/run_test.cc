#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

TEST(Run, GivesTheOutputAndTheExitCodeOfTheProgram) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.run("echo hello; echo there >&2; exit 7");
  EXPECT_EQ(outcome.code, 7) << outcome.err;
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.err, "there\n");
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Run, GivesOneHundredTwentyEightAndTheSignalThatEndedTheProgram) {
  REQUIRE_ROOT();
  Rig rig;
  // In the host's pid namespace, where the kernel does not shield it from itself: pid_namespaces(7).
  Json &namespaces = rig.config["linux"]["namespaces"];
  namespaces.erase(std::ranges::find(namespaces, Json{{"type", "pid"}}));
  EXPECT_EQ(rig.run("kill -9 $$").code, 137);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Run, PassesStdinOn) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("cat");
  EXPECT_EQ(rig.skiff({"run", "c"}, "through").out, "through");
}

}  // namespace
}  // namespace skiff::rig
