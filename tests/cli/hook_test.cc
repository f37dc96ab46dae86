// config.md#posix-platform-hooks and runtime.md#lifecycle: when, where and with what the six kinds of hooks run.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

Json hook(const std::string &script) {
  return {{"path", "/bin/sh"}, {"args", {"sh", "-c", script}}, {"env", {"PATH=/usr/bin:/bin", "MARK=hook"}}};
}

// A directory that the host and the container see under one name.
std::string shared(const Rig &rig) { return rig.path("shared"); }
void share(Rig &rig) {
  std::filesystem::create_directory(shared(rig));
  rig.config["mounts"].push_back(
      {{"destination", shared(rig)}, {"type", "bind"}, {"source", shared(rig)}, {"options", {"rbind", "rw"}}});
}

const std::vector<std::string> kinds = {"prestart",       "createRuntime", "createContainer",
                                        "startContainer", "poststart",     "poststop"};

std::vector<std::string> lines_of(const std::string &path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Hooks, AllSixKindsRunInTheOrderOfTheLifeCycle) {  // runtime.md#lifecycle, steps 3 to 13
  REQUIRE_ROOT();
  Rig rig;
  share(rig);
  const std::string log = shared(rig) + "/order";
  for (const std::string &kind : kinds) {
    for (const char *number : {"1", "2"}) {
      rig.config["hooks"][kind].push_back(hook("echo " + kind + number + " >> " + log));
    }
  }
  rig.script("echo program >> " + log);
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  EXPECT_EQ(lines_of(log), (std::vector<std::string>{"prestart1", "prestart2", "createRuntime1", "createRuntime2",
                                                     "createContainer1", "createContainer2"}));
  const Outcome started = rig.skiff({"start", rig.id()});
  ASSERT_EQ(started.code, 0) << started.err;
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  const std::vector<std::string> after_start = lines_of(log);
  ASSERT_EQ(after_start.size(), 11U);
  EXPECT_EQ(after_start[6], "startContainer1");
  EXPECT_EQ(after_start[7], "startContainer2");
  ASSERT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  const std::vector<std::string> all = lines_of(log);
  ASSERT_EQ(all.size(), 13U);
  EXPECT_EQ(all[11], "poststop1");
  EXPECT_EQ(all[12], "poststop2");
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Hooks, TheStateComesOnStdinWithTheStatusOfTheMoment) {  // config.md#posix-platform-hooks
  REQUIRE_ROOT();
  Rig rig;
  share(rig);
  rig.config["annotations"] = {{"key", "value"}};
  for (const std::string &kind : kinds) {
    rig.config["hooks"][kind] = Json::array({hook("cat > " + shared(rig) + "/" + kind)});
  }
  const Outcome outcome = rig.skiff({"run", rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<std::string> status = {"creating", "creating", "creating", "created", "running", "stopped"};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string text = read_file(shared(rig) + "/" + kinds[i]);
    ASSERT_TRUE(Json::accept(text)) << kinds[i] << ": " << text;
    const Json state = Json::parse(text);
    EXPECT_EQ(state["id"], rig.id()) << kinds[i];
    EXPECT_EQ(state["status"], status[i]) << kinds[i];
    EXPECT_EQ(state["bundle"], rig.bundle()) << kinds[i];
    EXPECT_EQ(state["ociVersion"], "1.3.0") << kinds[i];
    EXPECT_EQ(state["annotations"]["key"], "value") << kinds[i];
    if (kinds[i] != "poststop") {
      EXPECT_GT(state["pid"], 0) << kinds[i];
    }
  }
}

TEST(Hooks, EachRunsInTheNamespacesThatTheSpecSays) {  // config.md: createRuntime in the runtime's, createContainer ...
  REQUIRE_ROOT();
  Rig rig;
  share(rig);
  const std::string look =
      "exec < /dev/null; for n in mnt uts; do readlink /proc/self/ns/$n; done > " + shared(rig) + "/";
  for (const std::string &kind : kinds) {
    rig.config["hooks"][kind] = Json::array({hook(look + kind)});
  }
  rig.script(look + "program");
  const Outcome outcome = rig.skiff({"run", rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string inside = read_file(shared(rig) + "/program");
  const std::string outside = std::filesystem::read_symlink("/proc/self/ns/mnt").string() + "\n" +
                              std::filesystem::read_symlink("/proc/self/ns/uts").string() + "\n";
  for (const char *kind : {"prestart", "createRuntime", "poststart", "poststop"}) {
    EXPECT_EQ(read_file(shared(rig) + "/" + kind), outside) << kind;
  }
  for (const char *kind : {"createContainer", "startContainer"}) {
    EXPECT_EQ(read_file(shared(rig) + "/" + kind), inside) << kind;
  }
}

TEST(Hooks, CreateRuntimeSeesTheContainersNamespacesByItsPid) {  // what CNI plugins and NVIDIA's hook build on
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["createRuntime"] =
      Json::array({hook("pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n'); readlink /proc/$pid/ns/net > " +
                        rig.path("net"))});
  rig.config["process"]["args"] = {"readlink", "/proc/self/ns/net"};
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_file(rig.path("net")), outcome.out);
}

TEST(Hooks, TheEnvironmentIsTheHooksOwn) {  // config.md: env
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["createRuntime"] = {
      {{"path", "/usr/bin/env"}, {"args", {"env", "-0"}}, {"env", {"ONE=1"}}},
      {{"path", "/bin/sh"},
       {"args", {"sh", "-c", "tr '\\0' '\\n' < /proc/self/environ > " + rig.path("env")}},
       {"env", {"TWO=2"}}}};
  const Outcome outcome = run_program(command_line(rig, {"run", rig.id()}, {"LEAK=1"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(read_file(rig.path("env")), "TWO=2\n");
}

TEST(Hooks,
     AFailureBeforeTheStartStopsTheContainerAndLeavesNothing) {  // runtime.md#lifecycle: "generate an error, stop"
  REQUIRE_ROOT();
  for (const char *kind : {"prestart", "createRuntime", "createContainer"}) {
    Rig rig;
    rig.config["hooks"][kind] = Json::array({hook("exit 0"), hook("echo because of this >&2; exit 3"), hook("exit 0")});
    const Outcome outcome = rig.skiff({"create", rig.id()});
    EXPECT_EQ(outcome.code, 1) << kind;
    EXPECT_NE(outcome.err.find(std::string("hooks.") + kind + "[1]"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("exit status 3"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("because of this"), std::string::npos) << outcome.err;
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

TEST(Hooks, AFailedStartContainerHookIsReportedByStartAndTheProgramNeverRuns) {  // runtime.md#lifecycle, step 7
  REQUIRE_ROOT();
  Rig rig;
  rig.script("touch /tmp/ran");
  rig.config["hooks"]["startContainer"] = Json::array({hook("exit 5")});
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"start", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("hooks.startContainer[0]"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(rig.rootfs() + "/tmp/ran"));
  // Init has told of it, and ends.
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Hooks, ThoseOfStartContainerWithoutAnEnvironmentHaveThePrograms) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["startContainer"] = {{{"path", "/bin/sh"}, {"args", {"sh", "-c", "env > /tmp/env"}}}};
  rig.config["process"]["env"] = {"PATH=/bin", "ONE=two"};
  ASSERT_EQ(rig.skiff({"run", rig.id()}).code, 0);
  const std::string env = read_file(rig.rootfs() + "/tmp/env");
  EXPECT_NE(env.find("ONE=two\n"), std::string::npos) << env;
  EXPECT_NE(env.find("HOME=/root\n"), std::string::npos) << env;
}

TEST(Hooks, ThoseOfCreateContainerStartInTheRootfs) {  // what hooks that add libraries to it count on
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["createContainer"] = Json::array({hook("echo here > ./tmp/made")});
  EXPECT_EQ(rig.run("cat /tmp/made").out, "here\n");
}

TEST(Hooks, AFailedPoststopHookOnlyWarnsAndTheOthersRun) {  // runtime.md#lifecycle, step 13
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["poststop"] = Json::array({hook("exit 1"), hook("touch " + rig.path("second"))});
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"delete", rig.id()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("hooks.poststop[0]"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("warning"), std::string::npos) << outcome.err;
  EXPECT_TRUE(std::filesystem::exists(rig.path("second")));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Hooks, AFailedPoststartHookStopsTheContainer) {  // runtime.md#lifecycle, step 9
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["poststart"] = Json::array({hook("exit 1"), hook("touch " + rig.path("second"))});
  const Outcome ran = rig.run("exec sleep 1000");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("hooks.poststart[0] (/bin/sh): error running poststart hook #0"), std::string::npos)
      << ran.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();

  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  const Outcome started = rig.skiff({"start", rig.id()});
  EXPECT_EQ(started.code, 1);
  EXPECT_NE(started.err.find("hooks.poststart[0]"), std::string::npos) << started.err;
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_FALSE(std::filesystem::exists(rig.path("second")));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Hooks, OneThatHangsIsKilledAfterItsTimeout) {  // config.md: timeout, in seconds
  REQUIRE_ROOT();
  Rig rig;
  Json slow = hook("echo $$ > " + rig.path("pid") + "; exec sleep 1000");
  slow["timeout"] = 1;
  rig.config["hooks"]["createRuntime"] = {slow};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("timeout of 1 s"), std::string::npos) << outcome.err;
  EXPECT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Hooks, OneThatDoesNotReadItsStateIsNoFailureEvenWhereTheStateIsLong) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["annotations"] = {{"long", std::string(200000, 'x')}};
  rig.config["hooks"]["createRuntime"] = Json::array({hook("exit 0"), hook("wc -c > " + rig.path("bytes"))});
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err.substr(0, 500);
  EXPECT_GT(std::stoi(read_file(rig.path("bytes"))), 200000);
}

TEST(Hooks, OneThatLeavesADaemonBehindDoesNotHoldUpTheContainer) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["createRuntime"] = Json::array({hook("sleep 1000 & echo $! > " + rig.path("pid"))});
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  (void)kernel::kill(std::stoi(read_file(rig.path("pid"))), SIGKILL);
}

TEST(Hooks, OneThatIsMissingIsNamedWithItsPath) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["createRuntime"] = {{{"path", "/absent/hook"}}};
  const Outcome outcome = rig.skiff({"create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("hooks.createRuntime[0] (/absent/hook)"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("no such file or directory"), std::string::npos) << outcome.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

// crun(1): the files are the host's, also for a hook that runs in the container's root, and are appended to.
TEST(Hooks, WriteToTheFilesThatTheAnnotationsName) {
  REQUIRE_ROOT();
  Rig rig;
  for (const std::string &kind : kinds) {
    rig.config["hooks"][kind].push_back(hook("echo " + kind + "; echo error of " + kind + " >&2"));
  }
  rig.config["annotations"] = {{"run.oci.hooks.stdout", rig.path("out")}, {"run.oci.hooks.stderr", rig.path("err")}};
  write_file(rig.path("out"), "before\n");
  const Outcome outcome = rig.run("echo program");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "program\n");
  std::vector<std::string> out = {"before"};
  std::vector<std::string> errors;
  for (const std::string &kind : kinds) {
    out.push_back(kind);
    errors.push_back("error of " + kind);
  }
  EXPECT_EQ(lines_of(rig.path("out")), out);
  EXPECT_EQ(lines_of(rig.path("err")), errors);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>{});
}

TEST(Hooks, WriteThereWhenEachCommandRunsItsOwn) {
  REQUIRE_ROOT();
  Rig rig;
  for (const std::string &kind : kinds) rig.config["hooks"][kind].push_back(hook("echo " + kind));
  rig.config["annotations"] = {{"run.oci.hooks.stdout", rig.path("out")}};
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_EQ(lines_of(rig.path("out")).size(), kinds.size());
}

TEST(Hooks, AFileThatCannotBeOpenedNamesTheAnnotation) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["hooks"]["prestart"].push_back(hook("true"));
  rig.config["annotations"] = {{"run.oci.hooks.stderr", "/not/there/err"}};
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("annotations[\"run.oci.hooks.stderr\"]: open"), std::string::npos) << outcome.err;
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>{});
}

}  // namespace
}  // namespace skiff::rig
