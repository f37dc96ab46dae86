// `skiff-conformance load` must find what is wrong: runtimes made of ours by a line of shell.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class Load : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }

  // A runtime that runs the line first, then ours with the same words.
  Outcome load(std::vector<std::string> words, const std::string &line) {
    const std::string path = directory_.path() + "/wrong";
    write_file(path, "#!/bin/sh\n" + line + "\nexec " + program() + " \"$@\"\n");
    fs::permissions(path, fs::perms::owner_all);
    std::vector<std::string> all = {SKIFF_JUDGE, "load", "--jobs", "2", "--timeout", "5s"};
    for (const char *kind : {"cycles", "crowd", "execs", "time"}) all.push_back(std::string("--") + kind + "=0");
    all.insert(all.end(), words.begin(), words.end());
    all.push_back(path);
    return run_program(all);
  }
  static bool has(const Outcome &outcome, const std::string &text) {
    return outcome.out.find(text) != std::string::npos;
  }

 private:
  TemporaryDirectory directory_;
};

TEST_F(Load, CountsWhatSucceeds) {
  const Outcome outcome = load({"--cycles", "6", "--crowd", "4", "--execs", "8", "--time", "1s"}, "");
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome, "cycles: 6 done")) << outcome.out;
  EXPECT_TRUE(has(outcome, "crowd: 4 done")) << outcome.out;
  EXPECT_TRUE(has(outcome, "execs: 8 done")) << outcome.out;
}

TEST_F(Load, FindsAContainerThatIsLeft) {
  const Outcome outcome = load({"--cycles", "2"}, "case \"$*\" in *\" delete \"*) exit 0;; esac");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "leak: cycles: container cycle-0-0")) << outcome.out << outcome.err;
}

TEST_F(Load, FindsAWrongExitStatus) {
  const Outcome outcome = load({"--execs", "4"}, "case \"$*\" in *\"/inside exit 1\") exit 0;; esac");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "expected exit status 1, saw exit status 0")) << outcome.out << outcome.err;
}

TEST_F(Load, FindsACrowdThatIsTooSmall) {
  const Outcome outcome = load({"--crowd", "3"}, "case \"$*\" in *\" list \"*) echo '[]'; exit 0;; esac");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "expected 3 running containers, saw 0")) << outcome.out << outcome.err;
}

TEST_F(Load, FindsAnAnswerThatTheModelDoesNotExpect) {
  const Outcome outcome = load({"--time", "2s"}, "case \"$*\" in *\" pause \"*) exit 0;; esac");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome, "pause of a ")) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
