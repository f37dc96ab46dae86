// exec: one more process in a running container, with the flags and exit codes of runc.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Exec, GivesTheOutputAndTheExitCodeOfTheProgram) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", rig.id(), "sh", "-c", "cat; echo there >&2; exit 42"}, "here\n");
  EXPECT_EQ(outcome.code, 42);
  EXPECT_EQ(outcome.out, "here\n");
  EXPECT_EQ(outcome.err, "there\n");
}

TEST(Exec, GivesOneHundredTwentyEightAndTheSignalThatEndedTheProgram) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "sh", "-c", "kill -9 $$"}).code, 137);
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "sh", "-c", "kill -TERM $$"}).code, 143);
}

TEST(Exec, GivesTwoHundredFiftyFiveWhereTheProgramCannotBeRun) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  write_file(rig.rootfs() + "/bin/nonsense", "this is no program");
  std::filesystem::permissions(rig.rootfs() + "/bin/nonsense", std::filesystem::perms::all);
  for (const auto &[name, wanted] :
       {std::pair{"absent", "executable file not found in $PATH"}, std::pair{"/absent", "no such file or directory"},
        std::pair{"/etc", "is a directory"}, std::pair{"/etc/passwd", "permission denied"},
        std::pair{"nonsense", "exec format error"}}) {
    const Outcome outcome = rig.skiff({"exec", rig.id(), name});
    EXPECT_EQ(outcome.code, 255) << name;
    EXPECT_NE(outcome.err.find(wanted), std::string::npos) << outcome.err;
  }
}

TEST(Exec, MistakesOfTheCommandLineAreTwoHundredFiftyFiveAsWell) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  for (const std::vector<std::string> &words : std::initializer_list<std::vector<std::string>>{
           {"exec", rig.id()},
           {"exec", "--process", rig.path("absent"), rig.id()},
           {"exec", "--user", "name", rig.id(), "true"},
           {"exec", "--user", "4294967295", rig.id(), "true"},
           {"exec", "--user", "", rig.id(), "true"},
           {"exec", "--cwd", "relative", rig.id(), "true"},
           {"exec", "-t", "-d", rig.id(), "true"},
           {"exec", "--console-socket", rig.path("socket"), rig.id(), "true"}}) {
    const Outcome outcome = rig.skiff(words);
    EXPECT_EQ(outcome.code, 255) << words[1] << ": " << outcome.err;
    EXPECT_NE(outcome.err, "");
  }
  EXPECT_EQ(rig.state()["status"], "running");
}

TEST(Exec, FlagsEndAtTheIdSoThatTheProgramGetsItsOwn) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "echo", "--user", "-t", "--", "x"}).out, "--user -t -- x\n");
}

TEST(Exec, UserGroupsCwdEnvironmentAndNoNewPrivilegesComeFromTheFlags) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["noNewPrivileges"] = false;
  rig.start_waiting();
  const Outcome outcome =
      rig.skiff({"exec", "-u", "1000:1001", "-g", "7", "--additional-gids", "8", "--cwd", "/tmp", "-e", "A=1,2",
                 "--env", "B=two words", "--no-new-privs", rig.id(), "sh", "-c",
                 "id -u; id -g; id -G; pwd; echo $A; echo $B; echo $HOME; grep NoNewPrivs /proc/self/status"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1000\n1001\n1001 7 8\n/tmp\n1,2\ntwo words\n/home/user\nNoNewPrivs:\t1\n");
}

TEST(Exec, ACapabilityIsAddedToAllSetsButTheInheritableOne) {  // CVE-2022-29162
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", "--cap", "CAP_CHOWN", rig.id(), "grep", "Cap", "/proc/self/status"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "CapInh:\t0000000000000000\nCapPrm:\t0000000020000421\nCapEff:\t0000000020000421\n"
            "CapBnd:\t0000000020000421\nCapAmb:\t0000000000000000\n");
}

TEST(Exec, AProcessFileSaysAllOfIt) {  // containerd's and conmon's only way
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Json process = {{"user", {{"uid", 1000}, {"gid", 1000}, {"additionalGids", {5}}, {"umask", 63}}},
                        {"args", {"sh", "-c", "id -u; id -G; umask; pwd; echo $A"}},
                        {"env", {"PATH=/bin", "A=b"}},
                        {"cwd", "/work"}};
  write_file(rig.path("process.json"), process.dump());
  const Outcome outcome =
      rig.skiff({"exec", "--process", rig.path("process.json"), "--pid-file", rig.path("exec.pid"), rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1000\n1000 5\n0077\n/work\nb\n");
  EXPECT_TRUE(std::regex_match(read_file(rig.path("exec.pid")), std::regex("[0-9]+")));
}

TEST(Exec, AProcessFileMayBeADescriptorOfTheCaller) {  // bash gives one for <(...)
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  write_file(rig.path("process.json"), R"({"args": ["echo", "heard"], "cwd": "/", "env": ["PATH=/bin"]})");
  const Outcome outcome =
      run_program({"/bin/sh", "-c", R"(exec 9<"$1"; shift; exec "$@")", "sh", rig.path("process.json"), program(),
                   "--root", rig.root(), "exec", "--process", "/dev/fd/9", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "heard\n");
}

TEST(Exec, DetachReturnsAtOnceAndThePidFileNamesTheProcess) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  ASSERT_EQ(::mkfifo((rig.rootfs() + "/tmp/go").c_str(), 0600), 0);
  const Outcome outcome = rig.skiff(
      {"exec", "-d", "--pid-file", rig.path("exec.pid"), rig.id(), "sh", "-c", "cat /tmp/go; touch /tmp/done"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const int pid = std::stoi(read_file(rig.path("exec.pid")));
  EXPECT_NE(rig.skiff({"ps", "--format", "json", rig.id()}).out.find(std::to_string(pid)), std::string::npos);
  write_file(rig.rootfs() + "/tmp/go", "");
  EXPECT_TRUE(wait_for_end(pid));
  EXPECT_TRUE(std::filesystem::exists(rig.rootfs() + "/tmp/done"));
}

TEST(Exec, TheProcessIsInTheNamespacesAndTheCgroupOfTheContainer) {
  REQUIRE_ROOT();
  Rig rig;
  const int init = rig.start_waiting();
  const Outcome outcome =
      rig.skiff({"exec", rig.id(), "sh", "-c",
                 "for n in pid net ipc uts mnt cgroup; do readlink /proc/self/ns/$n; done; hostname"});
  std::string wanted;
  for (const char *name : {"pid", "net", "ipc", "uts", "mnt", "cgroup"}) {
    wanted += std::filesystem::read_symlink("/proc/" + std::to_string(init) + "/ns/" + name).string() + "\n";
  }
  EXPECT_EQ(outcome.out, wanted + "rig\n");
  const Outcome cgroup = rig.skiff({"exec", rig.id(), "cat", "/proc/self/cgroup"});
  EXPECT_EQ(cgroup.out.find("/.."), std::string::npos) << cgroup.out;
}

TEST(Exec, AStoppedContainerIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"exec", rig.id(), "true"});
  EXPECT_EQ(outcome.code, 255);
  EXPECT_NE(outcome.err.find("stopped"), std::string::npos) << outcome.err;
}

TEST(Exec, ACreatedContainerTakesAnExec) {  // as runc's does
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"exec", rig.id(), "echo", "in"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "in\n");
}

TEST(Exec, AMissingCwdIsMadeAsForTheContainersOwnProcess) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", "--cwd", "/new/place", rig.id(), "sh", "-c", "pwd"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "/new/place\n");
}

TEST(Exec, SignalsOfTheForegroundReachTheProgram) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  kernel::Child exec = start_quietly(
      command_line(rig, {"exec", rig.id(), "sh", "-c",
                         "trap 'exit 9' USR1; touch /tmp/ready; while true; do sleep 1000 & wait $!; done"}));
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/ready"));
  ASSERT_TRUE(kernel::pidfd_send_signal(exec.pidfd(), SIGUSR1));
  EXPECT_EQ(wait_for_code(exec), 9);
}

}  // namespace
}  // namespace skiff::rig
