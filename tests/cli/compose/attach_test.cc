// attach, start -a and run -it: who is connected with a container, how they leave it, and how large they are.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/cli/background.h"
#include "tests/cli/compose/compose_rig.h"
#include "tests/cli/pty.h"

namespace skiff::rig {
namespace {

constexpr const char *reader = "echo ready; while read line; do echo got $line; test \"$line\" != end || exit 7; done";

// A program on a terminal of its own.
struct Client {
  explicit Client(const std::vector<std::string> &words, unsigned short rows = 24, unsigned short columns = 80)
      : pty(open_pty(rows, columns)), child(start_on(pty, words)) {}
  [[nodiscard]] bool hears(std::string_view text) {
    heard = read_until(pty.master, text);
    return heard.find(text) != std::string::npos;
  }
  void type(std::string_view keys) const { EXPECT_TRUE(kernel::write_all(pty.master, keys)); }

  Pty pty;
  kernel::Child child;
  std::string heard;
};

TEST(ComposeAttach, TwoClientsSeeTheSameAndBothAreHeard) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "-it"}, reader);
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  Client one(rig.words({"attach", "c"}));
  one.type("first\r");
  ASSERT_TRUE(one.hears("got first")) << one.heard;
  Client two(rig.words({"attach", "c"}));
  two.type("second\r");
  ASSERT_TRUE(two.hears("got second")) << two.heard;
  ASSERT_TRUE(one.hears("got second")) << one.heard;
  one.type("end\r");
  EXPECT_TRUE(two.hears("got end")) << two.heard;
  EXPECT_EQ(wait_for_code(one.child), 7);
  EXPECT_EQ(wait_for_code(two.child), 7);
}

// Who holds the descriptor of a terminal may read what is typed there for others.
TEST(ComposeExecStreams, OurTerminalIsNotHandedToAProgramThatHasNone) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const std::string script =
      "for n in 0 1 2; do test -t $n && echo has $n; done; echo asks >&2; read line; echo got $line; exit 6";
  Client client(rig.words({"exec", "-i", "-T", "c", "sh", "-c", script}));
  ASSERT_TRUE(client.hears("asks")) << client.heard;
  EXPECT_EQ(client.heard.find("has"), std::string::npos) << client.heard;
  client.type("this\r");
  EXPECT_TRUE(client.hears("got this")) << client.heard;
  EXPECT_EQ(wait_for_code(client.child), 6);
  // Its input ends with ours.
  Client reads(rig.words({"exec", "-i", "c", "sh", "-c", "cat; echo done"}));
  reads.type("some\r\x04");
  EXPECT_TRUE(reads.hears("done")) << reads.heard;
  EXPECT_EQ(wait_for_code(reads.child), 0);
}

TEST(ComposeAttach, TheKeysLeaveItRunningAndTheOtherClientStays) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "-it"}, reader);
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  Client leaves(rig.words({"attach", "c"}));
  const termios before = settings_of(leaves.pty);
  leaves.type("here\r");
  ASSERT_TRUE(leaves.hears("got here")) << leaves.heard;
  Client stays(rig.words({"attach", "--detach-keys", "ctrl-x,q", "c"}));
  stays.type("too\r");
  ASSERT_TRUE(stays.hears("got too")) << stays.heard;
  // One of the two keys is none: it goes on to the program.
  leaves.type("\x10");
  leaves.type("x\r");
  ASSERT_TRUE(stays.hears("got \x10x")) << stays.heard;
  leaves.type("\x10\x11");
  EXPECT_EQ(wait_for_code(leaves.child), 0);
  EXPECT_TRUE(same_settings(before, settings_of(leaves.pty)));
  EXPECT_EQ(rig.inspect("c")["State"]["Running"], true);
  stays.type("still\r");
  EXPECT_TRUE(stays.hears("got still")) << stays.heard;
  stays.type("\x18q");
  EXPECT_EQ(wait_for_code(stays.child), 0);
  EXPECT_EQ(rig.inspect("c")["State"]["Running"], true);
}

TEST(ComposeAttach, TheTerminalsSizeIsPassedOnWithItsChanges) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c", "-it"},
                  "trap 'stty size' WINCH; echo ready; while true; do read line; stty size; done");
  ASSERT_TRUE(rig.wait_for_log("c", "ready"));
  Client client(rig.words({"attach", "c"}), 31, 97);
  client.type("\r");
  ASSERT_TRUE(client.hears("31 97")) << client.heard;
  ASSERT_TRUE(
      kernel::set_window_size(client.pty.master, {.ws_row = 40, .ws_col = 132, .ws_xpixel = 0, .ws_ypixel = 0}));
  client.type("\r");  // this shell runs its traps between two lines
  ASSERT_TRUE(client.hears("40 132")) << client.heard;
  // The last one who came says how large it is.
  Client other(rig.words({"attach", "c"}), 20, 60);
  other.type("\r");
  EXPECT_TRUE(other.hears("20 60")) << other.heard;
}

TEST(ComposeAttach, RunOnATerminalIsLeftByItsKeysAndEnteredAgain) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  Client run(rig.words({"run", "-it", "--name", "c", "--network", "none", "--detach-keys", "ctrl-a,d", "busybox", "sh",
                        "-c", reader}),
             33, 99);
  ASSERT_TRUE(run.hears("ready")) << run.heard;
  run.type(
      "\x01"
      "d");
  EXPECT_EQ(wait_for_code(run.child), 0);
  Client again(rig.words({"attach", "c"}));
  again.type("end\r");
  EXPECT_TRUE(again.hears("got end")) << again.heard;
  EXPECT_EQ(wait_for_code(again.child), 7);
}

TEST(ComposeAttach, WithoutSigProxyASignalLeavesIt) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "while true; do echo tick; sleep 0.1; done");
  Client client(rig.words({"attach", "--sig-proxy=false", "c"}));
  ASSERT_TRUE(client.hears("tick")) << client.heard;
  client.type("\x03");
  EXPECT_EQ(wait_for_code(client.child), 0);
  EXPECT_EQ(rig.inspect("c")["State"]["Running"], true);
}

TEST(ComposeAttach, KeysThatAreNoneAreRefusedBeforeAnythingRuns) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  (void)rig.start({"--name", "c"}, "sleep 1000");
  const Outcome outcome = rig.compose({"attach", "--detach-keys", "ctrl-", "c"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("ctrl-p,ctrl-q"), std::string::npos) << outcome.err;
  EXPECT_NE(rig.compose({"run", "--name", "n", "--detach-keys", "", "--network", "none", "busybox", "true"}).code, 125);
}

}  // namespace
}  // namespace skiff::rig
