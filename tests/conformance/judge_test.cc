// The judge must find exactly what is wrong: runtimes that break one rule, made of ours by a line of shell.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "conformance/leavings.h"
#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class Judge : public testing::Test {
 protected:
  void SetUp() override { REQUIRE_ROOT(); }

  // A runtime that runs the line first, then ours with the same words.
  std::string wrong_runtime(const std::string &line) {
    const std::string path = directory_.path() + "/wrong";
    write_file(path, "#!/bin/sh\n" + line + "\nexec " + program() + " \"$@\"\n");
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  static Outcome judge(std::vector<std::string> words) {
    words.insert(words.begin(), SKIFF_JUDGE);
    return run_program(words);
  }
  // The names of the cases that failed.
  static std::vector<std::string> failures(const Outcome &outcome) {
    std::vector<std::string> names;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("FAILED: ")) names.push_back(line.substr(8, line.find(' ', 8) - 8));
    }
    return names;
  }
  [[nodiscard]] std::string path(const std::string &name) const { return directory_.path() + "/" + name; }

 private:
  TemporaryDirectory directory_;
};

using Names = std::vector<std::string>;

TEST_F(Judge, FindsAnOperationThatTakesAnUnknownId) {  // runtime.md, Start
  const std::string wrong = wrong_runtime(R"(case "$*" in *"start nobody") exit 0;; esac)");
  const Outcome outcome = judge({"--filter", "lifecycle/", wrong});
  EXPECT_EQ(failures(outcome), Names{"lifecycle/start-of-nobody-fails"}) << outcome.out;
  EXPECT_EQ(outcome.code, 1);
}

TEST_F(Judge, FindsAFieldThatIsNotApplied) {  // config.md, Process
  const std::string wrong =
      wrong_runtime(R"(case "$*" in *create*) sed -i 's|"cwd":"/work"|"cwd":"/"|' config.json;; esac)");
  const Outcome outcome = judge({"--filter", "process/", wrong});
  EXPECT_EQ(failures(outcome), Names{"process/cwd-is-entered"}) << outcome.out;
  EXPECT_NE(outcome.out.find("expected \"/work\", saw \"/\""), std::string::npos) << outcome.out;
}

TEST_F(Judge, FindsADeleteThatForces) {  // runtime.md, Delete
  const std::string wrong = wrong_runtime(R"(case "$*" in *"delete one") set -- "$1" "$2" delete --force one;; esac)");
  const Outcome outcome = judge({"--filter", "lifecycle/", wrong});
  EXPECT_EQ(failures(outcome), (Names{"lifecycle/delete-of-created-fails", "lifecycle/delete-of-running-fails"}))
      << outcome.out;
}

TEST_F(Judge, EndsWhatHangs) {
  const std::string wrong = wrong_runtime(R"(case "$*" in *"start one") exec sleep 1000;; esac)");
  const Outcome outcome = judge({"--filter", "process/cwd-is-entered", "--timeout", "1s", wrong});
  EXPECT_EQ(failures(outcome), Names{"process/cwd-is-entered"}) << outcome.out;
  EXPECT_NE(outcome.out.find("did not end in time"), std::string::npos) << outcome.out;
}

TEST_F(Judge, LeavesNothingOfARuntimeThatDeletesNothing) {
  // The bundle tells where the judge has been at work, the cgroup of the container too.
  const std::string wrong = wrong_runtime(R"(case "$*" in
  *create*) pwd >)" + path("bundle") + R"(; cp config.json )" +
                                          path("config.json") + R"(;;
  *"delete --force"*) exit 0;;
esac)");
  (void)judge({"--filter", "lifecycle/create-runs-nothing", wrong});
  std::string bundle = read_file(path("bundle"));
  ASSERT_FALSE(bundle.empty());
  bundle.pop_back();
  EXPECT_FALSE(fs::exists(bundle)) << bundle;
  EXPECT_FALSE(fs::exists(fs::path(bundle).parent_path().parent_path())) << bundle;
  const std::string cgroup = Json::parse(read_file(path("config.json")))["linux"]["cgroupsPath"];
  EXPECT_EQ(conformance::find_cgroups(fs::path(cgroup).parent_path()), std::vector<std::string>{});
}

TEST_F(Judge, LeavesNoCgroupOfARelativePath) {
  const std::string wrong =
      wrong_runtime(R"(case "$*" in *create*) cp config.json )" + path("config.json") + ";; esac");
  const Outcome outcome = judge({"--filter", "cgroups/relative", wrong});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  // Wherever the runtime took it to start.
  const std::string cgroup = Json::parse(read_file(path("config.json")))["linux"]["cgroupsPath"];
  const std::string name = *fs::path(cgroup).begin();
  std::error_code ignored;
  for (auto entry = fs::recursive_directory_iterator("/sys/fs/cgroup", ignored); entry != fs::end(entry);
       entry.increment(ignored)) {
    EXPECT_NE(entry->path().filename(), name) << entry->path();
  }
}

TEST_F(Judge, WritesTapAndJunitAndAMatrix) {
  const Outcome tap = judge({"--filter", "state/of-a-stopped", "--tap", "--junit", path("report.xml"), program()});
  EXPECT_EQ(tap.out, "TAP version 13\n1..1\nok 1 - skiff state/of-a-stopped-container\n") << tap.err;
  EXPECT_NE(read_file(path("report.xml")).find("<testcase classname=\"state\""), std::string::npos);
  const Outcome matrix = judge({"--filter", "state/of-a-stopped", "--matrix", program(), program() + " --debug"});
  EXPECT_NE(matrix.out.find("state/of-a-stopped-container  ok       ok"), std::string::npos)
      << matrix.out << matrix.err;
}

TEST_F(Judge, ExplainsWhatItCannotJudge) {
  const Outcome none = judge({});
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("usage: skiff-conformance [flags] RUNTIME..."), std::string::npos) << none.err;
  EXPECT_EQ(judge({"/no/such/runtime"}).code, 2);
  EXPECT_EQ(judge({"--filter", "no such case", program()}).code, 2);
  const Outcome list = judge({"--list"});
  EXPECT_EQ(list.code, 0);
  EXPECT_NE(list.out.find("case lifecycle/kill-sends-a-signal-by-name"), std::string::npos);
}

}  // namespace
}  // namespace skiff::rig
