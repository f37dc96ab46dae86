// process.*, read back by the process itself: config.md, "Process" and "Linux Process".
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

// sched_getscheduler, ioprio_get and personality of x86-64.
#ifdef __x86_64__
constexpr bool has_numbers = true;
#else
constexpr bool has_numbers = false;
#endif

#define REQUIRE_NUMBERS() \
  if (!has_numbers) GTEST_SKIP() << "the numbers of the calls are those of x86-64"

Json *capabilities(Rig &rig) {
  rig.config["process"]["capabilities"] = Json::object();
  return &rig.config["process"]["capabilities"];
}

std::string capability_lines(const std::string &inheritable, const std::string &permitted, const std::string &effective,
                             const std::string &bounding, const std::string &ambient) {
  return "CapInh:\t" + inheritable + "\nCapPrm:\t" + permitted + "\nCapEff:\t" + effective + "\nCapBnd:\t" + bounding +
         "\nCapAmb:\t" + ambient + "\n";
}

const std::string zero(16, '0');

TEST(Capabilities, TheFiveSetsAreThoseOfTheConfiguration) {
  REQUIRE_ROOT();
  Rig rig;
  Json &sets = *capabilities(rig);
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};  // root's exec would fill the sets from bounding
  sets["bounding"] = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYSLOG"};
  sets["permitted"] = {"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"};
  sets["effective"] = {"CAP_KILL", "CAP_NET_RAW"};
  sets["inheritable"] = {"CAP_KILL", "CAP_NET_RAW"};
  sets["ambient"] = {"CAP_KILL"};
  // At exec only ambient is left of permitted and effective (capabilities(7)).
  EXPECT_EQ(rig.run("grep ^Cap /proc/self/status").out,
            capability_lines("0000000000002020", "0000000000000020", "0000000000000020", "0000000400002021",
                             "0000000000000020"));
}

TEST(Capabilities, OfRootAreWhatBoundingLeaves) {
  REQUIRE_ROOT();
  Rig rig;
  Json &sets = *capabilities(rig);
  for (const char *set : {"bounding", "permitted", "effective"}) sets[set] = {"CAP_NET_RAW"};
  EXPECT_EQ(rig.run("grep ^Cap /proc/self/status").out,
            capability_lines(zero, "0000000000002000", "0000000000002000", "0000000000002000", zero));
}

TEST(Capabilities, ThatAreEmptyLeaveNothing) {
  REQUIRE_ROOT();
  Rig rig;
  capabilities(rig);
  EXPECT_EQ(rig.run("grep ^Cap /proc/self/status").out, capability_lines(zero, zero, zero, zero, zero));
}

// "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted otherwise MUST be logged as a
// warning by the runtime. Runtimes SHOULD NOT fail".
TEST(Capabilities, ThatTheKernelDoesNotKnowAreAWarning) {
  REQUIRE_ROOT();
  Rig rig;
  (*capabilities(rig))["bounding"] = {"CAP_CHOWN", "CAP_TIME_TRAVEL"};
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("process.capabilities: ignoring unknown or unavailable capabilities: CAP_TIME_TRAVEL"),
            std::string::npos)
      << outcome.err;
}

TEST(NoNewPrivileges, IsSetOrNot) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("grep NoNewPrivs /proc/self/status").out, "NoNewPrivs:\t1\n");
  rig.config["process"]["noNewPrivileges"] = false;
  EXPECT_EQ(rig.run("grep NoNewPrivs /proc/self/status").out, "NoNewPrivs:\t0\n");
}

TEST(User, HasItsIdsItsGroupsAndItsUmask) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["user"] = {
      {"uid", 1000}, {"gid", 1001}, {"additionalGids", {2000, 7, 4000000000}}, {"umask", 0127}};
  EXPECT_EQ(rig.run("grep -E '^(Uid|Gid|Groups|Umask)' /proc/self/status | tr -s '\\t ' ' ' | sed 's/ $//'").out,
            "Umask: 0127\nUid: 1000 1000 1000 1000\nGid: 1001 1001 1001 1001\nGroups: 7 2000 4000000000\n");
}

TEST(User, HasNoGroupsOfTheRuntimesCaller) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("grep Groups /proc/self/status; umask").out, "Groups:\t \n0022\n");
}

TEST(Cwd, IsWhereTheProgramStarts) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["cwd"] = "/tmp";
  EXPECT_EQ(rig.run("pwd; readlink /proc/self/cwd").out, "/tmp\n/tmp\n");
}

TEST(Cwd, ThatIsMissingIsMade) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["cwd"] = "/new/deep";
  EXPECT_EQ(rig.run("pwd").out, "/new/deep\n");
}

TEST(Cwd, ThatOnlyTheUserMayEnterIsEntered) {
  REQUIRE_ROOT();
  Rig rig;
  std::filesystem::create_directories(rig.rootfs() + "/work/mine");
  ASSERT_EQ(::chown((rig.rootfs() + "/work/mine").c_str(), 1000, 1000), 0);
  std::filesystem::permissions(rig.rootfs() + "/work/mine", std::filesystem::perms::owner_all);
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  rig.config["process"]["cwd"] = "/work/mine";
  const Outcome outcome = rig.run("pwd");
  EXPECT_EQ(outcome.out, "/work/mine\n") << outcome.err;
}

TEST(Environment, IsTheConfigurationsAndHome) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["env"] = {"PATH=/bin", "A=1", "B=two words", "A=3"};
  rig.config["process"]["args"] = {"env"};
  EXPECT_EQ(rig.skiff({"run", rig.id()}).out, "PATH=/bin\nB=two words\nA=3\nHOME=/root\n");
}

TEST(Environment, AnEmptyHomeIsAMissingOne) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["env"] = {"HOME=", "PATH=/bin"};
  rig.config["process"]["args"] = {"env"};
  EXPECT_EQ(rig.skiff({"run", rig.id()}).out, "PATH=/bin\nHOME=/root\n");
}

TEST(Rlimits, AreSoftAndHard) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 100}, {"hard", 200}},
                                      {{"type", "RLIMIT_CORE"}, {"soft", 0}, {"hard", 4096}},
                                      {{"type", "RLIMIT_STACK"}, {"soft", 1048576}, {"hard", 2097152}},
                                      {{"type", "RLIMIT_NICE"}, {"soft", 0}, {"hard", 0}}};
  const Outcome outcome =
      rig.run("grep -E 'open files|core file|stack|nice' /proc/self/limits | tr -s ' ' | sed 's/ $//' | sort");
  EXPECT_EQ(outcome.out,
            "Max core file size 0 4096 bytes\nMax nice priority 0 0\nMax open files 100 200 files\n"
            "Max stack size 1048576 2097152 bytes\n")
      << outcome.err;
}

TEST(OomScoreAdj, IsWhatTheConfigurationSays) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["oomScoreAdj"] = 321;
  EXPECT_EQ(rig.run("cat /proc/self/oom_score_adj").out, "321\n");
}

TEST(OomScoreAdj, IsTheRuntimesOwnWhereNothingIsSaid) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("cat /proc/self/oom_score_adj").out, read_file("/proc/self/oom_score_adj"));
}

TEST(Personality, Linux32ChangesWhatUnameSays) {
  REQUIRE_ROOT();
  REQUIRE_NUMBERS();
  Rig rig;
  rig.config["linux"]["personality"] = {{"domain", "LINUX32"}};
  EXPECT_EQ(rig.run("uname -m").out, "i686\n");
  rig.config["linux"]["personality"] = {{"domain", "LINUX"}};
  EXPECT_EQ(rig.run("uname -m").out, "x86_64\n");
}

class Scheduling : public testing::TestWithParam<std::pair<const char *, const char *>> {};

TEST_P(Scheduling, IsThePolicyOfTheConfiguration) {
  REQUIRE_ROOT();
  REQUIRE_NUMBERS();
  Rig rig;
  bring_raw_call(rig);
  rig.config["process"]["scheduler"] = {{"policy", GetParam().first}, {"nice", 5}};
  const Outcome outcome = rig.run("raw_call 145 0; cut -d ' ' -f 19 /proc/self/stat");  // sched_getscheduler
  EXPECT_EQ(outcome.out, std::string(GetParam().second) + " 0 \n5\n") << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Policy, Scheduling,
                         testing::Values(std::pair{"SCHED_OTHER", "0"}, std::pair{"SCHED_BATCH", "3"}),
                         [](const auto &policy) { return std::string(policy.param.first); });

TEST(Scheduler, IdleAndItsFlagAreSet) {
  REQUIRE_ROOT();
  REQUIRE_NUMBERS();
  Rig rig;
  bring_raw_call(rig);
  rig.config["process"]["scheduler"] = {{"policy", "SCHED_IDLE"}, {"flags", {"SCHED_FLAG_RESET_ON_FORK"}}};
  rig.config["process"]["args"] = {"raw_call", "145", "0"};
  EXPECT_EQ(rig.skiff({"run", rig.id()}).out, std::to_string(5 | 0x40000000) + " 0 \n");
}

class IoPriority : public testing::TestWithParam<std::tuple<const char *, int, long>> {};

TEST_P(IoPriority, IsTheClassAndTheLevelOfTheConfiguration) {
  REQUIRE_ROOT();
  REQUIRE_NUMBERS();
  const auto &[name, level, value] = GetParam();
  Rig rig;
  bring_raw_call(rig);
  rig.config["process"]["ioPriority"] = {{"class", name}, {"priority", level}};
  const Outcome outcome = rig.run("raw_call 252 1 0");  // ioprio_get(IOPRIO_WHO_PROCESS)
  EXPECT_EQ(outcome.out, std::to_string(value) + " 0 \n") << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(Class, IoPriority,
                         testing::Values(std::tuple{"IOPRIO_CLASS_BE", 6, 2L << 13 | 6},
                                         std::tuple{"IOPRIO_CLASS_IDLE", 0, 3L << 13}),
                         [](const auto &io) { return std::string(std::get<0>(io.param)); });

TEST(Signals, AreAllAtTheirDefault) {
  REQUIRE_ROOT();
  Rig rig;
  const sighandler_t before = ::signal(SIGPIPE, SIG_IGN);
  rig.config["process"]["args"] = {"grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"};
  const Outcome outcome = rig.skiff({"run", rig.id()});
  ::signal(SIGPIPE, before);
  EXPECT_EQ(outcome.out, "SigBlk:\t" + zero + "\nSigIgn:\t" + zero + "\n");
}

}  // namespace
}  // namespace skiff::rig
