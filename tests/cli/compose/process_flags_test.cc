#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

class ProcessFlags : public ::testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  FlagRig rig;
};

TEST_F(ProcessFlags, EntrypointGoesBeforeTheCommandAndDropsTheImagesOwn) {
  rig.image.entrypoint = {"echo", "image"};
  rig.image.cmd = {"default"};
  EXPECT_PRINTS(rig.run_words({}, {}), "image default\n");
  EXPECT_PRINTS(rig.run_words({}, {"own"}), "image own\n");
  EXPECT_PRINTS(rig.run_words({"--entrypoint", "echo"}, {}), "\n");
  EXPECT_PRINTS(rig.run_words({"--entrypoint", "echo"}, {"own"}), "own\n");
  EXPECT_PRINTS(rig.run_words({"--entrypoint", ""}, {"echo", "bare"}), "bare\n");
}

TEST_F(ProcessFlags, WithoutAnythingToRunTheErrorSaysSo) {
  EXPECT_EQ(rig.run_words({}, {}).err, "command: neither the image nor you say what to run; add a command");
}

TEST_F(ProcessFlags, EnvIsOverTheImages) {
  rig.image.env = {"A=image", "B=image", "C=image"};
  EXPECT_PRINTS(rig.run({"--env", "A=own", "-e", "B"}, "echo $A-$B-$C-$HOSTNAME"), "own--image-0123456789ab\n");
}

TEST_F(ProcessFlags, EnvFileGivesVariables) {
  write_file(rig.path("env"), "A=one two\nB='three'\n");
  EXPECT_PRINTS(rig.run({"--env-file", rig.path("env")}, "echo \"$A-$B\""), "one two-'three'\n");
}

TEST_F(ProcessFlags, WorkdirIsTheDirectory) { EXPECT_PRINTS(rig.run({"--workdir", "/work"}, "pwd"), "/work\n"); }

TEST_F(ProcessFlags, UserIsFoundInTheContainersFiles) {
  write_file(rig.rig().rootfs() + "/etc/group", "root:x:0:\nuser:x:1000:\nweb:x:33:user\n");
  EXPECT_PRINTS(rig.run({"--user", "user"}, "id -u; id -G; echo $HOME"), "1000\n1000 33\n/home/user\n");
  EXPECT_PRINTS(rig.run({"--user", "user:web"}, "id -u; id -g"), "1000\n33\n");
  EXPECT_PRINTS(rig.run({"-u7:8"}, "id -u; id -g"), "7\n8\n");
  EXPECT_NE(rig.run({"-u", "nobody"}, "true").err.find("user: user \"nobody\": the image's /etc/passwd has no user"),
            std::string::npos);
}

TEST_F(ProcessFlags, GroupAddGivesFurtherGroups) {
  write_file(rig.rig().rootfs() + "/etc/group", "root:x:0:\naudio:x:29:\n");
  EXPECT_PRINTS(rig.run({"--user", "5:5", "--group-add", "audio", "--group-add", "77"}, "id -G"), "5 29 77\n");
}

TEST_F(ProcessFlags, HostnameAndDomainnameAreTheContainersOwn) {
  EXPECT_PRINTS(rig.run({"--hostname", "box", "--domainname", "example"}, "hostname; cat /proc/sys/kernel/domainname"),
                "box\nexample\n");
  EXPECT_PRINTS(rig.run({}, "hostname"), "0123456789ab\n");
  EXPECT_PRINTS(rig.run({"--uts", "host"}, "hostname"), rig.host.hostname + "\n");
}

TEST_F(ProcessFlags, TtyIsATerminal) {
  const Outcome with = rig.run({"--tty"}, "tty; echo $TERM");
  EXPECT_EQ(with.out.substr(0, 10), "/dev/pts/0") << with.out << with.err;
  EXPECT_NE(with.out.find("xterm"), std::string::npos) << with.out;
  EXPECT_PRINTS(rig.run({}, "tty"), "not a tty\n");
}

TEST_F(ProcessFlags, UlimitSetsBothLimits) {
  EXPECT_PRINTS(rig.run({"--ulimit", "nofile=100:200", "--ulimit", "core=0"}, "ulimit -Sn; ulimit -Hn; ulimit -c"),
                "100\n200\n0\n");
}

TEST_F(ProcessFlags, OomScoreAdjIsTheProcesss) {
  EXPECT_PRINTS(rig.run({"--oom-score-adj", "500"}, "cat /proc/self/oom_score_adj"), "500\n");
}

TEST_F(ProcessFlags, InitIsProcessOneAndReaps) {
  EXPECT_PRINTS(rig.run({"--init"}, "cat /proc/1/cmdline | tr '\\0' ' ' | cut -d' ' -f1,2; echo $$"),
                "/run/skiff-init --\n2\n");
  EXPECT_EQ(rig.run({"--init"}, "exit 7").code, 7);
  EXPECT_EQ(rig.run({"--init"}, "kill -9 $$").code, 137);
  EXPECT_EQ(rig.run_words({"--init"}, {"/no/such"}).code, 127);
  // What nobody waits for is gone once it has ended.
  EXPECT_PRINTS(
      rig.run({"--init"},
              "sh -c 'sleep 0 & echo $! > /tmp/pid'; while kill -0 $(cat /tmp/pid) 2>/dev/null; do :; done; echo gone"),
      "gone\n");
}

TEST_F(ProcessFlags, InitHandsSignalsOn) {
  EXPECT_PRINTS(rig.run({"--init"}, "trap 'echo got; exit 3' TERM; kill -TERM 1; while :; do :; done"), "got\n");
}

TEST_F(ProcessFlags, AnnotationsStandInTheConfiguration) {
  EXPECT_EQ(rig.run({"--annotation", "org.example.key=value"}, "true").code, 0);
  EXPECT_EQ(rig.rig().config.at("annotations").at("org.example.key"), "value");
}

}  // namespace
}  // namespace skiff::rig
