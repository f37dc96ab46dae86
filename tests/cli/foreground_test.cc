// What a program gets of its caller's surroundings: signals, streams, descriptors, environment, working directory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/background.h"

namespace skiff::rig {
namespace {

TEST(Foreground, RunForwardsSignals) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script(
      "for s in 1 2 3 10 12 15; do trap \"touch /tmp/got-$s\" $s; done; trap 'exit 5' 34; touch /tmp/ready;"
      "while true; do sleep 1000 & wait $!; done");
  kernel::Child run = start_quietly(command_line(rig, {"run", rig.id()}));
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/ready"));
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM}) {
    ASSERT_TRUE(kernel::pidfd_send_signal(run.pidfd(), number));
    EXPECT_TRUE(wait_for_file(rig.rootfs() + "/tmp/got-" + std::to_string(number))) << number;
  }
  ASSERT_TRUE(kernel::pidfd_send_signal(run.pidfd(), SIGRTMIN));
  EXPECT_EQ(wait_for_code(run), 5);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Foreground, CreateGivesTheProgramItsOwnStreamsUntouched) {  // what containerd and conmon build on
  REQUIRE_ROOT();
  Rig rig;
  rig.script("cat; readlink /proc/self/fd/0 | cut -d: -f1; echo err >&2");
  kernel::Pipe in = kernel::pipe2().value();
  kernel::Pipe out = kernel::pipe2().value();
  kernel::Pipe err = kernel::pipe2().value();
  kernel::Child create = start_program(command_line(rig, {"create", rig.id()}), {in.read, out.write, err.write});
  in.read.reset();
  out.write.reset();
  err.write.reset();
  ASSERT_EQ(wait_for_code(create), 0);
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(kernel::write_all(in.write, "typed\n"));
  in.write.reset();
  EXPECT_EQ(kernel::read_all(out.read, 1000).value(), "typed\npipe\n");
  EXPECT_EQ(kernel::read_all(err.read, 1000).value(), "err\n");
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
}

// Descriptors of the program itself: 0 to 2, and the one with which it lists them.
constexpr const char *list_descriptors =
    "for f in /proc/self/fd/*; do test -e $f && echo ${f##*/}; done | tr '\\n' ' '";

TEST(Foreground, NoDescriptorOfTheCallerReachesTheProgram) {  // CVE-2024-21626
  REQUIRE_ROOT();
  Rig rig;
  rig.script(std::string(list_descriptors) + " > /tmp/fds");
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  const kernel::Fd host = kernel::open("/", O_RDONLY | O_DIRECTORY).value();
  kernel::Child run = start_program(command_line(rig, {"run", rig.id()}), {null, null, null, host, host, host});
  ASSERT_EQ(wait_for_code(run), 0);
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/fds"), "0 1 2 ");
}

TEST(Foreground, PreserveFdsPassesExactlySoMany) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("one"), "first");
  write_file(rig.path("two"), "second");
  write_file(rig.path("three"), "third");
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  const kernel::Fd one = kernel::open(rig.path("one"), O_RDONLY).value();
  const kernel::Fd two = kernel::open(rig.path("two"), O_RDONLY).value();
  const kernel::Fd three = kernel::open(rig.path("three"), O_RDONLY).value();
  rig.script(std::string("cat <&3 > /tmp/said; cat <&4 >> /tmp/said; ") + list_descriptors + " > /tmp/fds");
  kernel::Child run =
      start_program(command_line(rig, {"run", "--preserve-fds", "2", rig.id()}), {null, null, null, one, two, three});
  ASSERT_EQ(wait_for_code(run), 0);
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/said"), "firstsecond");
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/fds"), "0 1 2 3 4 ");
}

// skiff with LISTEN_PID set to its own pid, or to one that is not its.
std::vector<std::string> activated(const std::vector<std::string> &words, const std::string &pid) {
  std::string line = "LISTEN_PID=" + pid + " exec";
  for (const std::string &word : words) line += " " + word;
  return {"/bin/sh", "-c", line};
}

TEST(Foreground, SocketActivationReachesTheProgramWithItsDescriptorsAndPid) {  // sd_listen_fds(3)
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.path("one"), "activated");
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  const kernel::Fd one = kernel::open(rig.path("one"), O_RDONLY).value();
  rig.script(std::string("echo $LISTEN_FDS $LISTEN_PID > /tmp/env; cat <&3 > /tmp/said; ") + list_descriptors +
             " > /tmp/fds");
  const std::vector<std::string> words = command_line(rig, {"run", rig.id()}, {"LISTEN_FDS=1"});
  kernel::Child run = start_program(activated(words, "$$"), {null, null, null, one});
  ASSERT_EQ(wait_for_code(run), 0);
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/env"), "1 1\n");
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/said"), "activated");
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/fds"), "0 1 2 3 ");
}

TEST(Foreground, TheActivationOfAnotherProcessLeaksNoDescriptor) {  // sd_listen_fds(3), CVE-2024-21626
  REQUIRE_ROOT();
  Rig rig;
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  const kernel::Fd host = kernel::open("/", O_RDONLY | O_DIRECTORY).value();
  rig.script(std::string("echo $LISTEN_FDS > /tmp/env; ") + list_descriptors + " > /tmp/fds");
  const std::vector<std::string> words = command_line(rig, {"run", rig.id()}, {"LISTEN_FDS=1"});
  kernel::Child run = start_program(activated(words, "1"), {null, null, null, host});
  ASSERT_EQ(wait_for_code(run), 0);
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/env"), "\n");
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/fds"), "0 1 2 ");
}

TEST(Foreground, AnExecIsNotActivated) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  const kernel::Fd host = kernel::open("/", O_RDONLY | O_DIRECTORY).value();
  write_file(rig.rootfs() + "/tmp/list", std::string(list_descriptors) + " > /tmp/fds");
  const std::vector<std::string> words = command_line(rig, {"exec", rig.id(), "sh", "/tmp/list"}, {"LISTEN_FDS=1"});
  kernel::Child exec = start_program(activated(words, "$$"), {null, null, null, host});
  ASSERT_EQ(wait_for_code(exec), 0);
  EXPECT_EQ(read_file(rig.rootfs() + "/tmp/fds"), "0 1 2 ");
}

TEST(Foreground, PreserveFdsThatAreNotOpenAreAnError) {
  REQUIRE_ROOT();
  Rig rig;
  const kernel::Fd null = kernel::open("/dev/null", O_RDWR).value();
  kernel::Pipe err = kernel::pipe2().value();
  kernel::Child run =
      start_program(command_line(rig, {"run", "--preserve-fds", "3", rig.id()}), {null, null, err.write});
  err.write.reset();
  EXPECT_EQ(wait_for_code(run), 1);
  EXPECT_NE(kernel::read_all(err.read, 4096).value().find("--preserve-fds"), std::string::npos);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Foreground, TheEnvironmentIsThatOfConfigJsonAndHomeComesFromPasswd) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"env"};
  const Outcome outcome = run_program(command_line(rig, {"run", rig.id()}, {"LEAK=1"}));
  EXPECT_EQ(outcome.out, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nTERM=xterm\nHOME=/root\n") << outcome.err;
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  EXPECT_NE(rig.skiff({"run", rig.id()}).out.find("HOME=/home/user\n"), std::string::npos);
  rig.config["process"]["user"] = {{"uid", 4242}, {"gid", 4242}};
  EXPECT_NE(rig.skiff({"run", rig.id()}).out.find("HOME=/\n"), std::string::npos);
  rig.config["process"]["env"] = {"PATH=/bin", "HOME=/mine"};
  EXPECT_NE(rig.skiff({"run", rig.id()}).out.find("HOME=/mine\n"), std::string::npos);
}

TEST(Foreground, AMissingCwdIsMade) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["cwd"] = "/not/yet/there";
  EXPECT_EQ(rig.run("pwd").out, "/not/yet/there\n");
}

TEST(Foreground, ACwdThatIsAFileIsAnErrorThatNamesIt) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["cwd"] = "/etc/passwd";
  const Outcome outcome = rig.run("pwd");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("process.cwd"), std::string::npos) << outcome.err;
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Foreground, SignalsThatTheCallerIgnoredAreBackAtTheirDefault) {  // signal(7): ignored ones survive exec
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"grep", "-E", "SigIgn|SigBlk", "/proc/self/status"};
  const std::vector<std::string> words = command_line(rig, {"run", rig.id()});
  std::string line = "trap '' HUP PIPE USR1; exec";
  for (const std::string &word : words) line += " " + word;
  const Outcome outcome = run_program({"/bin/sh", "-c", line});
  EXPECT_EQ(outcome.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n") << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
