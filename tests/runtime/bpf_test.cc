#include "runtime/bpf.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace skiff {
namespace {

using spec::Seccomp;
using spec::SeccompAction;
using spec::SeccompOperator;
using spec::SeccompSyscall;

constexpr std::uint32_t x32_bit = 0x40000000;
constexpr std::uint32_t newest = 460;  // above every number that libseccomp 2.5 knows on x86-64

constexpr std::uint32_t errno_of(std::uint32_t number) { return SECCOMP_RET_ERRNO | number; }

// The classic BPF machine as seccomp(2) runs it, over one struct seccomp_data.
class Machine {
 public:
  explicit Machine(const std::vector<sock_filter> &program) : program_(program) {}

  std::uint32_t run(const seccomp_data &data) {
    std::size_t at = 0;
    while (at < program_.size()) {
      const sock_filter &code = program_[at++];
      switch (BPF_CLASS(code.code)) {
        case BPF_LD:
          a_ = load(code, data);
          break;
        case BPF_ST:
          memory_.at(code.k) = a_;
          break;
        case BPF_ALU:
          a_ = BPF_OP(code.code) == BPF_AND ? a_ & code.k : a_ | code.k;
          break;
        case BPF_JMP:
          at += jump(code);
          break;
        case BPF_RET:
          return BPF_RVAL(code.code) == BPF_A ? a_ : code.k;
        default:
          ADD_FAILURE() << "instruction " << code.code;
          return 0;
      }
    }
    ADD_FAILURE() << "the program has no end";
    return 0;
  }

 private:
  std::uint32_t load(const sock_filter &code, const seccomp_data &data) const {
    if (BPF_MODE(code.code) == BPF_MEM) return memory_.at(code.k);
    if (BPF_MODE(code.code) == BPF_IMM) return code.k;
    std::uint32_t word = 0;
    if (code.k + sizeof(word) > sizeof(data)) {
      ADD_FAILURE() << "a load outside of struct seccomp_data";
      return 0;
    }
    std::memcpy(&word, reinterpret_cast<const char *>(&data) + code.k, sizeof(word));
    return word;
  }

  std::size_t jump(const sock_filter &code) const {
    switch (BPF_OP(code.code)) {
      case BPF_JA:
        return code.k;
      case BPF_JEQ:
        return a_ == code.k ? code.jt : code.jf;
      case BPF_JGT:
        return a_ > code.k ? code.jt : code.jf;
      case BPF_JGE:
        return a_ >= code.k ? code.jt : code.jf;
      default:
        return (a_ & code.k) != 0 ? code.jt : code.jf;
    }
  }

  const std::vector<sock_filter> &program_;
  std::uint32_t a_ = 0;
  std::array<std::uint32_t, 16> memory_{};
};

SeccompSyscall rule(std::vector<std::string> names, SeccompAction action) {
  SeccompSyscall out;
  out.names = std::move(names);
  out.action = action;
  return out;
}

// Denies with EPERM what it does not list, as the engines' profiles do.
Seccomp deny_by_default() {
  Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.architectures = {"SCMP_ARCH_X86_64"};
  seccomp.syscalls = {rule({"read", "write", "getpid", "statx"}, SeccompAction::allow)};
  return seccomp;
}

SeccompProgram compile(const Seccomp &seccomp) {
  Result<SeccompProgram> program = make_seccomp_program(seccomp);
  EXPECT_TRUE(program.has_value()) << program.error().message();
  return program ? *std::move(program) : SeccompProgram{};
}

std::uint32_t answer(const SeccompProgram &program, std::uint32_t number, std::array<std::uint64_t, 6> args = {},
                     std::uint32_t architecture = AUDIT_ARCH_X86_64) {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = architecture;
  for (std::size_t i = 0; i < args.size(); ++i) data.args[i] = args[i];
  return Machine(program.filter).run(data);
}

class Bpf : public testing::Test {
 protected:
  void SetUp() override {
#ifndef __x86_64__
    GTEST_SKIP() << "the numbers in these tests are those of x86-64";
#endif
  }
};

TEST_F(Bpf, AListedCallIsAllowedAndAnotherGetsTheDefault) {
  const SeccompProgram program = compile(deny_by_default());
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_statx), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_open), errno_of(EPERM));  // "The default is EPERM"
}

TEST_F(Bpf, EveryActionHasItsReturnValue) {
  constexpr std::array<std::uint32_t, 9> expected = {
      SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
      SECCOMP_RET_TRAP,        errno_of(EPERM),          SECCOMP_RET_TRACE | EPERM,
      SECCOMP_RET_ALLOW,       SECCOMP_RET_LOG,          SECCOMP_RET_USER_NOTIF};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    Seccomp seccomp;
    seccomp.default_action =
        i == static_cast<std::size_t>(SeccompAction::allow) ? SeccompAction::log : SeccompAction::allow;
    seccomp.syscalls = {rule({"getppid"}, static_cast<SeccompAction>(i))};
    EXPECT_EQ(answer(compile(seccomp), SYS_getppid), expected[i]) << spec::seccomp_action_names[i];
  }
}

TEST_F(Bpf, ErrnoRetIsWhatErrnoAndTraceReturn) {
  Seccomp seccomp;
  seccomp.syscalls = {rule({"getppid"}, SeccompAction::errno_), rule({"getuid"}, SeccompAction::trace),
                      rule({"getgid"}, SeccompAction::errno_)};
  seccomp.syscalls[0].errno_ret = ENOTTY;
  seccomp.syscalls[1].errno_ret = 77;
  seccomp.syscalls[2].errno_ret = 0;
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, SYS_getppid), errno_of(ENOTTY));
  EXPECT_EQ(answer(program, SYS_getuid), SECCOMP_RET_TRACE | 77U);
  EXPECT_EQ(answer(program, SYS_getgid), errno_of(0));
}

// config-linux.md, Seccomp: "When the action doesn't support an errno, the runtime MUST print and error and fail."
TEST_F(Bpf, ErrnoRetOfAnActionThatReturnsNoneIsAnError) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls[0].errno_ret = EPERM;
  const Result<SeccompProgram> program = make_seccomp_program(seccomp);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().text, "linux.seccomp.syscalls[0]: SCMP_ACT_ALLOW returns no errno");
}

bool matches(SeccompOperator op, std::uint64_t value, std::uint64_t value_two, std::uint64_t argument) {
  Seccomp seccomp;
  seccomp.syscalls = {rule({"personality"}, SeccompAction::errno_)};
  seccomp.syscalls[0].args = {{.index = 0, .value = value, .value_two = value_two, .op = op}};
  return answer(compile(seccomp), SYS_personality, {argument}) == errno_of(EPERM);
}

TEST_F(Bpf, OperatorsCompareAll64Bits) {
  constexpr std::uint64_t high = std::uint64_t{1} << 40;
  EXPECT_TRUE(matches(SeccompOperator::eq, high, 0, high));
  EXPECT_FALSE(matches(SeccompOperator::eq, high, 0, 0));
  EXPECT_TRUE(matches(SeccompOperator::ne, high, 0, high + 1));
  EXPECT_FALSE(matches(SeccompOperator::ne, high, 0, high));
  EXPECT_TRUE(matches(SeccompOperator::lt, high, 0, high - 1));
  EXPECT_FALSE(matches(SeccompOperator::lt, high, 0, high));
  EXPECT_TRUE(matches(SeccompOperator::le, high, 0, high));
  EXPECT_FALSE(matches(SeccompOperator::le, high, 0, high + 1));
  EXPECT_TRUE(matches(SeccompOperator::gt, high, 0, high + 1));
  EXPECT_FALSE(matches(SeccompOperator::gt, high, 0, high));
  EXPECT_TRUE(matches(SeccompOperator::ge, high, 0, high));
  EXPECT_FALSE(matches(SeccompOperator::ge, high, 0, high - 1));
}

TEST_F(Bpf, MaskedEqualTakesValueAsTheMask) {
  EXPECT_TRUE(matches(SeccompOperator::masked_eq, 0xff00, 0x1200, 0x12ab));
  EXPECT_FALSE(matches(SeccompOperator::masked_eq, 0xff00, 0x1200, 0x13ab));
}

TEST_F(Bpf, ComparisonsOfDifferentArgumentsMustAllHold) {
  Seccomp seccomp;
  seccomp.syscalls = {rule({"socket"}, SeccompAction::errno_)};
  seccomp.syscalls[0].args = {{.index = 0, .value = 16, .value_two = 0, .op = SeccompOperator::eq},
                              {.index = 2, .value = 9, .value_two = 0, .op = SeccompOperator::eq}};
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, SYS_socket, {16, 3, 9}), errno_of(EPERM));
  EXPECT_EQ(answer(program, SYS_socket, {16, 3, 8}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_socket, {15, 3, 9}), SECCOMP_RET_ALLOW);
}

// The engines' profiles list several allowed values of one argument in one rule.
TEST_F(Bpf, ComparisonsOfOneArgumentAreAlternatives) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls.push_back(rule({"personality"}, SeccompAction::allow));
  seccomp.syscalls[1].args = {{.index = 0, .value = 0, .value_two = 0, .op = SeccompOperator::eq},
                              {.index = 0, .value = 8, .value_two = 0, .op = SeccompOperator::eq}};
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, SYS_personality, {0}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_personality, {8}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, SYS_personality, {1}), errno_of(EPERM));
}

TEST_F(Bpf, AnArgumentBeyondTheSixthIsAnError) {
  Seccomp seccomp;
  seccomp.syscalls = {rule({"socket"}, SeccompAction::errno_)};
  seccomp.syscalls[0].args = {{.index = 6, .value = 0, .value_two = 0, .op = SeccompOperator::eq}};
  const Result<SeccompProgram> program = make_seccomp_program(seccomp);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().text, "linux.seccomp.syscalls[0]: args[0].index: 6 is no argument of a system call");
}

TEST_F(Bpf, UnknownNamesAreIgnoredAndReported) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls[0].names.emplace_back("no_such_call");
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(unknown_syscalls(seccomp), std::vector<std::string_view>{"no_such_call"});
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
}

TEST_F(Bpf, ARuleThatRepeatsTheDefaultIsNoError) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls.push_back(rule({"open"}, SeccompAction::errno_));
  EXPECT_EQ(answer(compile(seccomp), SYS_open), errno_of(EPERM));
}

// ---- the stub ----

TEST_F(Bpf, CallsNewerThanTheProfileAnswerEnosys) {
  const SeccompProgram program = compile(deny_by_default());
  EXPECT_EQ(answer(program, SYS_statx - 1), errno_of(EPERM));
  EXPECT_EQ(answer(program, SYS_statx + 1), errno_of(ENOSYS));
  EXPECT_EQ(answer(program, newest), errno_of(ENOSYS));
}

TEST_F(Bpf, AProfileThatKillsByDefaultAnswersEnosysToNewCallsToo) {
  Seccomp seccomp = deny_by_default();
  for (const SeccompAction action : {SeccompAction::kill, SeccompAction::kill_process, SeccompAction::trap}) {
    seccomp.default_action = action;
    const SeccompProgram program = compile(seccomp);
    EXPECT_EQ(answer(program, newest), errno_of(ENOSYS));
    EXPECT_NE(answer(program, SYS_open), errno_of(ENOSYS));
  }
}

TEST_F(Bpf, APermissiveDefaultReachesNewCalls) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls = {rule({"read"}, SeccompAction::errno_)};
  seccomp.default_action = SeccompAction::allow;
  EXPECT_EQ(answer(compile(seccomp), newest), SECCOMP_RET_ALLOW);
  seccomp.default_action = SeccompAction::log;
  EXPECT_EQ(answer(compile(seccomp), newest), SECCOMP_RET_LOG);
  seccomp.default_action = SeccompAction::trace;
  EXPECT_EQ(answer(compile(seccomp), newest), SECCOMP_RET_TRACE | EPERM);
}

TEST_F(Bpf, ADefaultErrnoRetIsKeptForCallsTheProfileCouldKnow) {
  Seccomp seccomp = deny_by_default();
  seccomp.default_errno_ret = EACCES;
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, SYS_open), errno_of(EACCES));
  EXPECT_EQ(answer(program, newest), errno_of(ENOSYS));
}

TEST_F(Bpf, EveryListedArchitectureHasItsOwnNewestCall) {
  Seccomp seccomp = deny_by_default();
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_S390X",
                           "SCMP_ARCH_AARCH64"};
  const SeccompProgram program = compile(seccomp);
  constexpr std::uint32_t i386_statx = 383;
  EXPECT_EQ(answer(program, SYS_statx + 1), errno_of(ENOSYS));
  EXPECT_EQ(answer(program, 3, {}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);  // read
  EXPECT_EQ(answer(program, 5, {}, AUDIT_ARCH_I386), errno_of(EPERM));    // open
  EXPECT_EQ(answer(program, i386_statx, {}, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, i386_statx + 1, {}, AUDIT_ARCH_I386), errno_of(ENOSYS));
  EXPECT_EQ(answer(program, x32_bit | SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, x32_bit | SYS_open), errno_of(EPERM));
  EXPECT_EQ(answer(program, x32_bit | newest), errno_of(ENOSYS));
  EXPECT_EQ(answer(program, 291, {}, AUDIT_ARCH_AARCH64), SECCOMP_RET_ALLOW);  // statx
  EXPECT_EQ(answer(program, 292, {}, AUDIT_ARCH_AARCH64), errno_of(ENOSYS));
}

TEST_F(Bpf, TheNativeArchitectureCountsWithoutBeingListed) {
  Seccomp seccomp = deny_by_default();
  seccomp.architectures = {"SCMP_ARCH_X86"};
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, newest), errno_of(ENOSYS));
}

TEST_F(Bpf, ForeignArchitecturesAndX32AreKilledWhereTheyAreNotListed) {
  const SeccompProgram program = compile(deny_by_default());
  EXPECT_EQ(answer(program, SYS_read, {}, AUDIT_ARCH_AARCH64), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(answer(program, x32_bit | SYS_read), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(answer(program, x32_bit | newest), SECCOMP_RET_KILL_THREAD);
}

TEST_F(Bpf, AnArchitectureThatIsNoneIsAnErrorWithTheLikelyName) {
  Seccomp seccomp = deny_by_default();
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_AMD64"};
  const Result<SeccompProgram> program = make_seccomp_program(seccomp);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().text, "linux.seccomp.architectures[1]: \"SCMP_ARCH_AMD64\" is not an architecture");
}

TEST_F(Bpf, EveryArchitectureOfTheSpecIsAccepted) {
  Seccomp seccomp = deny_by_default();
  seccomp.architectures = {"SCMP_ARCH_X86",     "SCMP_ARCH_X86_64",   "SCMP_ARCH_X32",         "SCMP_ARCH_ARM",
                           "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",
                           "SCMP_ARCH_MIPSEL",  "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
                           "SCMP_ARCH_PPC64",   "SCMP_ARCH_PPC64LE",  "SCMP_ARCH_S390",        "SCMP_ARCH_S390X",
                           "SCMP_ARCH_PARISC",  "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",     "SCMP_ARCH_LOONGARCH64",
                           "SCMP_ARCH_M68K",    "SCMP_ARCH_SH",       "SCMP_ARCH_SHEB"};
  EXPECT_EQ(answer(compile(seccomp), SYS_read), SECCOMP_RET_ALLOW);
}

TEST_F(Bpf, ArmsPrivateCallsAreNotTakenForTheNewest) {
  Seccomp seccomp = deny_by_default();
  seccomp.architectures = {"SCMP_ARCH_ARM"};
  seccomp.syscalls[0].names.emplace_back("set_tls");
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(answer(program, 0x0f0005, {}, AUDIT_ARCH_ARM), SECCOMP_RET_ALLOW);
  EXPECT_EQ(answer(program, 0x0f0001, {}, AUDIT_ARCH_ARM), errno_of(EPERM));
  EXPECT_EQ(answer(program, newest, {}, AUDIT_ARCH_ARM), errno_of(ENOSYS));
}

// A tree of many rules keeps the meaning of the list.
TEST_F(Bpf, ManyRulesAreAnsweredOneByOne) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls[0].names = {
      "read",    "write",   "close",  "stat",    "fstat",     "lstat",     "poll",    "lseek",     "mmap",   "mprotect",
      "munmap",  "brk",     "ioctl",  "pread64", "pwrite64",  "readv",     "writev",  "access",    "pipe",   "select",
      "madvise", "dup",     "dup2",   "pause",   "nanosleep", "getitimer", "alarm",   "setitimer", "getpid", "sendfile",
      "socket",  "connect", "accept", "sendto",  "recvfrom",  "sendmsg",   "recvmsg", "shutdown",  "bind",   "listen"};
  const SeccompProgram program = compile(seccomp);
  for (const std::uint32_t number : {0U, 1U, 3U, 4U, 5U, 6U, 7U, 8U, 9U, 16U, 22U, 34U, 39U, 41U, 50U}) {
    EXPECT_EQ(answer(program, number), SECCOMP_RET_ALLOW) << number;
  }
  for (const std::uint32_t number : {2U, 13U, 24U, 25U, 29U}) {
    EXPECT_EQ(answer(program, number), errno_of(EPERM)) << number;
  }
}

// libseccomp alone takes minutes of the processor for so many, and more with the square of their number.
TEST_F(Bpf, MoreComparisonsThanInstructionsAreRefusedAtOnce) {
  Seccomp seccomp = deny_by_default();
  spec::SeccompSyscall rule = seccomp.syscalls[0];
  rule.names = {"getpid"};
  seccomp.syscalls.clear();
  for (std::uint64_t i = 0; i < 50000; ++i) {
    rule.args = {{.index = 0, .value = i, .value_two = 0, .op = spec::SeccompOperator::eq}};
    seccomp.syscalls.push_back(rule);
  }
  const std::clock_t begin = std::clock();
  const Result<SeccompProgram> program = make_seccomp_program(seccomp);
  EXPECT_LT(std::clock() - begin, 10 * CLOCKS_PER_SEC);
  ASSERT_FALSE(program);
  EXPECT_NE(program.error().text.find("50000 comparisons"), std::string::npos) << program.error().text;
  EXPECT_NE(program.error().text.find("4096"), std::string::npos) << program.error().text;
  // The same one again is no other one.
  seccomp.syscalls.assign(5000, rule);
  EXPECT_TRUE(make_seccomp_program(seccomp));
}

// ---- notification ----

TEST_F(Bpf, WhatHandsOverTheListenerCannotNotify) {
  Seccomp seccomp;
  seccomp.syscalls = {rule({"write"}, SeccompAction::notify)};
  const Result<SeccompProgram> program = make_seccomp_program(seccomp);
  ASSERT_FALSE(program);
  EXPECT_NE(program.error().text.find("SCMP_ACT_NOTIFY cannot be used for the write syscall"), std::string::npos);
  seccomp.syscalls = {rule({"sendmsg"}, SeccompAction::notify)};
  EXPECT_TRUE(make_seccomp_program(seccomp));
  seccomp.default_action = SeccompAction::notify;
  EXPECT_FALSE(make_seccomp_program(seccomp));
}

TEST_F(Bpf, TheRulesTellWhetherThereIsAListener) {
  Seccomp seccomp = deny_by_default();
  EXPECT_FALSE(seccomp_notifies(seccomp));
  seccomp.syscalls.push_back(rule({"mount"}, SeccompAction::notify));
  EXPECT_TRUE(seccomp_notifies(seccomp));
}

// ---- flags ----

TEST_F(Bpf, FlagsAreThoseOfTheKernel) {
  Seccomp seccomp = deny_by_default();
  EXPECT_EQ(seccomp_flags(seccomp).value(), SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  seccomp.flags.emplace();
  EXPECT_EQ(seccomp_flags(seccomp).value(), 0U) << "an empty list asks for none, as opposed to no list";
  seccomp.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"};
  EXPECT_EQ(seccomp_flags(seccomp).value(), SECCOMP_FILTER_FLAG_LOG) << "there is no other thread to synchronise";
  seccomp.flags = {"SECCOMP_FILTER_FLAG_NO"};
  EXPECT_FALSE(seccomp_flags(seccomp));
}

TEST_F(Bpf, WaitKillableIsPassedOnlyWithAListener) {
  Seccomp seccomp = deny_by_default();
  seccomp.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  EXPECT_EQ(seccomp_flags(seccomp).value(), 0U);
  seccomp.syscalls.push_back(rule({"mount"}, SeccompAction::notify));
  EXPECT_EQ(seccomp_flags(seccomp).value(), 1U << 5);
}

// ---- the cache's key ----

TEST_F(Bpf, TheKeyIsTheSameForEqualRulesAndAnotherForOthers) {
  const Seccomp one = deny_by_default();
  const std::string key = seccomp_cache_key(one);
  EXPECT_EQ(key.size(), 32U);
  EXPECT_EQ(seccomp_cache_key(deny_by_default()), key);
  Seccomp other = one;
  other.syscalls[0].names = {"readwrite", "getpid", "statx"};
  EXPECT_NE(seccomp_cache_key(other), key);
  other = one;
  other.default_errno_ret = 0;
  EXPECT_NE(seccomp_cache_key(other), key);
  other = one;
  other.syscalls[0].args = {{.index = 1, .value = 2, .value_two = 0, .op = SeccompOperator::eq}};
  EXPECT_NE(seccomp_cache_key(other), key);
  other = one;
  other.listener_path = "/run/agent.sock";  // not part of the program
  EXPECT_EQ(seccomp_cache_key(other), key);
}

// ---- this kernel ----

// The errno of a call under the filter, from a child; 255 where the filter cannot be loaded.
int errno_under(const SeccompProgram &program, long number) {
  const pid_t child = fork();
  if (child == 0) {
    const sock_fprog whole = {static_cast<unsigned short>(program.filter.size()),
                              const_cast<sock_filter *>(program.filter.data())};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(255);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &whole) != 0) _exit(255);
    errno = 0;
    syscall(number, 0, 0, 0, 0, 0, 0);
    syscall(SYS_exit_group, errno);  // a sanitizer's _exit makes calls that this filter refuses
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Bpf, TheKernelTakesTheProgramAndAnswersTheSame) {
  Seccomp seccomp = deny_by_default();
  seccomp.syscalls[0].names.emplace_back("exit_group");
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  const SeccompProgram program = compile(seccomp);
  EXPECT_EQ(errno_under(program, SYS_getpid), 0);
  EXPECT_EQ(errno_under(program, SYS_getppid), EPERM);
  EXPECT_EQ(errno_under(program, SYS_statx + 1), ENOSYS);
  EXPECT_EQ(errno_under(program, newest), ENOSYS);
}

}  // namespace
}  // namespace skiff
