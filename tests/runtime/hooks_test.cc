#include "runtime/hooks.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "runtime/kernel/process.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

// As the program does at its start: a hook that does not read its state closes the pipe.
class Hooks : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(kernel::ignore_signal(SIGPIPE)); }
};

spec::Hook shell(const std::string &script) {
  spec::Hook hook;
  hook.path = "/bin/sh";
  hook.args = {"sh", "-c", script};
  return hook;
}

std::string read(const std::string &path) {
  const Result<kernel::Fd> file = kernel::open(path, O_RDONLY);
  return file ? kernel::read_all(*file, 1 << 20).value_or("") : "";
}

// config.md, "POSIX-platform Hooks": the state is passed over stdin.
TEST_F(Hooks, GetTheStateOnStdin) {
  const TemporaryDirectory directory;
  const Status done =
      run_hooks(RunHooks::Kind::create_runtime, {shell("cat > " + directory.path() + "/state")}, "{\"id\":\"x\"}");
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(read(directory.path() + "/state"), "{\"id\":\"x\"}");
}

TEST_F(Hooks, NeedNotReadTheirState) {
  EXPECT_TRUE(run_hooks(RunHooks::Kind::prestart, {shell("exec 0<&-; exit 0")}, std::string(1 << 20, 'x')));
}

TEST_F(Hooks, HaveTheEnvironmentOfTheirConfigurationAndNoOther) {
  const TemporaryDirectory directory;
  spec::Hook hook = shell("env > " + directory.path() + "/env");
  hook.env = {"ONE=1", "PATH=/usr/bin:/bin"};
  ASSERT_TRUE(run_hooks(RunHooks::Kind::poststart, {hook}, "{}"));
  const std::string env = read(directory.path() + "/env");
  EXPECT_NE(env.find("ONE=1\n"), std::string::npos);
  EXPECT_EQ(env.find("HOME="), std::string::npos);
}

TEST_F(Hooks, ThatFailAreNamedWithTheirLastWords) {
  const Status done =
      run_hooks(RunHooks::Kind::create_runtime, {shell("exit 0"), shell("echo out; echo broken >&2; exit 3")}, "{}");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(),
            "hooks.createRuntime[1] (/bin/sh): error running createRuntime hook #1: exit status 3: out\nbroken");
}

TEST_F(Hooks, AfterOneThatFailsDoNotRun) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(run_hooks(RunHooks::Kind::create_runtime,
                         {shell("exit 1"), shell("touch " + directory.path() + "/second")}, "{}"));
  EXPECT_FALSE(kernel::faccessat(kernel::cwd, directory.path() + "/second", 0));
}

// runtime.md, "Lifecycle", step 13: poststop hooks that fail do not keep the others from running.
TEST_F(Hooks, OfTheKindThatOnlyWarnsAllRun) {
  const TemporaryDirectory directory;
  const std::vector<Error> errors =
      run_all_hooks(RunHooks::Kind::poststop, {shell("exit 1"), shell("touch " + directory.path() + "/second")}, "{}");
  EXPECT_EQ(errors.size(), 1U);
  EXPECT_TRUE(kernel::faccessat(kernel::cwd, directory.path() + "/second", 0));
}

TEST_F(Hooks, ThatOutliveTheirTimeoutAreKilled) {
  spec::Hook hook = shell("echo waiting; exec tail -f /dev/null");
  hook.timeout = 1;
  const Status done = run_hooks(RunHooks::Kind::create_runtime, {hook}, "{}");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text,
            "hooks.createRuntime[0] (/bin/sh): error running createRuntime hook #0: killed after its timeout of 1 s: "
            "waiting");
}

TEST_F(Hooks, ThatCannotBeRunSayWhy) {
  spec::Hook hook;
  hook.path = "/nonexistent/hook";
  const Status done = run_hooks(RunHooks::Kind::prestart, {hook}, "{}");
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message().find("no such file or directory"), std::string::npos) << done.error().message();
}

TEST_F(Hooks, ThatLeaveADaemonBehindAreNotWaitedFor) {
  const TemporaryDirectory directory;
  const Status done =
      run_hooks(RunHooks::Kind::create_runtime,
                {shell("(exec tail -f /dev/null) & echo $! > " + directory.path() + "/pid; exit 0")}, "{}");
  EXPECT_TRUE(done) << done.error().message();
  const int daemon = std::stoi(read(directory.path() + "/pid"));
  EXPECT_TRUE(kernel::kill(daemon, SIGKILL));
}

}  // namespace
}  // namespace skiff
