// `skiff-conformance faults` must find exactly what is wrong: runtimes that are wrong where ours fails, made of it by a
// line of shell.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class Faults : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }

  // A runtime that is ours, and does this where ours fails.
  std::string wrong_runtime(const std::string &line, const std::string &streams = "") {
    const std::string path = directory_.path() + "/wrong";
    write_file(path,
               "#!/bin/sh\n" + program() + " \"$@\" " + streams + " && exit 0\ncode=$?\n" + line + "\nexit $code\n");
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  static Outcome faults(std::vector<std::string> words) {
    words.insert(words.begin(), {SKIFF_JUDGE, "faults", "--jobs", "1"});
    return run_program(words);
  }
  // One point of that runtime; the shell is process 0, ours its child.
  Outcome one_point(const std::string &line, const std::string &command = "create") {
    return faults(
        {"--timeout", "2s", "--command", command, "--point", "create 0.0/clone3#0 EAGAIN", wrong_runtime(line)});
  }

 private:
  TemporaryDirectory directory_;
};

bool has(const Outcome &outcome, const std::string &flaw) {
  return outcome.out.find("wrong: " + flaw + ": ") != std::string::npos;
}

TEST_F(Faults, OfARuntimeThatTellsAreNone) {
  const Outcome outcome = one_point("");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsASuccessThatIsNone) {
  const Outcome outcome = one_point("exit 0");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "silent")) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsAFailureWithoutAReason) {
  const Outcome outcome =
      faults({"--command", "create", "--point", "create 0.0/clone3#0 EAGAIN", wrong_runtime("", "2>/dev/null")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "wordless")) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsAProcessThatIsLeft) {
  const Outcome outcome = one_point("sleep 1000 >/dev/null 2>&1 &");
  EXPECT_TRUE(has(outcome, "leak")) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsAFileThatIsLeft) {
  const Outcome outcome = one_point("touch \"$TMPDIR/left\"");
  EXPECT_TRUE(has(outcome, "leak")) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsAHang) {
  const Outcome outcome = one_point("exec sleep 1000");
  EXPECT_TRUE(has(outcome, "hang")) << outcome.out << outcome.err;
}

TEST_F(Faults, FindsHarmToAnotherContainer) {
  const std::string on = program() + " $1 $2 ";
  const Outcome outcome =
      one_point(on + "kill beside KILL; while " + on + "state beside | grep -q running; do :; done");
  EXPECT_TRUE(has(outcome, "harm")) << outcome.out << outcome.err;
}

TEST_F(Faults, OfOursThatWereFoundAreNoMore) {
  const Outcome outcome = faults({"--point", "create 0/flock#", "--point", "run 0/flock#", "--point", "kill 0/openat2#",
                                  "--point", "delete-force 0/openat2#", "--point", "exec 0/openat2#4 ", program()});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
