// The systemd driver, where systemd is the first process: a transient scope around the container.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// Needs root, as the user's systemd is not there for every test runner: conformance/clients runs it with Podman.
class SystemdDriver : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (!fs::is_directory("/run/systemd/system")) GTEST_SKIP() << "needs systemd as the first process";
    unified_ = fs::exists("/sys/fs/cgroup/cgroup.controllers");
    rig.config["linux"]["cgroupsPath"] = slice() + ":t:" + name();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_CLEAN(rig);
    EXPECT_NE(show("LoadState"), "loaded") << "the unit is left behind";
    (void)run_program({"/usr/bin/env", "systemctl", "stop", slice()});
  }

  [[nodiscard]] std::string name() const { return rig.cgroup().substr(1); }
  // One of this process: what is stopped at the end holds no container of a test beside it.
  [[nodiscard]] static std::string slice() { return "skifftest" + std::to_string(getpid()) + ".slice"; }
  [[nodiscard]] std::string unit() const { return "t-" + name() + ".scope"; }
  [[nodiscard]] std::string show(const std::string &property) const {
    const Outcome shown = run_program({"/usr/bin/env", "systemctl", "show", "--value", "--property", property, unit()});
    return shown.out.substr(0, shown.out.find('\n'));
  }
  // The driver is asked for at create alone.
  Outcome create() { return rig.skiff({"--systemd-cgroup", "create", "--pid-file", rig.path("pid"), rig.id()}); }
  void start_waiting() {
    rig.script("trap 'exit 0' TERM; touch /tmp/waiting; while true; do sleep 1000 & wait $!; done");
    const Outcome created = create();
    ASSERT_EQ(created.code, 0) << created.err;
    const Outcome started = rig.skiff({"start", rig.id()});
    ASSERT_EQ(started.code, 0) << started.err;
    ASSERT_TRUE(wait_for_file(rig.rootfs() + "/tmp/waiting"));
  }
  void remove() {
    const Outcome deleted = rig.skiff({"delete", "--force", rig.id()});
    EXPECT_EQ(deleted.code, 0) << deleted.err;
    EXPECT_EQ(deleted.err, "");
  }
  // Of the scope's directory; the name of the v2 file.
  [[nodiscard]] std::string file(const std::string &v2) const {
    return read_file("/sys/fs/cgroup" + show("ControlGroup") + "/" + v2);
  }

  Rig rig;
  bool unified_ = false;
};

// The clause is the callers': runc's docs/systemd.md, "systemd unit name and placement".
TEST_F(SystemdDriver, AScopeHoldsTheContainerInTheSliceOfCgroupsPath) {
  start_waiting();
  EXPECT_EQ(show("ActiveState"), "active");
  EXPECT_EQ(show("Slice"), slice());
  EXPECT_EQ(show("Delegate"), "yes");
  EXPECT_EQ(show("ControlGroup"), "/" + slice() + "/" + unit());
  const std::string pid = read_file(rig.path("pid"));
  EXPECT_NE(read_file("/proc/" + pid + "/cgroup").find("/" + slice() + "/" + unit() + "\n"), std::string::npos);
  remove();
}

TEST_F(SystemdDriver, TheCgroupNamespaceStartsAtTheScope) {  // config-linux.md, "Namespaces"
  rig.script("cat /proc/self/cgroup");
  const Outcome outcome = rig.skiff({"--systemd-cgroup", "run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find("skifftest"), std::string::npos) << outcome.out;
}

TEST_F(SystemdDriver, LimitsArePropertiesAndInTheFiles) {
  if (!unified_) GTEST_SKIP() << "needs cgroup v2";
  rig.config["linux"]["resources"].update(Json::parse(R"({
    "memory": {"limit": 67108864, "reservation": 33554432, "swap": 100663296},
    "cpu": {"shares": 512, "quota": 60000, "period": 90000, "cpus": "0"},
    "pids": {"limit": 20},
    "unified": {"memory.high": "50331648"}
  })"));
  start_waiting();
  EXPECT_EQ(show("MemoryMax"), "67108864");
  EXPECT_EQ(show("MemoryLow"), "33554432");
  EXPECT_EQ(show("MemoryHigh"), "50331648");
  EXPECT_EQ(show("MemorySwapMax"), "33554432");
  EXPECT_EQ(show("CPUWeight"), "59");
  EXPECT_EQ(show("AllowedCPUs"), "0");
  EXPECT_EQ(show("TasksMax"), "20");
  EXPECT_EQ(show("CPUQuotaPerSecUSec"), "670ms");
  EXPECT_EQ(file("memory.max"), "67108864\n");
  EXPECT_EQ(file("memory.high"), "50331648\n");
  EXPECT_EQ(file("cpu.max"), "60300 90000\n");
  EXPECT_EQ(file("cpuset.cpus"), "0\n");
  EXPECT_EQ(file("pids.max"), "20\n");
  // What systemd does not know is there after it has written everything again.
  ASSERT_EQ(run_program({"/usr/bin/env", "systemctl", "daemon-reload"}).code, 0);
  EXPECT_EQ(file("memory.max"), "67108864\n");
  EXPECT_EQ(file("cpu.max"), "60300 90000\n");
  remove();
}

TEST_F(SystemdDriver, EveryLaterCommandKnowsTheUnit) {
  if (!unified_) GTEST_SKIP() << "needs cgroup v2";
  start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "grep", "^0:", "/proc/self/cgroup"}).out, "0::/\n");
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  EXPECT_EQ(rig.state()["status"], "paused");
  ASSERT_EQ(rig.skiff({"resume", rig.id()}).code, 0);
  const Outcome updated =
      rig.skiff({"update", "--memory", "50M", "--pids-limit", "30", "--cpu-quota", "30000", rig.id()});
  EXPECT_EQ(updated.code, 0) << updated.err;
  EXPECT_EQ(show("MemoryMax"), "52428800");
  EXPECT_EQ(show("TasksMax"), "30");
  EXPECT_EQ(show("CPUQuotaPerSecUSec"), "300ms");
  EXPECT_EQ(file("pids.max"), "30\n");
  // Half of the bandwidth: the other half is what it was.
  EXPECT_EQ(rig.skiff({"update", "--cpu-period", "60000", rig.id()}).code, 0);
  EXPECT_EQ(file("cpu.max"), "30000 60000\n");
  EXPECT_EQ(show("CPUQuotaPerSecUSec"), "500ms");
  EXPECT_EQ(rig.skiff({"kill", rig.id(), "TERM"}).code, 0);
  ASSERT_TRUE(wait_for_end(std::stoi(read_file(rig.path("pid")))));
  EXPECT_EQ(rig.skiff({"delete", rig.id()}).code, 0);
}

// The words are those that runc's callers know; an idle group takes no weight (cgroup-v2.rst, cpu.idle).
TEST_F(SystemdDriver, SharesBesideIdleAreLeftOutAndSharesAloneEndIt) {
  if (!unified_) GTEST_SKIP() << "needs cgroup v2";
  start_waiting();
  const Outcome both = rig.skiff({"update", "--cpu-share", "200", "--cpu-idle", "1", rig.id()});
  EXPECT_EQ(both.code, 0);
  EXPECT_NE(both.err.find("unable to apply both"), std::string::npos) << both.err;
  EXPECT_EQ(file("cpu.idle"), "1\n");
  EXPECT_EQ(rig.skiff({"update", "--cpu-share", "512", rig.id()}).code, 0);
  EXPECT_EQ(file("cpu.idle"), "0\n");
  EXPECT_EQ(file("cpu.weight"), "59\n");
  remove();
}

TEST_F(SystemdDriver, TheDeviceListOutlivesAReloadOfSystemd) {
  rig.config["linux"]["resources"]["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rw"}});
  start_waiting();
  EXPECT_EQ(show("DevicePolicy"), "strict");
  EXPECT_EQ(show("NeedDaemonReload"), "no");
  ASSERT_EQ(run_program({"/usr/bin/env", "systemctl", "daemon-reload"}).code, 0);
  const Outcome allowed = rig.skiff({"exec", rig.id(), "sh", "-c", "echo > /dev/null && head -c 1 /dev/zero | wc -c"});
  EXPECT_EQ(allowed.out, "1\n") << allowed.err;
  remove();
}

TEST_F(SystemdDriver, AnAnnotationSetsAProperty) {
  rig.config["annotations"] = {{"org.systemd.property.TimeoutStopSec", "uint64 7"},
                               {"org.systemd.property.CollectMode", "'inactive-or-failed'"}};
  start_waiting();
  EXPECT_EQ(show("TimeoutStopUSec"), "7s");
  EXPECT_EQ(show("CollectMode"), "inactive-or-failed");
  remove();
}

TEST_F(SystemdDriver, APropertyThatSystemdRefusesIsAnErrorThatNamesItsAnnotation) {
  rig.config["annotations"] = {{"org.systemd.property.NoSuchThing", "true"}};
  const Outcome created = create();
  EXPECT_EQ(created.code, 1);
  EXPECT_NE(created.err.find("annotations[\"org.systemd.property.NoSuchThing\"]"), std::string::npos) << created.err;
  EXPECT_NE(created.err.find(unit()), std::string::npos) << created.err;
}

TEST_F(SystemdDriver, AUnitOfThatNameIsAnErrorAndStaysAlone) {
  start_waiting();
  Rig other;
  other.config["linux"]["cgroupsPath"] = rig.config["linux"]["cgroupsPath"];
  const Outcome created = other.skiff({"--systemd-cgroup", "create", other.id()});
  EXPECT_EQ(created.code, 1);
  EXPECT_NE(created.err.find("container's cgroup is not empty"), std::string::npos) << created.err;
  EXPECT_EQ(show("ActiveState"), "active");
  EXPECT_EQ(rig.state()["status"], "running");
  remove();
}

TEST_F(SystemdDriver, AFailedUnitOfThatNameIsClearedAway) {
  ASSERT_EQ(run_program({"/usr/bin/env", "systemd-run", "--scope", "--quiet", "--unit=" + unit(),
                         "--property=RuntimeMaxSec=1", "sleep", "1000"})
                .code,
            143);
  ASSERT_EQ(show("ActiveState"), "failed");
  start_waiting();
  EXPECT_EQ(show("ActiveState"), "active");
  remove();
}

TEST_F(SystemdDriver, ACreateThatFailsLeavesNoUnit) {
  rig.config["process"]["args"] = {"/no/such/program"};
  const Outcome outcome = rig.skiff({"--systemd-cgroup", "run", rig.id()});
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("/no/such/program"), std::string::npos) << outcome.err;
}

TEST_F(SystemdDriver, CgroupManagerSaysMoreThanSystemdCgroup) {
  rig.config["linux"]["cgroupsPath"] = rig.cgroup();
  rig.script("true");
  const Outcome outcome = rig.skiff({"--systemd-cgroup", "--cgroup-manager", "cgroupfs", "run", rig.id()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Outcome refused = rig.skiff({"--cgroup-manager", "systemd", "run", rig.id()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("slice:prefix:name"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace skiff::rig
