#include "runtime/kernel/process.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>

#include "runtime/kernel/credential.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/scheduling.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

TEST(Clone3, TheChildReturnsToo) {
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) ::_exit(7);
  const pid_t pid = child->pid();
  const Result<ExitStatus> status = child->wait();
  ASSERT_OK(status);
  EXPECT_EQ(status->pid, pid);
  EXPECT_FALSE(status->signaled);
  EXPECT_EQ(status->code, 7);
}

TEST(Clone3, TheChildHasItsOwnMemory) {
  int value = 1;
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    value = 2;
    ::_exit(value);
  }
  EXPECT_EQ(child->wait()->code, 2);
  EXPECT_EQ(value, 1);
}

TEST(Clone3, RefusesToShareMemory) {
  EXPECT_ERRNO(clone3({.flags = CLONE_VM}), EINVAL);
  EXPECT_ERRNO(clone3({.flags = CLONE_THREAD}), EINVAL);
}

TEST(Clone3, TheFirstOfAPidNamespaceIsOne) {
  EXPECT_ISOLATED(CLONE_NEWUSER, []() -> std::string {
    Result<Child> child = clone3({.flags = CLONE_NEWPID | CLONE_NEWNS});
    NEED_OK(child);
    if (child->is_this_process()) ::_exit(getpid() == 1 ? 0 : 1);
    NEED(child->wait()->code == 0);
    return {};
  });
}

TEST(Child, IsKilledAndReapedWhenDropped) {
  Result<Pipe> pipe = pipe2();
  pid_t pid = 0;
  {
    Result<Child> child = clone3({});
    ASSERT_OK(child);
    if (child->is_this_process()) {
      ::pause();
      ::_exit(0);
    }
    pid = child->pid();
    pipe->write.reset();
  }
  EXPECT_ERRNO(kill(pid, 0), ESRCH);
  // The child held the last copy of the write end.
  EXPECT_TRUE(*wait_readable(pipe->read, forever));
}

TEST(Child, ASignalIsTheShellsHundredTwentyEightMore) {
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    ::pause();
    ::_exit(0);
  }
  ASSERT_OK(pidfd_send_signal(child->pidfd(), SIGTERM));
  const Result<ExitStatus> status = child->wait();
  ASSERT_OK(status);
  EXPECT_TRUE(status->signaled);
  EXPECT_EQ(status->shell_code(), 128 + SIGTERM);
}

TEST(Child, ReleasedOneLivesOn) {
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    ::pause();
    ::_exit(0);
  }
  const pid_t pid = child->pid();
  const Fd pidfd = child->release();
  ASSERT_OK(pidfd_send_signal(pidfd, 0));
  EXPECT_FALSE(waitid(pidfd, WEXITED | WNOHANG)->has_value());
  ASSERT_OK(kill(pid, SIGKILL));
  EXPECT_EQ((*waitid(pidfd))->code, SIGKILL);
  EXPECT_ERRNO(pidfd_send_signal(pidfd, 0), ESRCH);
  EXPECT_ERRNO(waitid(pidfd), ECHILD);
}

TEST(Waitpid, TakesAnyChild) {
  EXPECT_ISOLATED(0, []() -> std::string {
    Result<Child> child = clone3({});
    NEED_OK(child);
    if (child->is_this_process()) ::_exit(3);
    const pid_t pid = child->pid();
    const Fd pidfd = child->release();
    const auto ended = waitpid_any();
    NEED_OK(ended);
    NEED((*ended)->pid == pid && (*ended)->code == 3);
    NEED(waitpid_any().error().number == ECHILD);
    return {};
  });
}

TEST(Pidfd, OfNobodyIsEsrch) { EXPECT_ERRNO(pidfd_open(0x7ffffffe), ESRCH); }

TEST(Pidfd, OfASessionWhoseLeaderIsGoneIsEsrch) {
  Result<Pipe> pipe = pipe2();  // at its end when the leader is gone and the other ends
  ASSERT_OK(pipe);
  Result<Child> leader = clone3({});
  ASSERT_OK(leader);
  if (leader->is_this_process()) {
    ::setsid();
    if (::fork() == 0) ::pause();
    ::_exit(0);
  }
  const pid_t session = leader->pid();
  pipe->write.reset();
  ASSERT_OK(leader->wait());
  EXPECT_ERRNO(pidfd_open(session), ESRCH);
  EXPECT_EQ(::kill(-session, SIGKILL), 0);
  char end = 0;
  EXPECT_EQ(::read(pipe->read.get(), &end, 1), 0);
}

TEST(Pidfd, GivesACopyOfAnotherProcesssDescriptor) {
  Result<Pipe> pipe = pipe2();
  ASSERT_OK(pipe);
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    ::pause();
    ::_exit(0);
  }
  const int number = pipe->read.get();
  pipe->read.reset();
  const Result<Fd> copy = pidfd_getfd(child->pidfd(), number);
  if (!copy && copy.error().number == EPERM) GTEST_SKIP() << copy.error().message();
  ASSERT_OK(copy);
  ASSERT_OK(write_all(pipe->write, "x"));
  EXPECT_TRUE(*wait_readable(*copy, std::chrono::milliseconds(0)));
  EXPECT_ERRNO(pidfd_getfd(child->pidfd(), 99999), EBADF);
}

TEST(Execveat, RunsTheFileADescriptorIs) {
  const Result<Fd> program = open("/bin/true", O_PATH);
  ASSERT_OK(program);
  Result<Child> child = clone3({});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    const std::array<const char *, 2> argv{"true", nullptr};
    const std::array<const char *, 1> envp{nullptr};
    (void)execveat(*program, "", argv.data(), envp.data(), AT_EMPTY_PATH);
    ::_exit(100);
  }
  EXPECT_EQ(child->wait()->code, 0);
}

TEST(Execveat, AFailureNamesTheProgram) {
  const std::array<const char *, 1> none{nullptr};
  const Error error = execveat(cwd, "/no/such/program", none.data(), none.data(), 0);
  EXPECT_EQ(error.number, ENOENT);
  EXPECT_EQ(error.text, "execveat(AT_FDCWD, \"/no/such/program\")");
}

TEST(Signals, AreAtTheirDefaultsAfterAReset) {
  EXPECT_ISOLATED(0, []() -> std::string {
    NEED_OK(ignore_signal(SIGPIPE));
    sigset_t all;
    ::sigfillset(&all);
    NEED_OK(block_signals(all));
    NEED_OK(reset_signals());
    struct sigaction action{};
    NEED(::sigaction(SIGPIPE, nullptr, &action) == 0);
    NEED(action.sa_handler == SIG_DFL);
    sigset_t now;
    NEED(::sigprocmask(SIG_BLOCK, nullptr, &now) == 0);
    for (int signal = 1; signal < 32; ++signal) NEED(::sigismember(&now, signal) == 0);
    return {};
  });
}

TEST(Signals, ArriveThroughADescriptor) {
  EXPECT_ISOLATED(0, []() -> std::string {
    sigset_t usr;
    ::sigemptyset(&usr);
    ::sigaddset(&usr, SIGUSR1);
    NEED_OK(block_signals(usr));
    const Result<Fd> fd = signalfd(usr);
    NEED_OK(fd);
    NEED_OK(kill(getpid(), SIGUSR1));
    NEED(*wait_readable(*fd, forever));
    return {};
  });
}

TEST(Prctl, EachOptionReachesTheKernel) {
  EXPECT_ISOLATED(0, []() -> std::string {
    NEED_OK(set_name("skiff:[1:TEST]"));
    NEED(testing::read_whole("/proc/self/comm") == "skiff:[1:TEST]\n");
    NEED_OK(set_no_new_privs());
    NEED(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    NEED_OK(set_dumpable(false));
    NEED(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    NEED_OK(set_child_subreaper(true));
    NEED_OK(set_keepcaps(true));
    NEED(::prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
    NEED_OK(set_pdeathsig(SIGKILL));
    int signal = 0;
    NEED(::prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) == 0 && signal == SIGKILL);
    NEED(set_pdeathsig(1000).error().text == "prctl(PR_SET_PDEATHSIG, 1000)");
    NEED_OK(personality(0xffffffff));
    NEED_OK(setsid());
    return {};
  });
}

TEST(Scheduling, EachCallReachesTheKernel) {
  EXPECT_ISOLATED(0, []() -> std::string {
    NEED_OK(sched_setattr(0, {.policy = SCHED_BATCH, .nice = 5}));
    NEED(::sched_getscheduler(0) == SCHED_BATCH);
    NEED(::getpriority(PRIO_PROCESS, 0) == 5);
    cpu_set_t allowed;
    NEED(::sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    unsigned first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    const std::array<unsigned, 1> one{first};
    NEED_OK(sched_setaffinity(0, one));
    NEED(::sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) == 1);
    NEED_OK(ioprio_set(0, 2, 7));
    NEED(ioprio_set(0, 9, 0).error().number == EINVAL);
    NEED_OK(setrlimit(0, RLIMIT_CORE, 0, 0));
    NEED(getrlimit(0, RLIMIT_CORE)->rlim_max == 0);
    return {};
  });
}

TEST(Scheduling, AProcessorThatCannotExistIsNamed) {
  const std::array<unsigned, 2> far{1, 4'000'000'000U};
  const Status set = sched_setaffinity(0, far);
  EXPECT_ERRNO(set, EINVAL);
  EXPECT_EQ(set.error().text, "sched_setaffinity(0, \"1,4000000000\")");
}

TEST(Scheduling, MemoryNodesAreSetAndTakenBack) {
  EXPECT_ISOLATED(0, []() -> std::string {
    const std::array<unsigned, 1> zero{0};
    const Status bound = set_mempolicy(2, zero);  // MPOL_BIND
    if (!bound && (bound.error().number == ENOSYS || bound.error().number == EPERM)) {
      return "skip: this kernel has no memory policies";
    }
    NEED_OK(bound);
    NEED_OK(set_mempolicy(0, {}));  // MPOL_DEFAULT
    return {};
  });
}

// user_namespaces(7): without CAP_SETGID in the parent, setgroups is denied before gid_map is written.
TEST(Credentials, SetgroupsIsDeniedWhereTheNamespaceSaysSo) {
  EXPECT_ISOLATED(CLONE_NEWUSER, []() -> std::string {
    NEED(setgroups({}).error().number == EPERM);
    NEED_OK(getgroups());
    NEED_OK(setresgid(0));
    NEED_OK(setresuid(0));
    NEED(setresuid(12345).error().number == EINVAL);
    NEED(setresuid(12345).error().text == "setresuid(12345)");
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
