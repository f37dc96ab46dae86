// "Survive SIGKILL at any instant": containerd's shim gives create PDEATHSIG=SIGKILL.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <ctime>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

// True where the child ended by itself before its time.
bool ends_within(const kernel::Child &child, std::chrono::microseconds time) {
  pollfd ended{.fd = child.pidfd().get(), .events = POLLIN, .revents = 0};
  const timespec patience{.tv_sec = time.count() / 1000000, .tv_nsec = time.count() % 1000000 * 1000};
  return ::ppoll(&ended, 1, &patience, nullptr) > 0;
}

TEST(KilledCreate, LeavesAtAnyInstantWhatDeleteForceRemovesCompletely) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("sleep 1000");
  const std::vector<std::string> create = command_line(rig, {"create", rig.id()});
  const std::vector<std::string> remove = command_line(rig, {"delete", "--force", rig.id()});
  constexpr int steps = 60;
  const auto began = std::chrono::steady_clock::now();
  kernel::Child whole = start_quietly(create);
  ASSERT_EQ(wait_for_code(whole), 0);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
  ASSERT_EQ(run_program(remove).code, 0);
  int killed = 0;
  for (int step = 0; step < steps; ++step) {
    kernel::Child child = start_quietly(create);
    if (!ends_within(child, took * step / steps)) ++killed;
    ASSERT_TRUE(kernel::pidfd_send_signal(child.pidfd(), SIGKILL) || true);
    (void)wait_for_code(child);
    const Outcome removed = run_program(remove);
    EXPECT_EQ(removed.code, 0) << "step " << step << ": " << removed.err;
    ASSERT_TRUE(rig.leftovers().empty()) << "step " << step << ": " << rig.leftovers().front();
  }
  EXPECT_GT(killed, 0);
}

TEST(KilledCreate, TheIdIsFreeAgainAfterTheCleanUp) {
  REQUIRE_ROOT();
  Rig rig;
  const std::vector<std::string> create = command_line(rig, {"create", rig.id()});
  kernel::Child child = start_quietly(create);
  (void)ends_within(child, std::chrono::microseconds(4000));
  child = {};  // killed
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"run", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(KilledCreate, AKilledRunInTheForegroundLeavesAContainerThatCanBeDeleted) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("touch /tmp/ready; sleep 1000");
  {
    const kernel::Child run = start_quietly(command_line(rig, {"run", rig.id()}));
    ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/ready"));
  }
  const Outcome removed = rig.skiff({"delete", "--force", rig.id()});
  EXPECT_EQ(removed.code, 0) << removed.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(KilledCreate, ATornRecordIsNoObstacle) {
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  write_file(rig.root() + "/" + rig.id() + "/.state.json", "{\"ociVers");  // what a killed rename leaves
  EXPECT_EQ(rig.state()["pid"], pid);
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

}  // namespace
}  // namespace skiff::rig
