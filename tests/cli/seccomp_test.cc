// linux.seccomp, tried from inside: config-linux.md, "Seccomp".
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "runtime/kernel/process.h"
#include "runtime/kernel/socket.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

#ifdef __x86_64__
constexpr bool has_numbers = true;
#else
constexpr bool has_numbers = false;
#endif

class Seccomp : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (!has_numbers) GTEST_SKIP() << "the numbers of the calls are those of x86-64";
    bring_raw_call(rig);
    filter() = {{"defaultAction", "SCMP_ACT_ALLOW"}, {"architectures", {"SCMP_ARCH_X86_64"}}};
  }
  void TearDown() override { EXPECT_CLEAN(rig); }
  Json &filter() { return rig.config["linux"]["seccomp"]; }
  void add_rule(const std::string &name, const std::string &action, const Json &more = Json::object()) {
    Json rule = {{"names", {name}}, {"action", action}};
    rule.update(more);
    filter()["syscalls"].push_back(rule);
  }
  Rig rig;
};

TEST_F(Seccomp, ErrnoIsEpermWhereNothingElseIsSaid) {
  add_rule("getsid", "SCMP_ACT_ERRNO");
  EXPECT_EQ(rig.run("raw_call 124 0; grep Seccomp: /proc/self/status").out, "-1 1 \nSeccomp:\t2\n");
}

TEST_F(Seccomp, ErrnoRetIsWhatTheCallReturns) {
  add_rule("getsid", "SCMP_ACT_ERRNO", {{"errnoRet", 95}});
  EXPECT_EQ(rig.run("raw_call 124 0").out, "-1 95 \n");
}

TEST_F(Seccomp, WithoutNoNewPrivilegesTheFilterIsThereToo) {
  rig.config["process"]["noNewPrivileges"] = false;
  add_rule("getsid", "SCMP_ACT_ERRNO", {{"errnoRet", 95}});
  EXPECT_EQ(rig.run("raw_call 124 0; grep NoNewPrivs /proc/self/status").out, "-1 95 \nNoNewPrivs:\t0\n");
}

TEST_F(Seccomp, AnUnknownNameIsPassedOver) {
  add_rule("not_a_system_call", "SCMP_ACT_ERRNO");
  add_rule("getsid", "SCMP_ACT_ERRNO", {{"errnoRet", 95}});
  EXPECT_EQ(rig.run("raw_call 124 0").out, "-1 95 \n");
}

// Callers' tests read runc's line for the flags that seccomp(2) got: absent asks for the default, empty for none.
TEST_F(Seccomp, FlagsThatAreAbsentAreNotThoseOfAnEmptyList) {
  add_rule("getsid", "SCMP_ACT_ERRNO");
  const auto flags = [&] {
    rig.script("true");
    const std::string log = rig.skiff({"--debug", "run", rig.id()}).err;
    const std::size_t at = log.find("msg=\"seccomp filter flags: ");
    return at == std::string::npos ? log : log.substr(at, log.find('\n', at) - at);
  };
  EXPECT_EQ(flags(), "msg=\"seccomp filter flags: 4\"");
  filter()["flags"] = Json::array();
  EXPECT_EQ(flags(), "msg=\"seccomp filter flags: 0\"");
  filter()["flags"] = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"};
  EXPECT_EQ(flags(), "msg=\"seccomp filter flags: 2\"");
}

TEST_F(Seccomp, AnUnknownNameIsALineForWhoeverLooks) {
  add_rule("not_a_system_call", "SCMP_ACT_ERRNO");
  rig.script("true");
  for (int time = 0; time < 2; ++time) {  // the second program comes from the cache
    EXPECT_NE(rig.skiff({"--debug", "run", rig.id()}).err.find("\\\"not_a_system_call\\\" is unknown"),
              std::string::npos);
  }
}

// write(2) carries the descriptor to the runtime; every other call of init can be handed to the agent.
TEST_F(Seccomp, OnlyWriteCannotNotify) {
  filter()["listenerPath"] = rig.path("agent");
  add_rule("write", "SCMP_ACT_NOTIFY");
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("SCMP_ACT_NOTIFY cannot be used for the write syscall"), std::string::npos) << outcome.err;
}

struct Comparison {
  const char *op;
  unsigned long value;
  unsigned long value_two;
  const char *refused;  // of the sessions 4, 5 and 6 that are asked for
};

class SeccompComparison : public Seccomp, public testing::WithParamInterface<Comparison> {};

// getsid(n): no such process gives ESRCH (3), what the filter refuses gives 95.
TEST_P(SeccompComparison, IsOfTheArgumentsValue) {
  const Comparison &wanted = GetParam();
  Json argument = {{"index", 0}, {"value", wanted.value}, {"op", wanted.op}};
  if (wanted.value_two != 0) argument["valueTwo"] = wanted.value_two;
  add_rule("getsid", "SCMP_ACT_ERRNO", {{"errnoRet", 95}, {"args", {argument}}});
  const Outcome outcome =
      rig.run("for n in 100004 100005 100006; do raw_call 124 $n; done | cut -d ' ' -f 2 | tr -d '\\n'");
  EXPECT_EQ(outcome.out, wanted.refused) << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Operator, SeccompComparison,
    testing::Values(Comparison{"SCMP_CMP_EQ", 100005, 0, "3953"}, Comparison{"SCMP_CMP_NE", 100005, 0, "95395"},
                    Comparison{"SCMP_CMP_LT", 100005, 0, "9533"}, Comparison{"SCMP_CMP_LE", 100005, 0, "95953"},
                    Comparison{"SCMP_CMP_GE", 100005, 0, "39595"}, Comparison{"SCMP_CMP_GT", 100005, 0, "3395"},
                    // 100004 is 0x186a4: mask 3 leaves 0, 1, 2.
                    Comparison{"SCMP_CMP_MASKED_EQ", 3, 2, "3395"}),
    [](const auto &comparison) { return std::string(comparison.param.op); });

TEST_F(Seccomp, SeveralArgumentsMustAllAgree) {
  add_rule(
      "fcntl", "SCMP_ACT_ERRNO",
      {{"errnoRet", 95},
       {"args",
        {{{"index", 0}, {"value", 100}, {"op", "SCMP_CMP_EQ"}}, {{"index", 1}, {"value", 3}, {"op", "SCMP_CMP_EQ"}}}}});
  EXPECT_EQ(rig.run("raw_call 72 100 3; raw_call 72 100 1; raw_call 72 101 3").out, "-1 95 \n-1 9 \n-1 9 \n");
}

// What a profile was written before is not refused with its errno but is a call that the kernel does not have, so that
// programs fall back.
TEST_F(Seccomp, ACallNewerThanTheProfileIsMissing) {
  filter()["defaultAction"] = "SCMP_ACT_ERRNO";
  filter()["defaultErrnoRet"] = 1;
  Json names = Json::array();
  for (const char *name :
       {"read",       "write",     "close",    "fstat",     "mmap",         "mprotect",       "munmap",
        "brk",        "execve",    "execveat", "exit",      "exit_group",   "arch_prctl",     "set_tid_address",
        "rseq",       "prlimit64", "readlink", "getrandom", "rt_sigaction", "rt_sigprocmask", "set_robust_list",
        "newfstatat", "getpid",    "getuid",   "geteuid",   "getgid",       "getegid",        "getppid",
        "getcwd",     "fcntl",     "wait4",    "clone",     "vfork",        "fork",           "dup2",
        "open",       "openat",    "stat",     "uname",     "rt_sigreturn", "ioctl",          "prctl",
        "faccessat2"}) {
    names.push_back(name);
  }
  filter()["syscalls"] = {{{"names", names}, {"action", "SCMP_ACT_ALLOW"}}};
  // getsid is older than faccessat2 (439), the newest call that the profile knows: it is refused as the profile says.
  const Outcome outcome = rig.run("raw_call 124 0; raw_call 1000");
  EXPECT_EQ(outcome.out, "-1 1 \n-1 38 \n") << outcome.err;
}

TEST_F(Seccomp, KillProcessEndsTheProgramWithSigsys) {
  add_rule("getsid", "SCMP_ACT_KILL_PROCESS");
  EXPECT_EQ(rig.run("raw_call 124 0; echo $?").out, "159\n");
}

TEST_F(Seccomp, KillAndKillThreadEndTheProgramWithSigsys) {
  add_rule("getsid", "SCMP_ACT_KILL");
  add_rule("getpgid", "SCMP_ACT_KILL_THREAD");
  EXPECT_EQ(rig.run("raw_call 124 0; echo $?; raw_call 121 0; echo $?").out, "159\n159\n");
}

TEST_F(Seccomp, TrapEndsAProgramThatDoesNotHandleIt) {
  add_rule("getsid", "SCMP_ACT_TRAP");
  EXPECT_EQ(rig.run("raw_call 124 0; echo $?").out, "159\n");
}

TEST_F(Seccomp, LogLetsTheCallThrough) {
  add_rule("getsid", "SCMP_ACT_LOG");
  EXPECT_EQ(rig.run("raw_call 124 0 | cut -d ' ' -f 2").out, "0\n");
}

TEST_F(Seccomp, TraceWithoutATracerIsACallThatIsMissing) {
  add_rule("getsid", "SCMP_ACT_TRACE", {{"errnoRet", 7}});
  EXPECT_EQ(rig.run("raw_call 124 0").out, "-1 38 \n");
}

TEST_F(Seccomp, HoldsForExecToo) {
  add_rule("getsid", "SCMP_ACT_ERRNO", {{"errnoRet", 95}});
  rig.start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "raw_call", "124", "0"}).out, "-1 95 \n");
  (void)rig.skiff({"delete", "--force", rig.id()});
}

// The agent of config-linux.md, "The Container Process State": takes one connection, the descriptor that comes with it,
// and answers one notification with `errno_value`.
std::string answer_one(const kernel::Fd &listening, int errno_value) {
  const kernel::Fd connection(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  auto message = kernel::recv_message(connection, 65536, 1).value();
  if (!message || message->fds.size() != 1) return "no descriptor";
  struct seccomp_notif request{};
  const int notify = message->fds.front().get();
  if (::ioctl(notify, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return "no notification";
  struct seccomp_notif_resp response{};
  response.id = request.id;
  response.error = -errno_value;
  if (::ioctl(notify, SECCOMP_IOCTL_NOTIF_SEND, &response) != 0) return "no answer";
  return message->bytes;
}

TEST_F(Seccomp, NotifyHandsTheDescriptorToTheAgentThatThenAnswers) {
  const std::string path = rig.path("agent");
  const kernel::Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listening.get(), 1), 0);
  filter()["listenerPath"] = path;
  filter()["listenerMetadata"] = "of the test";
  add_rule("getsid", "SCMP_ACT_NOTIFY");
  kernel::Child agent = kernel::clone3({}).value();
  if (agent.is_this_process()) {
    write_file(rig.path("state"), answer_one(listening, 77));
    ::_exit(0);
  }
  const Outcome outcome = rig.run("raw_call 124 0");
  ASSERT_EQ(outcome.out, "-1 77 \n") << outcome.err;  // otherwise the agent waits still: it is killed when dropped
  ASSERT_TRUE(agent.wait().has_value());
  const Json state = Json::parse(read_file(rig.path("state")), nullptr, false);
  ASSERT_FALSE(state.is_discarded()) << read_file(rig.path("state"));
  EXPECT_EQ(state["metadata"], "of the test");
  EXPECT_EQ(state["fds"], Json({"seccompFd"}));
  EXPECT_EQ(state["state"]["id"], rig.id());
  EXPECT_GT(state["pid"].get<int>(), 0);
}

}  // namespace
}  // namespace skiff::rig
