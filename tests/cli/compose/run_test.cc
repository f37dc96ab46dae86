// run and create: exit codes, streams, what is left.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

using Nothing = std::vector<std::string>;

Outcome run(const ComposeRig &rig, const std::string &script, const std::vector<std::string> &flags = {},
            const std::string &input = "") {
  std::vector<std::string> words = {"run", "--rm", "--network", "none"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.insert(words.end(), {"busybox", "sh", "-c", script});
  return rig.compose(words, input);
}

TEST(ComposeRun, EndsWithTheProgramsExitCodeAndLeavesNothing) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome outcome = run(rig, "echo out; echo err >&2; exit 7");
  EXPECT_EQ(outcome.code, 7);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, ASignalThatEndsItIs128AndItsNumber) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_EQ(run(rig, "sh -c 'kill -9 $$'; exit $?").code, 137);
}

TEST(ComposeRun, AProgramThatIsNotThereIs127) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome outcome = rig.compose({"run", "--rm", "--network", "none", "busybox", "/bin/nothing"});
  EXPECT_EQ(outcome.code, 127);
  EXPECT_NE(outcome.err.find("/bin/nothing"), std::string::npos) << outcome.err;
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, AProgramThatMayNotBeRunIs126) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_EQ(rig.compose({"run", "--rm", "--network", "none", "busybox", "/etc/passwd"}).code, 126);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, AnImageThatIsNotThereIs125) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome outcome = rig.compose({"run", "--rm", "--pull", "never", "nothing", "true"});
  EXPECT_EQ(outcome.code, 125);
  EXPECT_NE(outcome.err.find("nothing"), std::string::npos) << outcome.err;
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, InputGoesInUntilItsEndWithI) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_EQ(run(rig, "cat; echo end", {"-i"}, "some\nlines\n").out, "some\nlines\nend\n");
  EXPECT_EQ(run(rig, "cat; echo end", {}, "some\nlines\n").out, "end\n");
}

// More than all buffers on the way hold, both ways at once: nobody waits for one who waits for him.
TEST(ComposeRun, MuchInputAndOutputAtOnceComesThroughWhole) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome through =
      run_program({"/bin/sh", "-c", R"(seq 1 300000 | "$@" | cksum; seq 1 300000 | cksum)", "sh", SKIFF_COMPOSE_PROGRAM,
                   "--state", rig.state(), "--store", rig.path("store"), "run", "-i", "--rm", "--network", "none",
                   "--log-driver", "none", "busybox", "cat"});
  const std::size_t half = through.out.size() / 2;
  EXPECT_EQ(through.out.substr(0, half), through.out.substr(half)) << through.err;
}

TEST(ComposeRun, ATerminalIsOneInside) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_EQ(run(rig, "test -t 0 && test -t 1 && echo terminal", {"-t"}).out, "terminal\r\n");
}

TEST(ComposeRun, RmTakesItsAnonymousVolumesAlongAndKeepsNamedOnes) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  EXPECT_EQ(run(rig, "cat /data/file; touch /data/new", {"-v", "/data"}).out, "of the image\n");
  EXPECT_EQ(rig.leftovers(), Nothing());
  EXPECT_EQ(run(rig, "echo changed > /data/file", {"-v", "kept:/data"}).code, 0);
  EXPECT_EQ(run(rig, "cat /data/file", {"-v", "kept:/data"}).out, "changed\n");
  EXPECT_TRUE(std::filesystem::exists(rig.state() + "/volumes/kept"));
}

TEST(ComposeRun, ANameIsTakenOnce) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(rig.compose({"create", "--name", "one", "--network", "none", "busybox", "true"}).code, 0);
  const Outcome second = rig.compose({"create", "--name", "one", "--network", "none", "busybox", "true"});
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find("the name one is taken"), std::string::npos) << second.err;
  EXPECT_EQ(rig.compose({"rm", "one"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, OfTwoAtOnceWithOneNameOneIsMade) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const Outcome both = run_program({"/bin/sh", "-c", R"("$@" & a=$!; "$@"; b=$?; wait $a; echo $(($? + b)))", "sh",
                                    SKIFF_COMPOSE_PROGRAM, "--state", rig.state(), "--store", rig.path("store"),
                                    "create", "--name", "one", "--network", "none", "busybox", "true"});
  // One id and the sum of the codes: 0 and 1.
  EXPECT_EQ(both.out.substr(64), "\n1\n") << both.out << both.err;
  EXPECT_EQ(rig.compose({"rm", "one"}).code, 0);
  EXPECT_EQ(rig.leftovers(), Nothing());
}

TEST(ComposeRun, ACidfileHasTheIdAndIsNeverOverwritten) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  const std::string file = rig.path("cid");
  EXPECT_EQ(run(rig, "true", {"--cidfile", file}).code, 0);
  EXPECT_EQ(read_file(file).size(), 64U);
  EXPECT_EQ(run(rig, "true", {"--cidfile", file}).code, 125);
}

}  // namespace
}  // namespace skiff::rig
