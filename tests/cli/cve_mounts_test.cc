// Known ways out of a container that lead through its mounts. Each test is named after its CVE.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "runtime/kernel/process.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// Exchanges two names for as long as it lives: what another container that shares a volume can do.
class Exchanger {
 public:
  Exchanger(const std::string &one, const std::string &other) : child_(kernel::clone3({}).value()) {
    if (!child_.is_this_process()) return;
    while (true) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  }

 private:
  kernel::Child child_;  // killed when dropped
};

bool is_empty(const std::string &directory) { return fs::directory_iterator(directory) == fs::directory_iterator(); }

// CVE-2019-16884, CVE-2019-19921 and what came back of them as CVE-2023-27561 and CVE-2023-28642.
TEST(Cve_2019_16884, NothingButAProcfsIsMountedOnProc) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directories(rig.path("fake/self/attr"));
  add_mount(rig, "/proc", "bind", rig.path("fake"), {"bind"});
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.err.starts_with("skiff: mounts[5] (/proc): only a procfs can be mounted on /proc"))
      << outcome.err;
  rig.config["mounts"].back() = {{"destination", "/proc"}, {"type", "tmpfs"}, {"source", "tmpfs"}};
  EXPECT_EQ(rig.run("true").code, 1);
  EXPECT_CLEAN(rig);
}

class Cve_2019_19921 : public testing::TestWithParam<const char *> {};

TEST_P(Cve_2019_19921, ALinkInTheRootfsIsNoPlaceForProcOrSys) {
  REQUIRE_ROOT();
  Rig rig;
  const std::string name = GetParam();
  fs::remove(rig.rootfs() + name);
  fs::create_directories(rig.rootfs() + "/evil");
  fs::create_symlink("/evil", rig.rootfs() + name);
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("(" + name + "): the rootfs has a symbolic link there"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

INSTANTIATE_TEST_SUITE_P(Cve_2023_27561_And_2023_28642, Cve_2019_19921, testing::Values("/proc", "/sys"),
                         [](const auto &name) { return std::string(name.param + 1); });

TEST(Cve_2019_18837, AnAbsoluteLinkAtATargetDoesNotLeadToTheHost) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directories(rig.path("outside"));
  fs::create_directories(rig.path("data"));
  fs::create_symlink(rig.path("outside"), rig.rootfs() + "/link");
  add_mount(rig, "/link", "bind", rig.path("data"), {"bind"});
  add_mount(rig, "/link/deeper", "tmpfs", "tmpfs");
  const Outcome outcome = rig.run("touch /link/new; ls -d " + rig.path("outside"));
  EXPECT_EQ(outcome.out, rig.path("outside") + "\n") << outcome.err;  // inside the rootfs
  EXPECT_TRUE(fs::exists(rig.path("data") + "/new"));
  EXPECT_TRUE(is_empty(rig.path("outside")));
  EXPECT_CLEAN(rig);
}

// 20 mounts in each of 10 containers, while the target is exchanged with a link that leads to the host's root.
TEST(Cve_2021_30465, ATargetThatIsExchangedForALinkNeverLeadsToTheHost) {
  REQUIRE_ROOT();
  Rig rig;
  const std::string shared = rig.path("shared");
  fs::create_directories(shared + "/target");
  fs::create_symlink("../../../../../../../../tmp", shared + "/link");
  add_mount(rig, "/work", "bind", shared, {"bind"});
  for (int i = 0; i < 20; ++i) add_mount(rig, "/work/target", "tmpfs", "marker");
  const Exchanger exchanger(shared + "/target", shared + "/link");
  int ran = 0;
  for (int i = 0; i < 10; ++i) {
    // What landed outside of the rootfs is not in the container's list of mounts any more.
    const Outcome outcome = rig.run("grep -c ' - tmpfs marker ' /proc/self/mountinfo");
    if (outcome.code != 0) continue;
    ++ran;
    EXPECT_EQ(outcome.out, "20\n");
  }
  EXPECT_GT(ran, 0);
  EXPECT_CLEAN(rig);
}

TEST(Cve_2021_30465, ASourceMountedBeforeItIsNotFollowedOutOfTheRootfs) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directories(rig.path("shared"));
  fs::create_symlink("/", rig.path("shared") + "/target");
  add_mount(rig, "/work", "bind", rig.path("shared"), {"bind"});
  add_mount(rig, "/work/target", "tmpfs", "tmpfs");
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("nothing can be mounted over the rootfs itself"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(Cve_2024_45310, AMissingTargetBehindAnExchangedParentIsNeverMadeOnTheHost) {
  REQUIRE_ROOT();
  Rig rig;
  const std::string shared = rig.path("shared");
  const std::string outside = rig.path("outside");
  fs::create_directories(shared + "/parent");
  fs::create_directories(outside);
  fs::create_symlink(outside, shared + "/link");
  fs::create_directories(rig.rootfs() + outside);
  add_mount(rig, "/work", "bind", shared, {"bind"});
  for (int i = 0; i < 20; ++i) {
    add_mount(rig, "/work/parent/directory" + std::to_string(i), "tmpfs", "tmpfs");
    add_mount(rig, "/work/parent/file" + std::to_string(i), "bind", rig.bundle() + "/config.json", {"bind"});
  }
  const Exchanger exchanger(shared + "/parent", shared + "/link");
  for (int i = 0; i < 5; ++i) (void)rig.run("true");
  EXPECT_TRUE(is_empty(outside));
  EXPECT_CLEAN(rig);
}

TEST(Cve_2021_43784, ANamespacePathLongerThanANetlinkAttributeIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  namespace_entry(rig, "network")["path"] = "/" + std::string(70000, 'n');
  namespace_entry(rig, "ipc")["path"] = "/proc/self/ns/ipc";
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("(network): "), std::string::npos) << outcome.err.substr(0, 200);
  EXPECT_NE(outcome.err.find("file name too long"), std::string::npos) << outcome.err.substr(0, 200);
  EXPECT_CLEAN(rig);
}

TEST(Cve_2023_25809, WithoutACgroupNamespaceTheHostsCgroupsAreReadonlyInAUserNamespace) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  Json &namespaces = rig.config["linux"]["namespaces"];
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (namespaces[i]["type"] == "cgroup") namespaces.erase(i--);
  }
  add_mount(rig, "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"});
  const Outcome outcome = rig.run(
      "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do test -d $d && mkdir $d/x 2>&1 | grep -v 'Read-only file system'; "
      "done; grep ' /sys/fs/cgroup' /proc/self/mountinfo | grep -v ' ro,' | wc -l");
  EXPECT_EQ(outcome.out, "0\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

class Cve_2025_52881 : public testing::TestWithParam<const char *> {};

// Whatever is mounted below /proc could catch what the runtime writes there: labels, sysctls.
TEST_P(Cve_2025_52881, NothingIsMountedInsideProc) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directories(rig.path("fake"));
  add_mount(rig, GetParam(), "bind", rig.path("fake"), {"bind"});
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("nothing can be mounted inside /proc"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

INSTANTIATE_TEST_SUITE_P(Path, Cve_2025_52881,
                         testing::Values("/proc/sys", "/proc/sys/net", "/proc/1/attr", "/proc/tty"),
                         [](const auto &path) {
                           std::string name = path.param + 1;
                           std::ranges::replace(name, '/', '_');
                           return name;
                         });

TEST(Cve_2025_52881_Sysctl, ASysctlIsNotWrittenToWhatTheRootfsCallsProc) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["mounts"].erase(0);  // no procfs is mounted: /proc is the image's
  const std::string fake = rig.rootfs() + "/proc/sys/net/ipv4";
  fs::create_directories(fake);
  write_file(fake + "/ip_forward", "of the image\n");
  add_mount(rig, "/work", "proc", "proc");
  rig.config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
  rig.config["linux"].erase("readonlyPaths");
  rig.config["linux"].erase("maskedPaths");
  const Outcome outcome = rig.run("cat /work/sys/net/ipv4/ip_forward");
  EXPECT_EQ(outcome.out, "1\n") << outcome.err;
  EXPECT_EQ(read_file(fake + "/ip_forward"), "of the image\n");
}

}  // namespace
}  // namespace skiff::rig
