// runtime.md: the life of a container and the state that each operation needs.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

TEST(Lifecycle, GoesFromCreatedThroughRunningToStopped) {  // runtime.md#state
  REQUIRE_ROOT();
  Rig rig;
  rig.script("cat /tmp/go");
  ASSERT_EQ(::mkfifo((rig.rootfs() + "/tmp/go").c_str(), 0600), 0);
  const Outcome created = rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(created.out + created.err, "");
  EXPECT_EQ(rig.state()["status"], "created");
  const int pid = std::stoi(read_file(rig.path("pid")));
  EXPECT_EQ(rig.state()["pid"], pid);
  const Outcome started = rig.skiff({"start", rig.id()});
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_EQ(started.out + started.err, "");
  EXPECT_EQ(rig.state()["status"], "running");
  write_file(rig.rootfs() + "/tmp/go", "");
  ASSERT_TRUE(wait_for_end(pid));
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.state()["pid"], 0);
  const Outcome deleted = rig.skiff({"delete", rig.id()});
  EXPECT_EQ(deleted.code, 0) << deleted.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, TheProgramDoesNotRunBeforeStart) {  // runtime.md#create
  REQUIRE_ROOT();
  Rig rig;
  rig.script("touch /tmp/ran");
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  EXPECT_FALSE(fs::exists(rig.rootfs() + "/tmp/ran"));
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_TRUE(fs::exists(rig.rootfs() + "/tmp/ran"));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
}

TEST(Lifecycle, InitWaitsWithNoDescriptorOfTheCallerNorOfTheMounts) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("leaked"), "x");
  rig.config["linux"]["maskedPaths"] = {"/proc/acpi", "/proc/keys"};
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  const Outcome created =
      run_program({"/bin/sh", "-c", R"(exec 9<"$1"; shift; exec "$@" </dev/null >/dev/null)", "sh", rig.path("leaked"),
                   program(), "--root", rig.root(), "create", "--bundle", rig.bundle(), rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  const std::string fds = "/proc/" + std::to_string(rig.state()["pid"].get<int>()) + "/fd";
  for (const auto &entry : std::filesystem::directory_iterator(fds)) {
    if (std::stoi(entry.path().filename()) <= 2) continue;
    const std::string target = std::filesystem::read_symlink(entry.path());
    EXPECT_TRUE(target == "/" || target.starts_with("/proc") || target.starts_with("socket:") ||
                target.starts_with("anon_inode:") || target.ends_with("/exec.fifo"))
        << entry.path() << " is " << target;
    EXPECT_EQ(target.find("acpi"), std::string::npos);
  }
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
}

TEST(Lifecycle, ConfigJsonIsNotReadAgainAfterCreate) {  // runtime.md#lifecycle, "MUST NOT have any effect"
  REQUIRE_ROOT();
  Rig rig;
  rig.script("echo first > /tmp/said");
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  rig.script("echo second > /tmp/said");
  rig.config["hooks"]["poststop"] = {{{"path", "/bin/touch"}, {"args", {"touch", rig.path("late")}}}};
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/said"), "first\n");
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_FALSE(fs::exists(rig.path("late")));
}

TEST(Lifecycle, StateHasTheKeysOfTheSpecAndThoseThatRuncAdds) {  // runtime.md#state
  REQUIRE_ROOT();
  Rig rig;
  rig.config["annotations"] = {{"org.example.key", "a \"value\""}};
  rig.start_waiting();
  const Json state = rig.state();
  EXPECT_EQ(state["ociVersion"], "1.3.0");
  EXPECT_EQ(state["id"], rig.id());
  EXPECT_EQ(state["bundle"], rig.bundle());
  EXPECT_EQ(state["rootfs"], rig.rootfs());
  EXPECT_EQ(state["annotations"]["org.example.key"], "a \"value\"");
  EXPECT_TRUE(state.contains("owner"));
  EXPECT_TRUE(
      std::regex_match(state["created"].get<std::string>(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)")))
      << state["created"];
}

TEST(Lifecycle, OperationsOnAnUnknownIdSayThatItDoesNotExist) {  // runtime.md#state: MUST generate an error
  REQUIRE_ROOT();
  Rig rig;
  for (const std::vector<std::string> &words :
       std::initializer_list<std::vector<std::string>>{{"state", "absent"},
                                                       {"start", "absent"},
                                                       {"kill", "absent", "TERM"},
                                                       {"kill", "--all", "absent", "9"},
                                                       {"delete", "absent"},
                                                       {"pause", "absent"},
                                                       {"resume", "absent"},
                                                       {"ps", "absent"},
                                                       {"events", "--stats", "absent"},
                                                       {"update", "--memory", "10M", "absent"}}) {
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 1) << words[0];
    EXPECT_NE(outcome.err.find("does not exist"), std::string::npos) << words[0] << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << words[0];
  }
  const Outcome executed = rig.skiff({"exec", "absent", "true"});
  EXPECT_EQ(executed.code, 255);
  EXPECT_NE(executed.err.find("does not exist"), std::string::npos) << executed.err;
}

TEST(Lifecycle, AnIdThatIsTakenIsRefusedAndTheFirstContainerStays) {  // runtime.md#create: the ID MUST be unique
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  for (const char *command : {"create", "run"}) {
    const Outcome again = rig.skiff({command, rig.id()});
    EXPECT_EQ(again.code, 1);
    EXPECT_NE(again.err.find("already exists"), std::string::npos) << again.err;
  }
  EXPECT_EQ(rig.state()["status"], "running");
  EXPECT_EQ(rig.state()["pid"], pid);
}

TEST(Lifecycle, AContainerStartsOnlyOnce) {  // runtime.md#start: MUST have no effect and MUST generate an error
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  const Outcome again = rig.skiff({"start", rig.id()});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("cannot start"), std::string::npos) << again.err;
  EXPECT_EQ(rig.state()["status"], "running");
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  ASSERT_TRUE(wait_for_end(pid));
  const Outcome late = rig.skiff({"start", rig.id()});
  EXPECT_EQ(late.code, 1);
  EXPECT_NE(late.err.find("stopped"), std::string::npos) << late.err;
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, ARunningContainerIsDeletedByForceOnly) {  // runtime.md#delete
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  const Outcome refused = rig.skiff({"delete", rig.id()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("not stopped"), std::string::npos) << refused.err;
  EXPECT_EQ(rig.state()["status"], "running");
  const Outcome forced = rig.skiff({"delete", "--force", rig.id()});
  EXPECT_EQ(forced.code, 0) << forced.err;
  EXPECT_TRUE(wait_for_end(pid, std::chrono::milliseconds(0)));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, ACreatedContainerEndsBySigterm) {  // engines stop a container that never ran like any other
  REQUIRE_ROOT();
  Rig rig;
  for (const char *signal : {"TERM", "INT", "HUP"}) {
    rig.script("touch /tmp/ran");
    ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
    const int pid = rig.state()["pid"];
    ASSERT_EQ(rig.skiff({"kill", rig.id(), signal}).code, 0);
    EXPECT_TRUE(wait_for_end(pid)) << signal;
    EXPECT_EQ(rig.state()["status"], "stopped");
    EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(rig.rootfs() + "/tmp/ran"));
}

TEST(Lifecycle, ACreatedContainerIsDeletedByForceWithoutItsProgramEverRunning) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("touch /tmp/ran");
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 1);
  EXPECT_EQ(rig.skiff({"delete", "-f", rig.id()}).code, 0);
  EXPECT_FALSE(fs::exists(rig.rootfs() + "/tmp/ran"));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, ACreatedContainerDiesOfAKillAndIsStoppedThen) {  // runtime.md#kill: created or running
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"kill", rig.id(), "KILL"}).code, 0);
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.skiff({"start", rig.id()}).code, 1);
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, DeleteForceOfAMissingIdIsNoError) {  // the contract of the engines: clean-up is repeated
  REQUIRE_ROOT();
  Rig rig;
  for (const char *flag : {"--force", "-f", "-force"}) {
    const Outcome outcome = rig.skiff({"delete", flag, "absent"});
    EXPECT_EQ(outcome.code, 0) << flag << ": " << outcome.err;
    EXPECT_EQ(outcome.out + outcome.err, "");
  }
}

TEST(Lifecycle, TheCgroupGoesWithTheContainerAndWhatRunsInIt) {  // runtime.md#delete: resources MUST be deleted
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"exec", "--detach", rig.id(), "sleep", "1000"}).code, 0);
  ASSERT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, ThePidFileHoldsDigitsOnlyAndNoTemporaryFileStays) {  // containerd parses the whole file as a number
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()}).code, 0);
  const std::string text = read_file(rig.path("pid"));
  EXPECT_TRUE(std::regex_match(text, std::regex("[0-9]+"))) << text;
  EXPECT_FALSE(fs::exists(rig.path(".pid")));
}

TEST(Lifecycle, APidFileThatCannotBeWrittenFailsCreateAndLeavesNothing) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.skiff({"create", "--pid-file", rig.path("absent/pid"), rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("--pid-file"), std::string::npos) << outcome.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, APidFileThatCannotHaveItsNameLeavesNoOther) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directory(rig.path("pid"));
  const Outcome created = rig.skiff({"create", "--pid-file", rig.path("pid"), rig.id()});
  EXPECT_EQ(created.code, 1);
  EXPECT_NE(created.err.find("--pid-file: renameat2"), std::string::npos) << created.err;
  EXPECT_FALSE(fs::exists(rig.path(".pid")));
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, RunKeepLeavesAStoppedContainer) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("exit 4");
  EXPECT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 4);
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, RunDetachReturnsWhileTheProgramGoesOn) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script("cat /tmp/go; exit 3");
  ASSERT_EQ(::mkfifo((rig.rootfs() + "/tmp/go").c_str(), 0600), 0);
  const Outcome outcome = rig.skiff({"run", "-d", "--pid-file", rig.path("pid"), rig.id()});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(rig.state()["status"], "running");
  write_file(rig.rootfs() + "/tmp/go", "");
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, ARunThatFailsLeavesNothing) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"absent-program"};
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("executable file not found in $PATH"), std::string::npos) << outcome.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, StartReportsAProgramThatTheKernelRefuses) {  // runtime.md#start: MUST generate an error
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.rootfs() + "/bin/nonsense", "this is no program");
  fs::permissions(rig.rootfs() + "/bin/nonsense", fs::perms::all);
  rig.config["process"]["args"] = {"nonsense"};
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  const Outcome started = rig.skiff({"start", rig.id()});
  EXPECT_EQ(started.code, 1);
  EXPECT_NE(started.err.find("exec format error"), std::string::npos) << started.err;
  EXPECT_NE(started.err.find("process.args[0]"), std::string::npos) << started.err;
  EXPECT_EQ(rig.state()["status"], "stopped");
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Lifecycle, TheProgramsThatCannotRunAreToldInTheWordsThatEnginesMatch) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.rootfs() + "/bin/data", "");
  const std::vector<std::pair<std::string, std::string>> cases = {{"/absent", "no such file or directory"},
                                                                  {"/bin/data", "permission denied"},
                                                                  {"/etc", "is a directory"},
                                                                  {"absent", "executable file not found in $PATH"}};
  for (const auto &[name, wanted] : cases) {
    rig.config["process"]["args"] = {name};
    const Outcome outcome = rig.skiff({"create", rig.id()});
    EXPECT_EQ(outcome.code, 1) << name;
    EXPECT_NE(outcome.err.find(wanted), std::string::npos) << outcome.err;
    EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
  }
}

}  // namespace
}  // namespace skiff::rig
