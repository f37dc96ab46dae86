// What callers rely on in the command line: runc's names, Go's way to write flags, and clean streams.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Flags, VersionIsThreeLinesOfTheFormThatEnginesParse) {
  for (const char *flag : {"--version", "-v", "-version"}) {
    const Outcome outcome = run_program({program(), flag});
    EXPECT_EQ(outcome.code, 0) << flag;
    EXPECT_EQ(outcome.err, "");
    EXPECT_TRUE(std::regex_match(outcome.out, std::regex("skiff version [0-9][^ \n]*\ncommit: [^\n]*\nspec: "
                                                         "[0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n")))
        << outcome.out;
  }
}

TEST(Flags, VersionAndHelpGoByTheNameThatTheProgramWasCalledBy) {  // skiff as /usr/bin/runc
  const TemporaryDirectory directory;
  const std::string runc = directory.path() + "/runc";
  ASSERT_EQ(::symlink(program().c_str(), runc.c_str()), 0);
  EXPECT_TRUE(run_program({runc, "--version"}).out.starts_with("runc version "));
  EXPECT_TRUE(run_program({runc, "--help"}).out.starts_with("NAME:\n   runc - Open Container Initiative runtime\n"));
  EXPECT_TRUE(run_program({runc, "kill", "-h"}).out.starts_with("NAME:\n   runc kill - "));
}

TEST(Flags, HelpOfTheProgramAndOfEachCommandGoesToStdoutWithCodeZero) {
  const Outcome all = run_program({program(), "--help"});
  EXPECT_EQ(all.code, 0);
  for (const char *command : {"create", "start", "state", "kill", "delete", "run", "exec", "list", "ps", "pause",
                              "resume", "update", "events", "spec", "features", "plan", "check", "completion"}) {
    EXPECT_NE(all.out.find(command), std::string::npos) << command;
    const Outcome one = run_program({program(), command, "--help"});
    EXPECT_EQ(one.code, 0) << command;
    EXPECT_EQ(one.err, "") << command;
    EXPECT_NE(one.out.find(command), std::string::npos) << command;
  }
}

TEST(Flags, LongFlagsAreTakenWithOneDashAsGoTakesThem) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("exit 3");
  const Outcome outcome = run_program(
      {program(), "-root", rig.root(), "-log-format=json", "-log", rig.path("log"), "list", "-format", "json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  const Outcome run = run_program({program(), "-root=" + rig.root(), "run", "-no-subreaper", "-bundle", rig.bundle(),
                                   "-pid-file=" + rig.path("pid"), rig.id()});
  EXPECT_EQ(run.code, 3) << run.err;
}

TEST(Flags, FlagsThatRuncOnceHadAreTakenAndIgnored) {
  REQUIRE_ROOT();
  Rig rig;
  for (const std::vector<std::string> &global :
       std::initializer_list<std::vector<std::string>>{{"--criu", "/usr/bin/criu"},
                                                       {"--rootless", "auto"},
                                                       {"--rootless=false"},
                                                       {"--cgroup-manager", "cgroupfs"}}) {
    std::vector<std::string> words = global;
    words.insert(words.end(), {"run", "--no-subreaper", rig.id()});
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 0) << global[0] << ": " << outcome.err;
  }
  rig.start_waiting();
  const Outcome updated = rig.skiff({"update", "--kernel-memory", "50M", "--kernel-memory-tcp", "50M", rig.id()});
  EXPECT_EQ(updated.code, 0) << updated.err;
}

TEST(Flags, FlagsMayFollowTheIdWhereTheIdIsAllThereIs) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.skiff({"delete", "absent", "--force"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(Flags, MistakesAreNamedAndEndWithCodeOne) {
  Rig rig;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--bogus", "list"}, "bogus"},
      {{"bogus"}, "bogus"},
      {{"list", "--bogus"}, "--bogus"},
      {{"list", "--format", "yaml"}, "yaml"},
      {{"--log-format", "xml", "list"}, "xml"},
      {{"create"}, "create"},
      {{"create", "a", "b"}, "create"},
      {{"create", "--bundle"}, "--bundle"},
      {{"create", "--preserve-fds", "many", "a"}, "--preserve-fds"},
      {{"state"}, "state"},
      {{"completion", "tcsh"}, "tcsh"},
      {{"kill", "a", "NONSENSE"}, "NONSENSE"},
      {{"--log", rig.path("absent/log"), "list"}, "--log"}};
  for (const auto &[words, wanted] : cases) {
    std::vector<std::string> all = {program(), "--root", rig.root()};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = run_program(all);
    EXPECT_EQ(outcome.code, 1) << words[0];
    EXPECT_EQ(outcome.out, "") << words[0];
    EXPECT_NE(outcome.err.find(wanted), std::string::npos) << words[0] << ": " << outcome.err;
  }
}

TEST(Flags, AFlagWithoutItsValueSaysSoInTheWordsThatPodmanProbesFor) {
  const Outcome outcome = run_program({program(), "create", "--bundle"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.err.find("requires an argument") != std::string::npos ||
              outcome.err.find("needs an argument") != std::string::npos)
      << outcome.err;
}

TEST(Flags, TheHostsRootIsRefusedAsTheRuntimesRoot) {
  Rig rig;
  for (const char *root : {"/", "//", "///"}) {
    const Outcome outcome = run_program({program(), "--root", root, "list"});
    EXPECT_EQ(outcome.code, 1) << root;
    EXPECT_NE(outcome.err.find("--root"), std::string::npos) << outcome.err;
  }
}

TEST(Flags, CompletionAndManualArePrinted) {
  for (const char *shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = run_program({program(), "completion", shell});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("preserve-fds"), std::string::npos) << shell;
  }
  const Outcome parsed = run_program({"/bin/bash", "-n"}, run_program({program(), "completion", "bash"}).out);
  EXPECT_EQ(parsed.code, 0) << parsed.err;
  const Outcome manual = run_program({program(), "man"});
  EXPECT_EQ(manual.code, 0) << manual.err;
  EXPECT_NE(manual.out.find(".TH"), std::string::npos);
  EXPECT_NE(manual.out.find("create"), std::string::npos);
}

TEST(Flags, AClosedStdoutIsAnErrorAndNotASilentSuccess) {
  const Outcome outcome = run_program({"/bin/sh", "-c", "exec " + program() + " features > /dev/full"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("no space left"), std::string::npos) << outcome.err;
}

TEST(Flags, FeaturesIsJsonOnCleanStreamsWithWhatEnginesLookFor) {  // features.md, features-linux.md
  const Outcome outcome = run_program({program(), "features"});
  ASSERT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");  // CRI-O reads both streams as one
  ASSERT_TRUE(Json::accept(outcome.out)) << outcome.out;
  const Json features = Json::parse(outcome.out);
  EXPECT_NE(features["ociVersionMin"], "");
  EXPECT_NE(features["ociVersionMax"], "");
  const auto has = [](const Json &list, const char *word) { return std::ranges::find(list, Json(word)) != list.end(); };
  EXPECT_TRUE(has(features["mountOptions"], "rro"));
  EXPECT_TRUE(has(features["linux"]["namespaces"], "user"));
  EXPECT_EQ(features["linux"]["mountExtensions"]["idmap"]["enabled"], true);
  EXPECT_EQ(features["hooks"].size(), 6U);
  EXPECT_EQ(features["linux"]["seccomp"]["enabled"], true);
  EXPECT_TRUE(has(features["linux"]["seccomp"]["actions"], "SCMP_ACT_NOTIFY"));
  EXPECT_TRUE(features["linux"]["cgroup"].contains("v1"));
}

TEST(Flags, SpecWritesABundlesConfigThatCheckAcceptsAndNeverOverwritesOne) {
  REQUIRE_ROOT();
  Rig rig;
  std::filesystem::remove(rig.bundle() + "/config.json");
  ASSERT_EQ(run_program({program(), "spec", "--bundle", rig.bundle()}).code, 0);
  const Json written = Json::parse(read_file(rig.bundle() + "/config.json"));
  EXPECT_EQ(written["process"]["args"], Json({"sh"}));
  EXPECT_EQ(written["root"]["path"], "rootfs");
  const Outcome again = run_program({program(), "spec", "--bundle", rig.bundle()});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("exists"), std::string::npos) << again.err;
  const Outcome planned = run_program({program(), "plan", rig.bundle()});
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_NE(planned.out.find("rootfs"), std::string::npos) << planned.out;
}

TEST(Flags, SpecRootlessHasAUserNamespaceThatMapsTheCallerAndNoLimits) {
  REQUIRE_ROOT();
  Rig rig;
  std::filesystem::remove(rig.bundle() + "/config.json");
  const Outcome outcome = run_program({"/usr/bin/env", "-C", rig.bundle(), program(), "spec", "--rootless"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json written = Json::parse(read_file(rig.bundle() + "/config.json"));
  EXPECT_NE(std::ranges::find(written["linux"]["namespaces"], Json{{"type", "user"}}),
            written["linux"]["namespaces"].end());
  EXPECT_EQ(written["linux"]["uidMappings"][0]["hostID"], ::geteuid());
  EXPECT_EQ(written["linux"]["uidMappings"][0]["size"], 1);
  EXPECT_FALSE(written["linux"].contains("resources"));
}

TEST(Flags, PlanAndCheckNeedNoRootAndTouchNothing) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  std::filesystem::permissions(rig.path(""), std::filesystem::perms(0755));
  const auto as_nobody = [&](const char *command) {
    return run_program({"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program(), "--root",
                        "/nonexistent/skiff", command, rig.bundle()});
  };
  const Outcome plan = as_nobody("plan");
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_EQ(plan.out, run_program({program(), "plan", rig.bundle()}).out) << "what root would do";
  const Outcome checked = as_nobody("check");  // this user could not run it, and that is all there is to say
  EXPECT_EQ(checked.code, 1);
  EXPECT_NE(checked.out.find("config.json: 1 problem\n"), std::string::npos) << checked.out << checked.err;
  EXPECT_EQ(run_program({program(), "check", rig.bundle()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  rig.config["process"]["cwd"] = "work";  // config.md#process: MUST be absolute
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  const Outcome wrong = run_program({program(), "check", rig.bundle()});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.out.find("/process/cwd"), std::string::npos) << wrong.out << wrong.err;
}

}  // namespace
}  // namespace skiff::rig
