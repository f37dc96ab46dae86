// runtime.md#kill, and what containerd, Podman and CRI-O make of its errors.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Kill, TheSignalIsSigtermWhereNoneIsNamed) {
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"kill", rig.id()}).code, 0);
  EXPECT_TRUE(wait_for_end(pid));
}

TEST(Kill, SignalsHaveNumbersAndNamesWithAndWithoutSig) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script(
      "for s in HUP USR1 USR2 RTMIN+1; do trap \"echo $s >> /tmp/got; touch /tmp/got-$s\" ${s#RTMIN+1}; done "
      "2>/dev/null;"
      "touch /tmp/ready; while true; do sleep 1000 & wait $!; done");
  ASSERT_EQ(rig.skiff({"run", "-d", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/ready"));
  for (const auto &[word, name] : {std::pair{"HUP", "HUP"}, std::pair{"SIGUSR1", "USR1"}, std::pair{"12", "USR2"}}) {
    const Outcome outcome = rig.skiff({"kill", rig.id(), word});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(wait_for_file(rig.rootfs() + "/tmp/got-" + name)) << word;
  }
}

TEST(Kill, AStoppedContainerIsNotRunning) {  // runtime.md#kill: MUST have no effect and MUST generate an error
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"kill", rig.id(), "KILL"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("container not running"), std::string::npos) << outcome.err;
  const Outcome all = rig.skiff({"kill", "--all", rig.id(), "9"});  // containerd cleans up this way
  EXPECT_EQ(all.code, 0) << all.err;
  const Outcome short_all = rig.skiff({"kill", "-a", rig.id(), "9"});
  EXPECT_EQ(short_all.code, 0) << short_all.err;
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
}

TEST(Kill, AllReachesEveryProcessOfAContainerWithoutAPidNamespace) {
  REQUIRE_ROOT();
  Rig rig;
  Json &namespaces = rig.config["linux"]["namespaces"];
  namespaces.erase(std::ranges::find(namespaces, Json{{"type", "pid"}}));
  rig.script("sleep 1000 & echo $! > /tmp/child.new; mv /tmp/child.new /tmp/child; wait");
  ASSERT_EQ(rig.skiff({"run", "-d", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/child"));
  const int child = std::stoi(read_file(rig.rootfs() + "/tmp/child"));
  ASSERT_EQ(rig.skiff({"kill", "--all", rig.id(), "KILL"}).code, 0);
  EXPECT_TRUE(wait_for_end(child));
  EXPECT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Kill, SigkillOfAnInitWithoutAPidNamespaceEndsItsChildrenToo) {
  REQUIRE_ROOT();
  Rig rig;
  Json &namespaces = rig.config["linux"]["namespaces"];
  namespaces.erase(std::ranges::find(namespaces, Json{{"type", "pid"}}));
  rig.script("sleep 1000 & echo $! > /tmp/child.new; mv /tmp/child.new /tmp/child; wait");
  ASSERT_EQ(rig.skiff({"run", "-d", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/child"));
  const int child = std::stoi(read_file(rig.rootfs() + "/tmp/child"));
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  EXPECT_TRUE(wait_for_end(child));
}

TEST(Kill, SigkillEndsWhatHasOutlivedAnInitWithoutAPidNamespace) {
  REQUIRE_ROOT();
  Rig rig;
  Json &namespaces = rig.config["linux"]["namespaces"];
  namespaces.erase(std::ranges::find(namespaces, Json{{"type", "pid"}}));
  const int init = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"exec", "-d", "--pid-file", rig.path("pid"), rig.id(), "sleep", "1000"}).code, 0);
  const int other = std::stoi(read_file(rig.path("pid")));
  ASSERT_TRUE(kernel::kill(init, SIGKILL));
  ASSERT_TRUE(wait_for_end(init));
  EXPECT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  EXPECT_TRUE(wait_for_end(other));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Kill, UnknownSignalsAreNamed) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  for (const char *word : {"NOSUCH", "65", "-1", "SIG", "9x", ""}) {
    const Outcome outcome = rig.skiff({"kill", rig.id(), "--", word});
    EXPECT_EQ(outcome.code, 1) << word;
    EXPECT_NE(outcome.err.find("signal"), std::string::npos) << word << ": " << outcome.err;
  }
  EXPECT_EQ(rig.state()["status"], "running");
}

}  // namespace
}  // namespace skiff::rig
