// Known ways out of a container that lead through the process that enters it. Each test is named after its CVE.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

void give_capability(Rig &rig, const std::string &name) {
  for (const char *set : {"bounding", "effective", "permitted"}) {
    rig.config["process"]["capabilities"][set].push_back(name);
  }
}

// A descriptor that the runtime's caller has forgotten to close: a directory of the host.
class LeakedDescriptor {
 public:
  explicit LeakedDescriptor(int number) : number_(number) {
    const int directory = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::dup2(directory, number_);
    ::close(directory);
  }
  ~LeakedDescriptor() { ::close(number_); }
  LeakedDescriptor(const LeakedDescriptor &) = delete;
  LeakedDescriptor &operator=(const LeakedDescriptor &) = delete;

 private:
  int number_;
};

TEST(Cve_2016_9962, AProcessInTheContainerSeesNoDescriptorsOfTheExecThatEntersIt) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script(
      "touch /tmp/waiting; while true; do for p in /proc/[0-9]*; do read n < $p/comm 2>/dev/null; case $n in skiff*) "
      "echo $p >> /tmp/met; ls -l $p/fd >> /tmp/seen 2>/dev/null;; esac; done; done 2>/dev/null");
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/waiting"));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rig.skiff({"exec", rig.id(), "true"}).code, 0);
  // The names of the descriptors may be listed; where they lead is seen of the program's own three, once it runs.
  for (const std::string &line : lines_of(read_file(rig.rootfs() + "/tmp/seen"))) {
    const std::size_t arrow = line.find(" -> ");
    if (arrow == std::string::npos) continue;
    const std::string number = line.substr(line.rfind(' ', arrow - 1) + 1, arrow - line.rfind(' ', arrow - 1) - 1);
    EXPECT_TRUE(number == "0" || number == "1" || number == "2") << line;
  }
}

TEST(Cve_2016_9962, TheInitThatWaitsForItsStartShowsNoDescriptors) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  const Outcome outcome = rig.skiff({"exec", rig.id(), "sh", "-c", "cat /proc/1/comm; ls -l /proc/1/fd 2>/dev/null"});
  EXPECT_TRUE(outcome.out.starts_with("skiff:[init]\n")) << outcome.out;
  EXPECT_EQ(outcome.out.find("->"), std::string::npos) << outcome.out;
}

TEST(Cve_2016_9962, WhatIsRunHasOnlyItsThreeDescriptors) {
  REQUIRE_ROOT();
  const LeakedDescriptor leaked(40);
  Rig rig;
  rig.start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "ls", "/proc/self/fd"}).out, "0\n1\n2\n3\n");  // 3 is the directory itself
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "ls", "/proc/1/fd"}).out.substr(0, 6), "0\n1\n2\n");
}

// The runtime as a file that nobody else runs: a file that is being run refuses writes for that reason alone.
class OwnBinary {
 public:
  explicit OwnBinary(const Rig &rig) : path_(rig.path("skiff")), before_(::getenv("SKIFF")) {
    fs::copy_file(program(), path_);
    if (before_ != nullptr) kept_ = before_;
    ::setenv("SKIFF", path_.c_str(), 1);
  }
  ~OwnBinary() {
    if (before_ == nullptr) {
      ::unsetenv("SKIFF");
    } else {
      ::setenv("SKIFF", kept_.c_str(), 1);
    }
  }
  OwnBinary(const OwnBinary &) = delete;
  OwnBinary &operator=(const OwnBinary &) = delete;

 private:
  std::string path_;
  const char *before_;
  std::string kept_;
};

TEST(Cve_2019_5736, TheRuntimesBinaryCannotBeOpenedForWriting) {
  REQUIRE_ROOT();
  const std::string before = read_file(program());
  Rig rig;
  give_capability(rig, "CAP_SYS_PTRACE");  // without it not even the link can be read
  give_capability(rig, "CAP_DAC_OVERRIDE");
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  // Until `start`, process 1 is the runtime.
  const Outcome tried = rig.skiff(
      {"exec", rig.id(), "sh", "-c", "head -c 4 /proc/1/exe | tail -c 3; echo; (exec 3>> /proc/1/exe) && echo opened"});
  EXPECT_EQ(tried.out, "ELF\n") << tried.err;
  EXPECT_TRUE(tried.err.find("Text file busy") != std::string::npos ||
              tried.err.find("Read-only file system") != std::string::npos ||
              tried.err.find("Operation not permitted") != std::string::npos)
      << tried.err;
  EXPECT_TRUE(read_file(program()) == before);
}

TEST(Cve_2019_5736, ADescriptorKeptFromTheRuntimesBinaryCannotBeReopenedForWritingLater) {
  REQUIRE_ROOT();
  Rig rig;
  const OwnBinary own(rig);
  const std::string before = read_file(program());
  give_capability(rig, "CAP_SYS_PTRACE");
  give_capability(rig, "CAP_DAC_OVERRIDE");
  rig.script("read go < /tmp/fifo; sleep 1000");
  ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
  ASSERT_EQ(::mkfifo((rig.rootfs() + "/tmp/fifo").c_str(), 0666), 0);
  // As long as a runtime runs the answer is "busy": asked again until none does.
  const Outcome keeper = rig.skiff({"exec", "--detach", rig.id(), "sh", "-c",
                                    "exec 3< /proc/1/exe; touch /tmp/kept; echo go > /tmp/fifo; while true; do "
                                    "(exec 4>> /proc/self/fd/3) 2> /tmp/error && touch /tmp/opened; "
                                    "grep -q 'Text file busy' /tmp/error || break; done; touch /tmp/done"});
  ASSERT_EQ(keeper.code, 0) << keeper.err;
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/kept"));
  ASSERT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/done"));
  EXPECT_FALSE(fs::exists(rig.rootfs() + "/tmp/opened"));
  const std::string error = read_file(rig.rootfs() + "/tmp/error");
  EXPECT_TRUE(error.find("Read-only file system") != std::string::npos ||
              error.find("Operation not permitted") != std::string::npos)
      << error;
  EXPECT_TRUE(read_file(program()) == before);
}

TEST(Cve_2019_5736, AnImageWhoseProgramIsProcSelfExeLeavesTheBinaryAlone) {
  REQUIRE_ROOT();
  const std::string before = read_file(program());
  Rig rig;
  rig.config["process"]["args"] = {"/proc/self/exe", "--version"};
  (void)rig.skiff({"run", rig.id()});
  write_file(rig.rootfs() + "/bin/script", "#!/proc/self/exe --version\n");
  fs::permissions(rig.rootfs() + "/bin/script", fs::perms::owner_all);
  rig.config["process"]["args"] = {"/bin/script"};
  (void)rig.skiff({"run", rig.id()});
  rig.start_waiting();
  (void)rig.skiff({"exec", rig.id(), "/bin/script"});
  (void)rig.skiff({"exec", rig.id(), "/proc/self/exe", "--version"});
  EXPECT_TRUE(read_file(program()) == before);
}

TEST(Cve_2022_29162, NothingIsInheritableThatTheConfigurationDoesNotList) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("grep CapInh /proc/self/status").out, "CapInh:\t0000000000000000\n");
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", "--cap", "CAP_CHOWN", rig.id(), "grep", "Cap[IA]", "/proc/self/status"});
  EXPECT_EQ(outcome.out, "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n");
  const Outcome effective = rig.skiff({"exec", "--cap", "CAP_CHOWN", rig.id(), "grep", "CapEff", "/proc/self/status"});
  EXPECT_EQ(effective.out, "CapEff:\t0000000020000421\n");
}

TEST(Cve_2024_21626, AWorkingDirectoryThatIsALeakedDescriptorIsRefusedAtCreate) {
  REQUIRE_ROOT();
  const LeakedDescriptor leaked(12);
  Rig rig;
  rig.script("pwd; ls");
  for (int number = 3; number < 20; ++number) {
    rig.config["process"]["cwd"] = "/proc/self/fd/" + std::to_string(number);
    const Outcome outcome = rig.skiff({"create", rig.id()});
    EXPECT_EQ(outcome.code, 1) << number;
    EXPECT_TRUE(outcome.err.starts_with("skiff: process.cwd: ")) << outcome.err;
  }
  EXPECT_CLEAN(rig);
}

TEST(Cve_2024_21626, ALinkToALeakedDescriptorIsRefusedAtCreate) {
  REQUIRE_ROOT();
  const LeakedDescriptor leaked(12);
  Rig rig;
  rig.script("pwd; ls");
  rig.config["process"]["cwd"] = "/work/link";
  for (int number = 3; number < 14; ++number) {
    fs::remove(rig.rootfs() + "/work/link");
    fs::create_symlink("/proc/self/fd/" + std::to_string(number), rig.rootfs() + "/work/link");
    EXPECT_EQ(rig.skiff({"create", rig.id()}).code, 1) << number;
  }
  EXPECT_CLEAN(rig);
}

TEST(Cve_2024_21626, AWorkingDirectoryThatIsALeakedDescriptorIsRefusedAtExec) {
  REQUIRE_ROOT();
  const LeakedDescriptor leaked(12);
  Rig rig;
  rig.start_waiting();
  for (int number = 3; number < 20; ++number) {
    const Outcome outcome =
        rig.skiff({"exec", "--cwd", "/proc/self/fd/" + std::to_string(number), rig.id(), "cat", "etc/hostname"});
    EXPECT_EQ(outcome.code, 255) << number << outcome.out;
  }
}

TEST(Cve_2024_21626, ADescriptorThatTheCallerLeaksIsNotSeenInside) {
  REQUIRE_ROOT();
  const LeakedDescriptor leaked(12);
  Rig rig;
  rig.config["process"]["args"] = {"ls", "/proc/self/fd"};
  EXPECT_EQ(rig.skiff({"run", rig.id()}).out, "0\n1\n2\n3\n");
}

struct UserWord {
  const char *word;
  const char *seen;  // id -u and id -g, or nullptr where it must be refused
};

class Cve_2026_30892 : public testing::TestWithParam<UserWord> {};

TEST_P(Cve_2026_30892, AUserIsWhatTheWordSaysOrIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome outcome =
      rig.skiff({"exec", "--user", GetParam().word, rig.id(), "sh", "-c", "echo $(id -u):$(id -g)"});
  if (GetParam().seen == nullptr) {
    EXPECT_EQ(outcome.code, 255) << outcome.out;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("--user"), std::string::npos) << outcome.err;
  } else {
    EXPECT_EQ(outcome.out, std::string(GetParam().seen) + "\n") << outcome.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Word, Cve_2026_30892,
                         testing::Values(UserWord{"1", "1:0"}, UserWord{"1:2", "1:2"}, UserWord{"0", "0:0"},
                                         UserWord{"4294967294:4294967294", "4294967294:4294967294"},
                                         UserWord{"", nullptr}, UserWord{"a", nullptr}, UserWord{"1a", nullptr},
                                         UserWord{"a:1", nullptr}, UserWord{"1:", nullptr}, UserWord{":1", nullptr},
                                         UserWord{"1:2:3", nullptr}, UserWord{" 1", nullptr},
                                         UserWord{"4294967295", nullptr}, UserWord{"4294967296", nullptr},
                                         UserWord{"-1", nullptr}, UserWord{"1:4294967296", nullptr},
                                         UserWord{"0x1", nullptr}),
                         [](const auto &each) { return std::to_string(each.index); });

// Bubblewrap's CVE-2017-5226: TIOCSTI on a terminal that is shared with the caller types into the caller's shell. A
// session of its own has no controlling terminal.
TEST(Cve_2017_5226, TheProgramLeadsASessionWithoutATerminal) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"cut", "-d", " ", "-f", "1,6,7", "/proc/self/stat"};
  EXPECT_EQ(rig.skiff({"run", rig.id()}).out, "1 1 0\n");
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", rig.id(), "cut", "-d", " ", "-f", "1,6,7", "/proc/self/stat"});
  const std::string pid = outcome.out.substr(0, outcome.out.find(' '));
  EXPECT_EQ(outcome.out, pid + " " + pid + " 0\n");
}

}  // namespace
}  // namespace skiff::rig
