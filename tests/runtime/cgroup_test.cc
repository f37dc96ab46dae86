// Needs root and cgroups; every cgroup made here is called skiff-test-PID-NAME and goes with its test.
#include "runtime/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "runtime/cgroup_stats.h"
#include "runtime/cgroup_tree.h"
#include "runtime/host_probe.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/process.h"
#include "runtime/oom_watch.h"

namespace skiff {
namespace {

using std::chrono::seconds;

std::string read_file(const std::string &path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  std::string text = out.str();
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

bool write_file(const std::string &path, std::string_view value) {
  const auto fd = kernel::open(path, O_WRONLY);
  return fd && kernel::write_some(*fd, value);
}

bool exists(const std::string &path) { return kernel::faccessat(kernel::cwd, path, F_OK).has_value(); }

// The cgroup `path` below this one, made as a container would make it.
Result<Cgroup> make_below(const Cgroup &cgroup, const std::string &path) {
  for (const std::string &top : cgroup.paths()) {
    kernel::Fd here = TRY(kernel::open(top, O_RDONLY | O_DIRECTORY));
    std::istringstream names(path);
    for (std::string name; std::getline(names, name, '/');) {
      here = std::move(TRY(make_cgroup_directory(here, name, exists(top + "/cpuset.cpus"))).fd);
    }
  }
  return cgroup.below(path);
}

// A child process that answers one question at a time: the byte it is sent goes to `answer`, whose result it sends
// back. It is killed and reaped with this value.
class Worker {
 public:
  explicit Worker(char (*answer)(char) = [](char question) { return question; }) {
    auto ask = kernel::pipe2();
    auto reply = kernel::pipe2();
    EXPECT_TRUE(ask && reply);
    pid_ = ::fork();
    if (pid_ == 0) serve(ask->read.get(), reply->write.get(), answer);
    ask_ = std::move(ask->write);
    reply_ = std::move(reply->read);
  }
  Worker(const Worker &) = delete;
  Worker &operator=(const Worker &) = delete;
  ~Worker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send(char question = '?') { EXPECT_TRUE(kernel::write_some(ask_, {&question, 1})); }
  char ask(char question = '?') {
    send(question);
    char answer = 0;
    EXPECT_TRUE(kernel::wait_readable(reply_, seconds(10)).value_or(false)) << "no answer";
    EXPECT_EQ(kernel::read_some(reply_, {&answer, 1}).value_or(0), 1U);
    return answer;
  }
  bool ended() {
    const auto pidfd = kernel::pidfd_open(pid_);
    return !pidfd || kernel::wait_readable(*pidfd, std::chrono::milliseconds(0)).value_or(false);
  }

 private:
  [[noreturn]] static void serve(int ask, int reply, char (*answer)(char)) {
    char byte = 0;
    while (::read(ask, &byte, 1) == 1) {
      byte = answer(byte);
      if (::write(reply, &byte, 1) != 1) break;
    }
    ::_exit(0);
  }
  pid_t pid_ = -1;
  kernel::Fd ask_;
  kernel::Fd reply_;
};

char open_device(char which) {
  const int fd = ::open(which == 'z' ? "/dev/zero" : "/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return fd >= 0 ? 'y' : 'n';
}

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto host = read_host();
    ASSERT_TRUE(host) << host.error().message();
    host_ = *host;
    if (!host_.privileged) GTEST_SKIP() << "needs the first user namespace";
    if (host_.cgroups == Host::Cgroups::none) GTEST_SKIP() << "no cgroups are mounted here";
    name_ = fmt::format("/skiff-test-{}-{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
  }

  // The host with those hierarchies only that the test is about.
  void only_v1() {
    std::erase_if(host_.hierarchies, &CgroupHierarchy::unified);
    host_.cgroups = Host::Cgroups::v1;
    if (host_.hierarchies.empty()) GTEST_SKIP() << "no cgroup v1 here";
  }
  void only_v2() {
    std::erase_if(host_.hierarchies, [](const CgroupHierarchy &it) { return !it.unified; });
    host_.cgroups = Host::Cgroups::unified;
    if (host_.hierarchies.empty()) GTEST_SKIP() << "no cgroup v2 here";
  }
  [[nodiscard]] bool has_controller(std::string_view name) const {
    return std::ranges::any_of(host_.hierarchies, [&](const CgroupHierarchy &it) {
      if (!it.unified) return std::ranges::find(it.controllers, name) != it.controllers.end();
      return read_file(it.mount + "/cgroup.controllers").contains(name);
    });
  }

  CgroupPlan plan(const spec::Resources &resources = {}) {
    spec::Config config;
    config.linux_.cgroups_path = name_;
    config.linux_.resources = resources;
    auto made = make_cgroup_plan(config, host_, "test", CgroupPlan::Driver::cgroupfs);
    EXPECT_TRUE(made) << made.error().message();
    return made.value_or(CgroupPlan{});
  }

  Host host_;
  std::string name_;
};

// A cgroup that goes with the test, with everything in it.
class Owned {
 public:
  explicit Owned(const CgroupPlan &plan) {
    auto made = Cgroup::create(plan);
    EXPECT_TRUE(made) << made.error().message();
    if (made) cgroup_ = std::move(*made);
  }
  Owned(const Owned &) = delete;
  Owned &operator=(const Owned &) = delete;
  ~Owned() {
    EXPECT_TRUE(cgroup_.kill_all(SIGKILL));
    const Status removed = cgroup_.remove();
    EXPECT_TRUE(removed) << removed.error().message();
    for (const std::string &path : cgroup_.paths()) EXPECT_FALSE(exists(path)) << path;
  }
  Cgroup *operator->() { return &cgroup_; }
  Cgroup &operator*() { return cgroup_; }
  // The path of the directory that has this file.
  [[nodiscard]] std::string path_of(std::string_view file, bool unified) const {
    const auto *level = cgroup_.find_file(file, unified);
    return level == nullptr ? std::string() : level->path;
  }

 private:
  Cgroup cgroup_;
};

#define ASSERT_OK(expression)                        \
  do {                                               \
    const auto &result = (expression);               \
    ASSERT_TRUE(result) << result.error().message(); \
  } while (false)

TEST_F(CgroupTest, MakesADirectoryInEveryHierarchyAndRemovesThemAll) {
  const CgroupPlan wanted = plan();
  Owned cgroup(wanted);
  for (const CgroupDirectory &directory : wanted.directories) EXPECT_TRUE(exists(directory.path)) << directory.path;
}

TEST_F(CgroupTest, TheParentsThatCreateMadeGoWithIt) {
  name_ += "/in/two";
  const CgroupPlan wanted = plan();
  {
    Owned cgroup(wanted);
  }
  for (const CgroupDirectory &directory : wanted.directories) {
    EXPECT_FALSE(exists(directory.path.substr(0, directory.path.size() - 7))) << directory.path;
  }
}

TEST_F(CgroupTest, ADirectoryWithProcessesBelongsToSomebodyElse) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  const auto second = Cgroup::create(plan());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().number, EEXIST);
  EXPECT_NE(second.error().text.find(fmt::format("has processes in it: {}", worker.pid())), std::string::npos)
      << second.error().message();
  EXPECT_TRUE(exists(cgroup->paths().front())) << "the refused create removed it";
}

TEST_F(CgroupTest, WhatAKilledRuntimeLeftBehindIsTakenOverUnlessItIsFrozen) {
  only_v1();
  Owned first(plan());
  ASSERT_OK(Cgroup::create(plan()));
  const auto file = first.path_of("freezer.state", false) + "/freezer.state";
  ASSERT_TRUE(write_file(file, "FROZEN"));
  const auto second = Cgroup::create(plan());
  EXPECT_TRUE(!second && second.error().text.find("container's cgroup unexpectedly frozen") != std::string::npos);
  ASSERT_TRUE(write_file(file, "THAWED"));
}

TEST_F(CgroupTest, AFailedCreateLeavesNothing) {
  CgroupPlan wanted = plan();
  const std::string first = wanted.directories.front().path;
  wanted.directories.push_back(wanted.directories.front());
  wanted.directories.back().mount = "/nonexistent";
  wanted.directories.back().path = "/nonexistent" + name_;
  const auto made = Cgroup::create(wanted);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().number, ENOENT);
  EXPECT_FALSE(exists(first));
}

TEST_F(CgroupTest, ListsTheProcessesOfNestedCgroupsToo) {
  Owned cgroup(plan());
  Worker outer;
  Worker inner;
  ASSERT_OK(cgroup->place(outer.pid()));
  auto nested = make_below(*cgroup, "a/b");
  ASSERT_OK(nested);
  ASSERT_OK(nested->place(inner.pid()));
  const auto found = cgroup->processes();
  ASSERT_OK(found);
  std::vector<pid_t> expected = {outer.pid(), inner.pid()};
  std::ranges::sort(expected);
  EXPECT_EQ(*found, expected);
}

TEST_F(CgroupTest, APlaceBesideAProcessIsWhereThatProcessIs) {
  Owned cgroup(plan());
  Worker init;
  Worker second;
  auto nested = make_below(*cgroup, "init");
  ASSERT_OK(nested);
  ASSERT_OK(nested->place(init.pid()));
  auto beside = cgroup->beside(init.pid());
  ASSERT_OK(beside);
  ASSERT_OK(beside->place(second.pid()));
  for (const std::string &path : cgroup->paths()) {
    EXPECT_NE(read_file(path + "/init/cgroup.procs").find(std::to_string(second.pid())), std::string::npos) << path;
  }
}

TEST_F(CgroupTest, APathBelowMustBeThereAndCannotLeadOut) {
  Owned cgroup(plan());
  EXPECT_FALSE(cgroup->below("../other"));
  EXPECT_FALSE(cgroup->below("absent"));
  EXPECT_FALSE(cgroup->below("/", "nosuchcontroller"));
  EXPECT_TRUE(cgroup->below("/"));
}

TEST_F(CgroupTest, AnOpenedCgroupIsTheOneThatWasMade) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  auto opened = Cgroup::open(cgroup->paths());
  ASSERT_OK(opened);
  EXPECT_EQ(opened->processes().value_or(std::vector<pid_t>{}), std::vector<pid_t>{worker.pid()});
  const auto gone = Cgroup::open({"/sys/fs/cgroup/skiff-test-never-made"});
  ASSERT_OK(gone);
  EXPECT_TRUE(gone->paths().empty());
}

TEST_F(CgroupTest, AProcessCanBeClonedIntoItOnV2) {
  only_v2();
  Owned cgroup(plan());
  ASSERT_NE(cgroup->clone_into(), nullptr);
  auto child = kernel::clone3({.flags = 0, .cgroup = *cgroup->clone_into()});
  ASSERT_OK(child);
  if (child->is_this_process()) {
    ::pause();
    ::_exit(0);
  }
  EXPECT_EQ(cgroup->processes().value_or(std::vector<pid_t>{}), std::vector<pid_t>{child->pid()});
}

TEST_F(CgroupTest, LimitsArriveInTheirFiles) {
  only_v1();
  for (const char *name : {"memory", "cpu", "pids", "cpuset"}) {
    if (!has_controller(name)) GTEST_SKIP() << "no controller " << name;
  }
  spec::Resources resources;
  resources.memory.emplace().limit = 32 << 20;
  resources.memory->reservation = 16 << 20;
  resources.cpu.emplace().shares = 512;
  resources.cpu->quota = 20000;
  resources.cpu->period = 50000;
  resources.cpu->cpus = "0";
  resources.pids.emplace().limit = 7;
  const CgroupPlan wanted = plan(resources);
  Owned cgroup(wanted);
  ASSERT_OK(cgroup->apply_limits(wanted));
  const std::string cpu = cgroup.path_of("cpu.shares", false);
  EXPECT_EQ(read_file(cgroup.path_of("memory.limit_in_bytes", false) + "/memory.limit_in_bytes"), "33554432");
  EXPECT_EQ(read_file(cgroup.path_of("memory.oom_control", false) + "/memory.soft_limit_in_bytes"), "16777216");
  EXPECT_EQ(read_file(cpu + "/cpu.shares"), "512");
  EXPECT_EQ(read_file(cpu + "/cpu.cfs_quota_us"), "20000");
  EXPECT_EQ(read_file(cpu + "/cpu.cfs_period_us"), "50000");
  EXPECT_EQ(read_file(cgroup.path_of("cpuset.cpus", false) + "/cpuset.cpus"), "0");
  EXPECT_EQ(read_file(cgroup.path_of("pids.max", false) + "/pids.max"), "7");
}

TEST_F(CgroupTest, AnUpdateMovesMemoryAndSwapUpAndDownInTheOrderTheKernelTakes) {
  only_v1();
  if (!has_controller("memory")) GTEST_SKIP() << "no memory controller on v1";
  Owned cgroup(plan());
  const std::string path = cgroup.path_of("memory.memsw.limit_in_bytes", false);
  if (path.empty()) GTEST_SKIP() << "this kernel does not count swap";
  for (const std::int64_t megabytes : {32, 512, 64, 16, 256}) {
    spec::Resources resources;
    resources.memory.emplace().limit = megabytes << 20;
    resources.memory->swap = megabytes << 20;
    ASSERT_OK(cgroup->apply_limits(plan(resources)));
    EXPECT_EQ(read_file(path + "/memory.limit_in_bytes"), std::to_string(megabytes << 20));
    EXPECT_EQ(read_file(path + "/memory.memsw.limit_in_bytes"), std::to_string(megabytes << 20));
  }
}

TEST_F(CgroupTest, ARefusedLimitNamesFieldFileAndValue) {
  only_v1();
  if (!has_controller("cpuset")) GTEST_SKIP() << "no cpuset controller on v1";
  spec::Resources resources;
  resources.cpu.emplace().cpus = "1023";
  const CgroupPlan wanted = plan(resources);
  Owned cgroup(wanted);
  const Status status = cgroup->apply_limits(wanted);
  ASSERT_FALSE(status);
  const std::string message = status.error().message();
  EXPECT_TRUE(message.starts_with("linux.resources.cpu.cpus: write(")) << message;
  EXPECT_NE(message.find(name_ + "/cpuset.cpus"), std::string::npos) << message;
  EXPECT_NE(message.find("\"1023\""), std::string::npos) << message;
  EXPECT_NE(message.find("use CPUs and memory nodes that this host"), std::string::npos) << message;
}

// config-linux.md, "Unified": "The runtime MUST generate an error when the configuration refers to a cgroup controller
// that is not present or that cannot be enabled."
TEST_F(CgroupTest, AControllerThatV2DoesNotHaveIsAnErrorThatNamesTheField) {
  only_v2();
  if (has_controller("memory")) GTEST_SKIP() << "this host has memory on v2";
  spec::Resources resources;
  resources.memory.emplace().limit = 32 << 20;
  const CgroupPlan wanted = plan(resources);
  const auto made = Cgroup::create(wanted);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text.find("linux.resources.memory.limit: the controller \"memory\" is not available"),
            std::string::npos)
      << made.error().message();
  EXPECT_FALSE(exists(wanted.directories.front().path));
}

void check_devices(Owned &cgroup, CgroupPlan wanted) {
  Worker worker(open_device);
  wanted.has_device_rules = true;
  ASSERT_OK(cgroup->apply_devices(wanted));
  ASSERT_OK(cgroup->place(worker.pid()));
  EXPECT_EQ(worker.ask('n'), 'y');
  EXPECT_EQ(worker.ask('z'), 'y');
  wanted.device_rules = {{.allow = true, .type = 'c', .major = 1, .minor = 3, .read = true, .write = true}};
  ASSERT_OK(cgroup->apply_devices(wanted));
  EXPECT_EQ(worker.ask('n'), 'y');
  EXPECT_EQ(worker.ask('z'), 'n');
  // The rules of before are gone, not added to.
  wanted.device_rules = {{.allow = true, .type = 'c', .major = 1, .minor = 5, .read = true, .write = true}};
  ASSERT_OK(cgroup->apply_devices(wanted));
  EXPECT_EQ(worker.ask('n'), 'n');
  EXPECT_EQ(worker.ask('z'), 'y');
  wanted.device_rules = {{.allow = true, .type = 'a', .read = true, .write = true, .mknod = true}};
  ASSERT_OK(cgroup->apply_devices(wanted));
  EXPECT_EQ(worker.ask('n'), 'y');
}

TEST_F(CgroupTest, DeviceRulesHoldOnV1) {
  only_v1();
  if (!has_controller("devices")) GTEST_SKIP() << "no devices controller on v1";
  Owned cgroup(plan());
  check_devices(cgroup, plan());
}

TEST_F(CgroupTest, DeviceRulesHoldOnV2) {
  only_v2();
  Owned cgroup(plan());
  const Status probe = cgroup->apply_devices(plan());
  if (!probe && (probe.error().number == EPERM || probe.error().number == ENOSYS)) {
    GTEST_SKIP() << probe.error().message();
  }
  check_devices(cgroup, plan());
}

void check_freezing(Owned &cgroup) {
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  EXPECT_FALSE(cgroup->frozen().value_or(true));
  ASSERT_OK(cgroup->freeze());
  EXPECT_TRUE(cgroup->frozen().value_or(false));
  EXPECT_TRUE(is_cgroup_frozen(cgroup->paths()).value_or(false));
  ASSERT_OK(cgroup->thaw());
  EXPECT_FALSE(cgroup->frozen().value_or(true));
  EXPECT_FALSE(is_cgroup_frozen(cgroup->paths()).value_or(true));
  EXPECT_EQ(worker.ask('x'), 'x');
}

TEST_F(CgroupTest, FreezesAndThaws) {
  Owned cgroup(plan());
  check_freezing(cgroup);
}

TEST_F(CgroupTest, FreezesAndThawsOnV1) {
  only_v1();
  if (!has_controller("freezer")) GTEST_SKIP() << "no freezer on v1";
  Owned cgroup(plan());
  check_freezing(cgroup);
}

TEST_F(CgroupTest, FreezesAndThawsOnV2) {
  only_v2();
  Owned cgroup(plan());
  if (cgroup.path_of("cgroup.freeze", true).empty()) GTEST_SKIP() << "needs Linux 5.2";
  check_freezing(cgroup);
}

TEST_F(CgroupTest, KillsWhatIsFrozenInANestedCgroup) {
  only_v1();
  if (!has_controller("freezer")) GTEST_SKIP() << "no freezer on v1";
  Owned cgroup(plan());
  Worker worker;
  auto nested = make_below(*cgroup, "deep/down");
  ASSERT_OK(nested);
  ASSERT_OK(nested->place(worker.pid()));
  ASSERT_OK(nested->freeze());
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  EXPECT_TRUE(worker.ended());
}

TEST_F(CgroupTest, KillsAPausedContainer) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  ASSERT_OK(cgroup->freeze());
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  EXPECT_TRUE(worker.ended());
}

// Forks without end; each generation ends when the next is there.
[[noreturn]] void keep_forking() {
  for (;;) {
    if (::fork() > 0) ::_exit(0);
  }
}

void check_killing_a_fork_chain(Owned &cgroup, const CgroupPlan &wanted) {
  ASSERT_OK(cgroup->apply_limits(wanted));
  Worker starter([](char) {
    ::signal(SIGCHLD, SIG_IGN);
    if (::fork() == 0) keep_forking();
    return 'f';
  });
  ASSERT_OK(cgroup->place(starter.pid()));
  starter.ask();
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  EXPECT_TRUE(cgroup->processes().value_or(std::vector<pid_t>{1}).empty());
}

TEST_F(CgroupTest, KillsProcessesThatForkAway) {
  Owned cgroup(plan());
  check_killing_a_fork_chain(cgroup, plan());
}

TEST_F(CgroupTest, KillsProcessesThatForkAwayOnV1) {
  only_v1();
  Owned cgroup(plan());
  check_killing_a_fork_chain(cgroup, plan());
}

TEST_F(CgroupTest, ASignalReachesEveryProcessAndNoOtherState) {
  Owned cgroup(plan());
  Worker first([](char) { return 'a'; });
  Worker second([](char) { return 'b'; });
  ASSERT_OK(cgroup->place(first.pid()));
  ASSERT_OK(cgroup->place(second.pid()));
  ASSERT_OK(cgroup->kill_all(SIGCONT));
  EXPECT_EQ(first.ask(), 'a');
  EXPECT_EQ(second.ask(), 'b');
  ASSERT_OK(cgroup->kill_all(SIGTERM));
  for (const pid_t pid : {first.pid(), second.pid()}) {
    const auto pidfd = kernel::pidfd_open(pid);
    ASSERT_OK(pidfd);
    EXPECT_TRUE(kernel::wait_readable(*pidfd, seconds(10)).value_or(false));
  }
}

TEST_F(CgroupTest, RemovesWhatTheContainerNested) {
  Owned cgroup(plan());
  auto nested = make_below(*cgroup, "a/b/c/d");
  ASSERT_OK(nested);
  ASSERT_OK(make_below(*cgroup, "a/e"));
  ASSERT_OK(cgroup->remove());
  for (const std::string &path : cgroup->paths()) EXPECT_FALSE(exists(path)) << path;
  ASSERT_OK(cgroup->remove());
}

TEST_F(CgroupTest, RemoveWaitsForProcessesThatAreDying) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  ASSERT_EQ(::kill(worker.pid(), SIGKILL), 0);
  ASSERT_OK(cgroup->remove());
}

TEST_F(CgroupTest, RemoveNamesTheProcessesThatStay) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  const Status status = cgroup->remove(std::chrono::milliseconds(0));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().number, EBUSY);
  EXPECT_NE(status.error().text.find(std::to_string(worker.pid())), std::string::npos) << status.error().message();
}

TEST_F(CgroupTest, StatisticsCountWhatIsThere) {
  Owned cgroup(plan());
  Worker worker;
  ASSERT_OK(cgroup->place(worker.pid()));
  worker.ask();
  const auto stats = read_stats(*cgroup);
  ASSERT_OK(stats);
  if (has_controller("pids")) {
    EXPECT_EQ(stats->pids_current, 1U);
  }
  if (has_controller("cpuacct")) {
    EXPECT_GT(stats->cpu.total, 0U);
  }
  if (has_controller("memory")) {
    EXPECT_FALSE(stats->memory.raw.empty());
  }
}

char use_memory(char) {
  constexpr std::size_t bytes = std::size_t{64} << 20;
  auto *at = static_cast<char *>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  for (std::size_t i = 0; i < bytes; i += 4096) at[i] = 1;
  return 'd';
}

TEST_F(CgroupTest, TellsWhenTheOomKillerStruck) {
  if (!has_controller("memory")) GTEST_SKIP() << "no memory controller";
  spec::Resources resources;
  resources.memory.emplace().limit = 16 << 20;
  resources.memory->swap = 16 << 20;
  const CgroupPlan wanted = plan(resources);
  Owned cgroup(wanted);
  ASSERT_OK(cgroup->apply_limits(wanted));
  auto watch = OomWatch::start(*cgroup);
  ASSERT_OK(watch);
  EXPECT_EQ(watch->next().value_or(OomWatch::Event::gone), OomWatch::Event::none);
  Worker worker(use_memory);
  ASSERT_OK(cgroup->place(worker.pid()));
  worker.send();
  ASSERT_TRUE(kernel::wait_readable(watch->fd(), seconds(10)).value_or(false)) << "no event";
  EXPECT_EQ(watch->next().value_or(OomWatch::Event::none), OomWatch::Event::oom);
}

TEST_F(CgroupTest, TheOomWatchEndsWithTheCgroup) {
  if (!has_controller("memory")) GTEST_SKIP() << "no memory controller";
  auto cgroup = std::make_optional<Owned>(plan());
  auto watch = OomWatch::start(**cgroup);
  ASSERT_OK(watch);
  cgroup.reset();
  ASSERT_TRUE(kernel::wait_readable(watch->fd(), seconds(10)).value_or(false)) << "no event";
  EXPECT_EQ(watch->next().value_or(OomWatch::Event::none), OomWatch::Event::gone);
}

}  // namespace
}  // namespace skiff
