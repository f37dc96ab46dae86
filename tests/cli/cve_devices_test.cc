// Known ways out of a container that lead through its /dev. Each test is named after its CVE.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "runtime/kernel/fd.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// The entries of `mounts` below /dev, and /dev itself, go.
void leave_dev_to_the_image(Rig &rig) {
  Json kept = Json::array();
  for (const Json &mount : rig.config["mounts"]) {
    if (!mount["destination"].get<std::string>().starts_with("/dev")) kept.push_back(mount);
  }
  rig.config["mounts"] = kept;
}

// A socket that takes a connection and never answers, as much of an engine as sending the terminal needs.
class ConsoleSocket {
 public:
  explicit ConsoleSocket(const std::string &path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) ::abort();
    if (::listen(socket_.get(), 4) != 0) ::abort();
  }

 private:
  kernel::Fd socket_;
};

TEST(Cve_2025_31133, ALinkInThePlaceOfDevNullMasksNothingElse) {
  REQUIRE_ROOT();
  const std::string before = read_file("/proc/sys/kernel/core_pattern");
  Rig rig;
  leave_dev_to_the_image(rig);
  fs::create_symlink("/proc/sys/kernel/core_pattern", rig.rootfs() + "/dev/null");
  write_file(rig.rootfs() + "/etc/secret", "secret\n");
  rig.config["linux"]["maskedPaths"] = {"/etc/secret"};
  const Outcome outcome = rig.run("stat -c %t:%T /etc/secret /dev/null; cat /etc/secret");
  EXPECT_EQ(outcome.out, "1:3\n1:3\n") << outcome.err;
  EXPECT_EQ(read_file("/proc/sys/kernel/core_pattern"), before);
  EXPECT_CLEAN(rig);
}

TEST(Cve_2025_31133, ABoundDevWhoseNullIsALinkIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  leave_dev_to_the_image(rig);
  fs::create_directories(rig.path("dev"));
  fs::create_symlink("/proc/sys/kernel/core_pattern", rig.path("dev") + "/null");
  add_mount(rig, "/dev", "bind", rig.path("dev"), {"rbind"});
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(outcome.err.starts_with("skiff: linux.maskedPaths[")) << outcome.err;
  EXPECT_NE(outcome.err.find("/dev/null"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(Cve_2025_31133, ABoundDevWhoseNullIsAnotherDeviceIsRefused) {
  REQUIRE_ROOT();
  Rig rig;
  leave_dev_to_the_image(rig);
  fs::create_directories(rig.path("dev"));
  ASSERT_EQ(::mknod((rig.path("dev") + "/null").c_str(), S_IFCHR | 0666, 0x105), 0);
  add_mount(rig, "/dev", "bind", rig.path("dev"), {"rbind"});
  const Outcome outcome = rig.run("true");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("the container's /dev/null is not the null device (1:3)"), std::string::npos)
      << outcome.err;
}

// CVE-2025-52565 and CVE-2026-88264: the terminal is bound on what /dev/console is, and that may be a link.
class Cve_2025_52565 : public testing::TestWithParam<bool> {};

TEST_P(Cve_2025_52565, AConsoleThatIsALinkLeavesTheHostsFileAlone) {
  REQUIRE_ROOT();
  Rig rig;
  const bool with_dev = GetParam();
  const std::string victim = rig.path("victim");
  write_file(victim, "of the host\n");
  ASSERT_EQ(::chmod(victim.c_str(), 0640), 0);
  ASSERT_EQ(::chown(victim.c_str(), 7, 8), 0);
  if (!with_dev) leave_dev_to_the_image(rig);
  fs::create_symlink(victim, rig.rootfs() + "/dev/console");
  add_mount(rig, "/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666"});
  rig.config["process"]["terminal"] = true;
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  rig.script("echo written > /dev/console; sleep 1000");
  const ConsoleSocket socket(rig.path("console"));
  const Outcome created = rig.skiff({"create", "--console-socket", rig.path("console"), rig.id()});
  ASSERT_EQ(created.code, 0) << created.err;
  EXPECT_EQ(rig.skiff({"start", rig.id()}).code, 0);
  EXPECT_EQ(read_file(victim), "of the host\n");
  struct stat status{};
  ASSERT_EQ(::stat(victim.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 7U);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  (void)rig.skiff({"delete", "--force", rig.id()});
  EXPECT_CLEAN(rig);
}

INSTANTIATE_TEST_SUITE_P(And_Cve_2026_88264, Cve_2025_52565, testing::Bool(),
                         [](const auto &with_dev) { return with_dev.param ? "WithADevMount" : "WithoutADevMount"; });

// CVE-2026-41579 and CVE-2026-47766: the image's /dev is a link to a directory that the host has too.
class Cve_2026_41579 : public testing::TestWithParam<bool> {};

TEST_P(Cve_2026_41579, ADevThatIsALinkLeavesTheHostsDirectoryAlone) {
  REQUIRE_ROOT();
  Rig rig;
  const std::string outside = rig.path("outside");
  fs::create_directories(outside);
  write_file(outside + "/ptmx", "of the host\n");
  fs::remove(rig.rootfs() + "/dev");
  fs::create_symlink(outside, rig.rootfs() + "/dev");
  if (!GetParam()) leave_dev_to_the_image(rig);
  const Outcome outcome = rig.run("stat -c %t:%T /dev/null; readlink /dev/ptmx");
  EXPECT_EQ(outcome.out, "1:3\npts/ptmx\n") << outcome.err;
  EXPECT_EQ(read_file(outside + "/ptmx"), "of the host\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside), fs::directory_iterator()), 1);
  EXPECT_CLEAN(rig);
}

INSTANTIATE_TEST_SUITE_P(And_Cve_2026_47766, Cve_2026_41579, testing::Bool(),
                         [](const auto &with_dev) { return with_dev.param ? "WithADevMount" : "WithoutADevMount"; });

// Without a /dev mount a link in the place of /dev/null is the image's: what it points to must not be opened, given
// away or written.
TEST(Cve_2026_88265, ANullThatIsALinkDoesNotGiveTheHostsFileAway) {
  REQUIRE_ROOT();
  Rig rig;
  leave_dev_to_the_image(rig);
  const std::string victim = rig.path("victim");
  write_file(victim, "of the host\n");
  ASSERT_EQ(::chmod(victim.c_str(), 0600), 0);
  for (const char *name : {"null", "zero", "tty", "ptmx"}) fs::create_symlink(victim, rig.rootfs() + "/dev/" + name);
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  const Outcome outcome = rig.run("echo x > /dev/null; stat -c '%F %t:%T' /dev/null /dev/zero");
  EXPECT_EQ(outcome.out, "character special file 1:3\ncharacter special file 1:5\n") << outcome.err;
  struct stat status{};
  ASSERT_EQ(::stat(victim.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(read_file(victim), "of the host\n");
  EXPECT_CLEAN(rig);
}

// A user who maps only his own gid must not be able to drop a group that takes rights away: user_namespaces(7).
TEST(Cve_2014_8989, SetgroupsIsDeniedInTheUserNamespaceOfAnUnprivilegedUser) {
  REQUIRE_ROOT();
  constexpr int user = 1000;
  Rig rig;
  const Json map = {{{"containerID", 0}, {"hostID", user}, {"size", 1}}};
  rig.config["linux"]["uidMappings"] = map;
  rig.config["linux"]["gidMappings"] = map;
  rig.config["linux"].erase("resources");
  rig.config["linux"].erase("cgroupsPath");
  namespace_entry(rig, "user");
  Json &options = rig.config["mounts"][2]["options"];
  options.erase(std::find(options.begin(), options.end(), "gid=5"));
  rig.script("cat /proc/self/setgroups; id -u");
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  fs::create_directories(rig.root());
  ASSERT_EQ(::chown(rig.root().c_str(), user, user), 0);
  fs::permissions(rig.path(""), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const std::vector<std::string> as_user = {"/usr/bin/setpriv", "--reuid",    "1000",   "--regid",  "1000",
                                            "--clear-groups",   program(),    "--root", rig.root(), "run",
                                            "--bundle",         rig.bundle(), rig.id()};
  if (!fs::exists(as_user.front())) GTEST_SKIP() << "setpriv is not installed";
  const Outcome outcome = run_program(as_user);
  EXPECT_EQ(outcome.out, "deny\n0\n") << outcome.err;
  rig.config["process"]["user"]["additionalGids"] = {5};
  write_file(rig.bundle() + "/config.json", rig.config.dump());
  const Outcome refused = run_program(as_user);
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("additionalGids"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace skiff::rig
