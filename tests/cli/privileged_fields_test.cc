// process.* and linux.* that ask for more than the runtime's own scheduling, limits or labels: what needs CAP_SYS_NICE,
// CAP_SYS_RESOURCE or AppArmor of the host. config.md, "Process", "Linux Process".
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// A cgroup of v1 has no realtime of its own at first (CONFIG_RT_GROUP_SCHED).
bool may_use_realtime() {
  if (fs::exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")) return false;
  const sched_param one = {.sched_priority = 1}, none = {.sched_priority = 0};
  if (::sched_setscheduler(0, SCHED_FIFO, &one) != 0) return false;
  return ::sched_setscheduler(0, SCHED_OTHER, &none) == 0;
}

constexpr unsigned cap_sys_resource = 24;

bool has_capability(unsigned number) {
  for (const std::string &line : lines_of(read_file("/proc/self/status"))) {
    if (line.starts_with("CapEff:")) return (std::stoull(line.substr(8), nullptr, 16) >> number & 1) != 0;
  }
  return false;
}

class RealtimePolicy : public testing::TestWithParam<std::tuple<const char *, int, const char *>> {};

TEST_P(RealtimePolicy, IsThatOfTheProcessWithItsPriority) {
  REQUIRE_ROOT();
  if (!may_use_realtime()) GTEST_SKIP() << "this host refuses SCHED_FIFO in a container";
  const auto &[policy, priority, wanted] = GetParam();
  Rig rig;
  rig.config["process"]["scheduler"] = {{"policy", policy}, {"priority", priority}};
  // proc_pid_stat(5), 40 and 41: the priority and the policy.
  const Outcome outcome = rig.run("cut -d ' ' -f 40,41 /proc/self/stat");
  EXPECT_EQ(outcome.out, wanted) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Policy, RealtimePolicy,
                         testing::Values(std::tuple{"SCHED_FIFO", 7, "7 1\n"}, std::tuple{"SCHED_RR", 20, "20 2\n"}),
                         [](const auto &policy) { return std::string(std::get<0>(policy.param)); });

// sched(7): a process with a deadline does not fork, so it is the program itself that looks.
TEST(Scheduler, ADeadlineHasItsThreeTimes) {
  REQUIRE_ROOT();
  if (!may_use_realtime()) GTEST_SKIP() << "this host refuses SCHED_FIFO in a container";
  Rig rig;
  rig.config["process"]["scheduler"] = {
      {"policy", "SCHED_DEADLINE"}, {"runtime", 2000000}, {"deadline", 50000000}, {"period", 100000000}};
  rig.config["process"]["args"] = {"cut", "-d", " ", "-f", "41", "/proc/self/stat"};
  const Outcome outcome = rig.skiff({"run", rig.id()});
  EXPECT_EQ(outcome.out, "6\n") << outcome.err;
}

TEST(IoPriorityOfRealtime, IsTheLevelOfTheConfiguration) {
  REQUIRE_ROOT();
#ifdef SYS_ioprio_set
  if (::syscall(SYS_ioprio_set, 1, 0, 1 << 13 | 4) != 0) GTEST_SKIP() << "this host refuses IOPRIO_CLASS_RT";
  (void)::syscall(SYS_ioprio_set, 1, 0, 0);
#endif
  Rig rig;
  rig.config["process"]["ioPriority"] = {{"class", "IOPRIO_CLASS_RT"}, {"priority", 3}};
  EXPECT_EQ(rig.run("ionice -p $$").out, "realtime: prio 3\n");
}

TEST(RlimitsAboveTheRuntimesOwn, AreRaised) {
  REQUIRE_ROOT();
  if (!has_capability(cap_sys_resource)) GTEST_SKIP() << "needs CAP_SYS_RESOURCE";
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low = {.rlim_cur = 256, .rlim_max = 512};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  Rig rig;
  rig.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 1000}, {"hard", 2000}}};
  const Outcome outcome = rig.run("ulimit -Sn; ulimit -Hn");
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(outcome.out, "1000\n2000\n") << outcome.err;
}

TEST(OomScoreAdj, MayBeBelowTheRuntimesOwn) {
  REQUIRE_ROOT();
  if (!has_capability(cap_sys_resource)) GTEST_SKIP() << "needs CAP_SYS_RESOURCE";
  Rig rig;
  rig.config["process"]["oomScoreAdj"] = -500;
  EXPECT_EQ(rig.run("cat /proc/self/oom_score_adj").out, "-500\n");
  Rig other;
  other.start_waiting();
  const Outcome outcome = other.skiff({"exec", other.id(), "cat", "/proc/self/oom_score_adj"});
  EXPECT_EQ(outcome.out, read_file("/proc/self/oom_score_adj")) << outcome.err;
}

// A profile that lets a program do anything but write below /tmp.
class Apparmor : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (read_file("/sys/module/apparmor/parameters/enabled") != "Y\n") GTEST_SKIP() << "AppArmor is not enabled";
    const Outcome parsed = run_program({"/usr/bin/env", "apparmor_parser", "--replace", "--skip-cache"}, text());
    if (parsed.code == 127) GTEST_SKIP() << "needs apparmor_parser (apparmor)";
    ASSERT_EQ(parsed.code, 0) << parsed.err;
    loaded_ = true;
    rig.config["process"]["apparmorProfile"] = name;
  }
  void TearDown() override {
    (void)rig.skiff({"delete", "--force", rig.id()});
    EXPECT_CLEAN(rig);
    if (loaded_) (void)run_program({"/usr/bin/env", "apparmor_parser", "--remove"}, text());
  }
  static std::string text() {
    return "profile " + std::string(name) +
           " flags=(attach_disconnected,mediate_deleted) {\n  file,\n  capability,\n  network,\n  signal,\n  mount,\n"
           "  umount,\n  pivot_root,\n  ptrace,\n  deny /tmp/** w,\n}\n";
  }
  static constexpr const char *name = "skiff-test-no-tmp";
  Rig rig;

 private:
  bool loaded_ = false;
};

TEST_F(Apparmor, TheProfileConfinesTheProgram) {
  const Outcome outcome = rig.run("cat /proc/self/attr/current; touch /work/x && echo made; touch /tmp/x 2>&1");
  EXPECT_EQ(outcome.out, std::string(name) + " (enforce)\nmade\ntouch: /tmp/x: Permission denied\n") << outcome.err;
}

TEST_F(Apparmor, AnExecHasTheContainersProfileOrItsOwn) {
  // The rig's container touches a file in /tmp to say that it waits.
  rig.config["process"].erase("apparmorProfile");
  rig.start_waiting();
  const Outcome own = rig.skiff({"exec", "--apparmor", name, rig.id(), "cat", "/proc/self/attr/current"});
  EXPECT_EQ(own.out, std::string(name) + " (enforce)\n") << own.err;
  Rig confined;
  confined.config["process"]["apparmorProfile"] = name;
  confined.script("sleep 1000");
  ASSERT_EQ(confined.skiff({"create", confined.id()}).code, 0);
  ASSERT_EQ(confined.skiff({"start", confined.id()}).code, 0);
  const Outcome inherited = confined.skiff({"exec", confined.id(), "cat", "/proc/self/attr/current"});
  EXPECT_EQ(inherited.out, std::string(name) + " (enforce)\n") << inherited.err;
}

TEST_F(Apparmor, ItAppliesInAUserNamespaceAndWithoutNewPrivileges) {
  add_user_namespace(rig);
  rig.config["process"]["noNewPrivileges"] = true;
  EXPECT_EQ(rig.run("cat /proc/self/attr/current").out, std::string(name) + " (enforce)\n");
}

TEST_F(Apparmor, AProfileThatIsNotLoadedIsNamed) {
  rig.config["process"]["apparmorProfile"] = "skiff-test-missing";
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("process.apparmorProfile"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("skiff-test-missing"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("load the profile with apparmor_parser"), std::string::npos) << outcome.err;
}

TEST(ApparmorThatIsOff, IsNamed) {
  REQUIRE_ROOT();
  if (read_file("/sys/module/apparmor/parameters/enabled") == "Y\n") GTEST_SKIP() << "AppArmor is enabled";
  Rig rig;
  rig.config["process"]["apparmorProfile"] = "any";
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("process.apparmorProfile"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
