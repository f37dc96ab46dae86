// An ordinary user's containers: his own id alone or subordinate ids (newuidmap(1)), with and without a cgroup, and
// what he is told where the host forbids them. Root stages such a user for each test, in a mount namespace of the
// test's own.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

constexpr unsigned user_id = 61234;
constexpr unsigned first_granted = 500000;
constexpr unsigned granted = 70000;

std::string without_spaces(const std::string &command) { return command + " | tr -s ' '"; }

class Rootless : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (::access("/usr/bin/setpriv", X_OK) != 0) GTEST_SKIP() << "needs setpriv (util-linux)";
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    const std::string id = std::to_string(user_id);
    cover("/etc/passwd", read_file("/etc/passwd") + "skiff-user:x:" + id + ":" + id + "::/:/bin/sh\n");
    grant("skiff-user:500000:70000\n");
    become({});
    rig.config["linux"].erase("cgroupsPath");
    use_own_id_alone();
  }
  void TearDown() override {
    (void)rig.skiff({"delete", "--force", rig.id()});
    for (auto path = covered_.rbegin(); path != covered_.rend(); ++path) ::umount2(path->c_str(), MNT_DETACH);
    EXPECT_CLEAN(rig);
  }

  // Another text, or for an empty path of a file nothing that can be run, where the host's file is.
  void cover(const std::string &path, const std::string &text) {
    const std::string file = texts_.path() + "/" + std::to_string(covered_.size());
    fs::permissions(texts_.path(), fs::perms::all);
    write_file(file, text);
    if (!fs::exists(path)) FAIL() << path << " is missing";
    ASSERT_EQ(::mount(file.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0) << path;
    covered_.push_back(path);
  }
  void grant(const std::string &lines) {
    for (const char *path : {"/etc/subuid", "/etc/subgid"}) cover(path, lines);
  }
  // `before` runs as root, and gives way to the words after it.
  void become(std::vector<std::string> before, bool no_new_privs = false) {
    const std::string id = std::to_string(user_id);
    for (const std::string &word :
         {std::string("setpriv"), "--reuid=" + id, "--regid=" + id, std::string("--clear-groups")}) {
      before.push_back(word);
    }
    if (no_new_privs) before.emplace_back("--no-new-privs");
    rig.become(user_id, before);
  }

  void map(const Json &mappings) {
    rig.config["linux"]["uidMappings"] = mappings;
    rig.config["linux"]["gidMappings"] = mappings;
  }
  void use_own_id_alone() {
    namespace_entry(rig, "user");
    map({{{"containerID", 0}, {"hostID", user_id}, {"size", 1}}});
    for (Json &mount : rig.config["mounts"]) {
      if (mount["destination"] == "/dev/pts") mount["options"] = {"nosuid", "noexec", "newinstance", "ptmxmode=0666"};
    }
  }
  void use_subordinate_ids() {
    map({{{"containerID", 0}, {"hostID", user_id}, {"size", 1}},
         {{"containerID", 1}, {"hostID", first_granted}, {"size", granted}}});
  }
  // What `run` has to say.
  std::string refusal() {
    const Outcome outcome = rig.run("true");
    EXPECT_EQ(outcome.code, 1);
    const std::size_t start = outcome.err.find("skiff: ");
    return start == std::string::npos ? outcome.err : outcome.err.substr(start);
  }

  Rig rig;

 private:
  TemporaryDirectory texts_;
  std::vector<std::string> covered_;
};

#define REQUIRE_NEWUIDMAP() \
  if (::access("/usr/bin/newuidmap", X_OK) != 0) GTEST_SKIP() << "needs newuidmap (uidmap)"

TEST_F(Rootless, TheUserIsRootInside) {
  const Outcome outcome = rig.run("id -u; id -g; " + without_spaces("cat /proc/self/uid_map /proc/self/gid_map") +
                                  "; cat /proc/self/setgroups; touch /tmp/made; stat -c %u /tmp/made");
  EXPECT_EQ(outcome.out, "0\n0\n 0 61234 1\n 0 61234 1\ndeny\n0\n") << outcome.err;
  struct stat status{};
  ASSERT_EQ(::stat((rig.rootfs() + "/tmp/made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, user_id);
}

TEST_F(Rootless, SubordinateIdsAreMapped) {
  REQUIRE_NEWUIDMAP();
  use_subordinate_ids();
  rig.config["process"]["user"] = {{"uid", 5}, {"gid", 6}, {"additionalGids", {7}}};
  fs::permissions(rig.rootfs() + "/tmp", fs::perms::all);
  const Outcome outcome = rig.run("id -u; id -g; id -G; " + without_spaces("cat /proc/self/uid_map") +
                                  "; cat /proc/self/setgroups; touch /tmp/made");
  EXPECT_EQ(outcome.out, "5\n6\n6 7\n 0 61234 1\n 1 500000 70000\nallow\n") << outcome.err;
  struct stat status{};
  ASSERT_EQ(::stat((rig.rootfs() + "/tmp/made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, first_granted + 4);
  EXPECT_EQ(status.st_gid, first_granted + 5);
}

TEST_F(Rootless, AProcessMayRunInAContainerThatIsNotStarted) {
  for (const unsigned uid : {0U, 5U}) {
    if (uid != 0) {
      REQUIRE_NEWUIDMAP();
      use_subordinate_ids();
      rig.config["process"]["user"] = {{"uid", uid}, {"gid", 0}};
    }
    rig.script("true");
    ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
    const Outcome outcome = rig.skiff({"exec", rig.id(), "id", "-u"});
    EXPECT_EQ(outcome.out, std::to_string(uid) + "\n") << outcome.err;
    EXPECT_EQ(rig.state()["status"], "created");
    ASSERT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  }
}

// The agent need not take it: the connection waits in the queue.
TEST_F(Rootless, ASeccompListenerIsHandedOver) {
  const std::string path = rig.rootfs() + "/tmp/agent";
  const kernel::Fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)), 0);
  ASSERT_EQ(::chown(path.c_str(), user_id, user_id), 0);
  ASSERT_EQ(::listen(listening.get(), 2), 0);
  rig.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"},
                                    {"listenerPath", path},
                                    {"syscalls", {{{"names", {"getsid"}}, {"action", "SCMP_ACT_NOTIFY"}}}}};
  for (const bool no_new_privileges : {false, true}) {
    rig.config["process"]["noNewPrivileges"] = no_new_privileges;
    const Outcome outcome = rig.run("echo runs");
    EXPECT_EQ(outcome.out, "runs\n") << outcome.err;
  }
}

// With subordinate ids and without: the processes of either may be looked at, signalled and joined.
TEST_F(Rootless, AContainerLivesItsWholeLife) {
  for (const bool several : {false, true}) {
    if (several) {
      REQUIRE_NEWUIDMAP();
      use_subordinate_ids();
    }
    const std::string pid = std::to_string(rig.start_waiting());
    EXPECT_EQ(rig.state()["status"], "running");
    EXPECT_EQ(rig.skiff({"exec", rig.id(), "sh", "-c", "id -u; echo $$ > /dev/null; hostname"}).out, "0\nrig\n");
    EXPECT_EQ(rig.skiff({"exec", "--cwd", "/tmp", rig.id(), "readlink", "/proc/self/cwd"}).out, "/tmp\n");
    EXPECT_NE(rig.skiff({"list"}).out.find("running"), std::string::npos);
    const Json processes = Json::parse(rig.skiff({"ps", "--format=json", rig.id()}).out);
    EXPECT_EQ(processes.size(), 2) << processes << " of the shell " << pid << " and its sleep";
    EXPECT_EQ(rig.skiff({"kill", rig.id(), "TERM"}).code, 0);
    ASSERT_TRUE(wait_for_end(std::stoi(pid)));
    EXPECT_EQ(rig.state()["status"], "stopped");
    const Outcome deleted = rig.skiff({"delete", rig.id()});
    EXPECT_EQ(deleted.code, 0) << deleted.err;
    fs::remove(rig.rootfs() + "/tmp/waiting");
  }
}

// The time namespace is the user namespace's: its root may set the clocks.
TEST_F(Rootless, ANewTimeNamespaceHasItsOffsets) {
  namespace_entry(rig, "time");
  rig.config["linux"]["timeOffsets"] = {{"monotonic", {{"secs", 7}, {"nanosecs", 5}}}};
  for (const bool several : {false, true}) {
    if (several) {
      REQUIRE_NEWUIDMAP();
      use_subordinate_ids();
    }
    const Outcome outcome = rig.run(without_spaces("cat /proc/self/timens_offsets"));
    EXPECT_EQ(outcome.out, "monotonic 7 5\nboottime 0 0\n") << outcome.err;
  }
}

// As long as init has not become the program it is the runtime's own, which tells the kernel who may look into it.
TEST_F(Rootless, AnExecReachesAContainerThatIsNotStartedYet) {
  for (const bool several : {false, true}) {
    if (several) {
      REQUIRE_NEWUIDMAP();
      use_subordinate_ids();
    }
    ASSERT_EQ(rig.skiff({"create", rig.id()}).code, 0);
    const Outcome outcome = rig.skiff({"exec", rig.id(), "hostname"});
    EXPECT_EQ(outcome.out, "rig\n") << outcome.err;
    EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  }
}

TEST_F(Rootless, ARunningContainerIsDeletedByForce) {
  const int pid = rig.start_waiting();
  EXPECT_EQ(rig.skiff({"kill", "--all", rig.id(), "CONT"}).code, 0);
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_TRUE(wait_for_end(pid));
}

TEST_F(Rootless, TheConfigThatSpecWritesRuns) {
  const std::string other = rig.path("other");
  fs::create_directories(other);
  ASSERT_EQ(::chown(other.c_str(), user_id, user_id), 0);
  ASSERT_EQ(rig.skiff({"spec", "--rootless", "--bundle", other}).code, 0);
  rig.config = Json::parse(read_file(other + "/config.json"));
  rig.config["process"]["terminal"] = false;
  rig.config["root"]["readonly"] = false;
  const Outcome outcome = rig.run("id -u; " + without_spaces("cat /proc/self/uid_map"));
  EXPECT_EQ(outcome.out, "0\n 0 61234 1\n") << outcome.err;
}

TEST_F(Rootless, WithoutACgroupThereIsNothingToPauseOrLimit) {
  rig.start_waiting();
  const Outcome paused = rig.skiff({"pause", rig.id()});
  EXPECT_EQ(paused.code, 1);
  EXPECT_NE(paused.err.find("pause needs a cgroup: run where this user may make one"), std::string::npos) << paused.err;
  const Outcome updated = rig.skiff({"update", "--memory", "64M", rig.id()});
  EXPECT_EQ(updated.code, 1);
  EXPECT_EQ(updated.err,
            "skiff: the container has no cgroup to limit; run it where this user may make one: in a delegated "
            "cgroup\n");
}

TEST_F(Rootless, ALimitWithoutACgroupNamesTheField) {
  rig.config["linux"]["resources"] = {{"pids", {{"limit", 20}}}};
  const std::string said = refusal();
  EXPECT_TRUE(said.starts_with("skiff: linux.resources.pids.limit: ")) << said;
  EXPECT_NE(said.find("have a cgroup delegated to this user"), std::string::npos) << said;
}

TEST_F(Rootless, APathThatTheUserMayNotMakeIsNoSilentLoss) {
  rig.config["linux"]["cgroupsPath"] = rig.cgroup();
  const std::string said = refusal();
  EXPECT_TRUE(said.starts_with("skiff: linux.cgroupsPath: unable to apply cgroup configuration: mkdirat(")) << said;
  EXPECT_NE(said.find("permission denied; have a cgroup delegated to this user"), std::string::npos) << said;
}

// cgroups(7), "Delegation": the runtime starts in what is delegated, and everything works there.
TEST_F(Rootless, ADelegatedCgroupIsUsed) {
  const std::string controllers = " " + read_file("/sys/fs/cgroup/cgroup.controllers");
  for (const char *name : {"memory", "pids", "cpu"}) {
    if (controllers.find(" " + std::string(name)) == std::string::npos) {
      GTEST_SKIP() << "needs cgroup v2 with the controllers memory, pids and cpu";
    }
  }
  const std::string top = rig.cgroup() + "-delegated";
  const std::string directory = "/sys/fs/cgroup" + top;
  std::ofstream("/sys/fs/cgroup/cgroup.subtree_control") << "+memory +pids +cpu";
  fs::create_directories(directory + "/caller");
  for (const std::string &path : {directory, directory + "/caller"}) {
    ASSERT_EQ(::chown(path.c_str(), user_id, user_id), 0);
    for (const std::string &file : lines_of(read_file("/sys/kernel/cgroup/delegate"))) {
      (void)::chown((path + "/" + file).c_str(), user_id, user_id);
    }
  }
  become({"sh", "-c", "echo $$ > " + directory + "/caller/cgroup.procs; exec \"$@\"", "sh"});
  rig.config["linux"]["cgroupsPath"] = top + "/box";
  rig.config["linux"]["resources"] = {{"memory", {{"limit", 67108864}}}, {"pids", {{"limit", 20}}}};
  rig.start_waiting();
  EXPECT_EQ(read_file(directory + "/box/memory.max"), "67108864\n");
  EXPECT_EQ(read_file(directory + "/box/pids.max"), "20\n");
  ASSERT_EQ(rig.skiff({"pause", rig.id()}).code, 0);
  EXPECT_EQ(rig.state()["status"], "paused");
  ASSERT_EQ(rig.skiff({"resume", rig.id()}).code, 0);
  const Outcome updated = rig.skiff({"update", "--memory", "100663296", "--cpu-quota", "50000", rig.id()});
  EXPECT_EQ(updated.code, 0) << updated.err;
  EXPECT_EQ(read_file(directory + "/box/memory.max"), "100663296\n");
  EXPECT_EQ(read_file(directory + "/box/cpu.max"), "50000 100000\n");
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "grep", "^0:", "/proc/self/cgroup"}).out, "0::/\n");
  become({});  // from outside of it
  const Outcome outside = rig.skiff({"exec", rig.id(), "echo", "there"});
  EXPECT_EQ(outside.out, "there\n") << outside.err;
  EXPECT_NE(outside.err.find("outside of the container's cgroup"), std::string::npos) << outside.err;
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_FALSE(fs::exists(directory + "/box"));
  const std::string said = refusal();
  EXPECT_NE(said.find("start the runtime in a delegated cgroup (systemd-run --user --scope)"), std::string::npos)
      << said;
  for (const std::string &path : {directory + "/box", directory + "/caller", directory}) (void)::rmdir(path.c_str());
}

TEST_F(Rootless, IdsThatAreNotGrantedAreNamedWithTheLineToAdd) {
  REQUIRE_NEWUIDMAP();
  map({{{"containerID", 0}, {"hostID", user_id}, {"size", 1}},
       {{"containerID", 1}, {"hostID", first_granted}, {"size", granted + 1}}});
  EXPECT_EQ(refusal(),
            "skiff: linux.gidMappings[1]: host ids 500000 to 570000 are not granted to skiff-user in /etc/subgid "
            "(newgidmap: gid range [1-70002) -> [500000-570001) not allowed); add the line "
            "skiff-user:500000:70001 there, or map to ids that it grants\n");
  map({{{"containerID", 0}, {"hostID", 1}, {"size", 1}}});
  EXPECT_NE(refusal().find("map to your own id, 61234, or to ids that are granted there"), std::string::npos);
  use_subordinate_ids();
  cover("/etc/subuid", "");
  EXPECT_NE(refusal().find("linux.uidMappings[1]: host ids 500000 to 569999 are not granted to skiff-user in "
                           "/etc/subuid (newuidmap"),
            std::string::npos);
}

// What Podman's --userns=keep-id asks for.
TEST_F(Rootless, TheRootOfAUserNamespaceMapsWhatIsInIt) {
  REQUIRE_NEWUIDMAP();
  const std::string id = std::to_string(user_id);
  rig.become(user_id, {"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups", "unshare", "--user",
                       "--map-root-user", "--map-users=500000,1,70000", "--map-groups=500000,1,70000"});
  map({{{"containerID", 0}, {"hostID", 1}, {"size", 5}}, {{"containerID", 5}, {"hostID", 0}, {"size", 1}}});
  rig.config["process"]["user"] = {{"uid", 5}, {"gid", 5}};
  EXPECT_EQ(rig.run("id -u; " + without_spaces("cat /proc/self/gid_map")).out, "5\n 0 1 5\n 5 0 1\n");
}

TEST_F(Rootless, ARangeMayBeGrantedByTheNumberOfTheUser) {
  REQUIRE_NEWUIDMAP();
  grant("61234:500000:70000\n");
  use_subordinate_ids();
  EXPECT_EQ(rig.run("id -u").out, "0\n");
}

TEST_F(Rootless, AMissingNewuidmapNamesItsPackage) {
  REQUIRE_NEWUIDMAP();
  use_subordinate_ids();
  cover("/usr/bin/newuidmap", "");
  EXPECT_EQ(refusal(),
            "skiff: linux.uidMappings: newuidmap is not installed, which writes such a mapping; install the package "
            "uidmap, or map your own id alone\n");
}

TEST_F(Rootless, ANewuidmapWithoutItsPrivilegeIsExplained) {
  REQUIRE_NEWUIDMAP();
  use_subordinate_ids();
  become({}, true);
  const std::string said = refusal();
  EXPECT_TRUE(said.starts_with("skiff: linux.gidMappings: newgidmap: ")) << said;
  EXPECT_NE(said.find("newgidmap needs its set-user-ID bit or file capability"), std::string::npos) << said;
}

// user_namespaces(7): the limit is each user namespace's own, so this one is in a user namespace of the test's.
TEST_F(Rootless, ALimitOfNamespacesThatForbidsThemIsNamed) {
  rig.become(user_id,
             {"setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "unshare", "--user", "--map-root-user",
              "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"", "sh"});
  map({{{"containerID", 0}, {"hostID", 0}, {"size", 1}}});
  const std::string said = refusal();
  EXPECT_TRUE(said.starts_with("skiff: clone3(CLONE_NEWUSER|")) << said;
  EXPECT_NE(said.find("no space left on device; user.max_user_namespaces is 0, which turns them off: sysctl "
                      "user.max_user_namespaces=10000"),
            std::string::npos)
      << said;
}

// Inside of another's user namespace, as rootless engines start it: its root may map all that it has.
TEST_F(Rootless, RootOfAUserNamespaceMapsWithoutAnyProgram) {
  rig.become(user_id, {"setpriv", "--reuid=61234", "--regid=61234", "--clear-groups", "unshare", "--user", "--mount",
                       "--map-root-user"});
  map({{{"containerID", 0}, {"hostID", 0}, {"size", 1}}});
  const Outcome outcome = rig.run("id -u; " + without_spaces("cat /proc/self/uid_map"));
  EXPECT_EQ(outcome.out, "0\n 0 0 1\n") << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
