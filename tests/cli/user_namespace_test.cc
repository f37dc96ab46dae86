// A container in a user namespace of its own: config-linux.md, "User namespace mappings".
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

TEST(UserNamespace, HasTheMappingsOfTheConfiguration) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  rig.config["linux"]["uidMappings"].push_back({{"containerID", 70000}, {"hostID", 300000}, {"size", 5}});
  const Outcome outcome = rig.run("tr -s ' ' < /proc/self/uid_map; tr -s ' ' < /proc/self/gid_map; id -u; id -g");
  EXPECT_EQ(outcome.out, " 0 100000 65536\n 70000 300000 5\n 0 100000 65536\n0\n0\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(UserNamespace, FilesThatRootMakesBelongToTheMappedUserOnTheHost) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  ASSERT_EQ(rig.run("touch /tmp/made").code, 0);
  struct stat status{};
  ASSERT_EQ(::stat((rig.rootfs() + "/tmp/made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, first_mapped_id);
  EXPECT_EQ(status.st_gid, first_mapped_id);
}

TEST(UserNamespace, FilesOfTheHostsRootBelongToNobodyInside) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  EXPECT_EQ(rig.run("stat -c %u:%g /etc/passwd; touch /etc/new 2>/dev/null || echo refused").out,
            "65534:65534\nrefused\n");
}

TEST(UserNamespace, TheProcessCanBeAnotherMappedUserWithGroups) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"additionalGids", {5, 6}}};
  EXPECT_EQ(rig.run("id -u; id -g; id -G; touch /tmp/made").out, "1000\n1001\n1001 5 6\n");
  struct stat status{};
  ASSERT_EQ(::stat((rig.rootfs() + "/tmp/made").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, first_mapped_id + 1000);
}

TEST(UserNamespace, DefaultDevicesAreTheHostsAndWork) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  EXPECT_EQ(
      rig.run("for d in null zero full random urandom tty; do stat -c '%n %t:%T' /dev/$d; done; "
              "head -c 3 /dev/zero | wc -c; echo x > /dev/null && echo written")
          .out,
      "/dev/null 1:3\n/dev/zero 1:5\n/dev/full 1:7\n/dev/random 1:8\n/dev/urandom 1:9\n/dev/tty 5:0\n3\nwritten\n");
  EXPECT_CLEAN(rig);
}

TEST(UserNamespace, MountsOfAllKindsWorkInside) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  std::filesystem::create_directories(rig.path("data"));
  write_file(rig.path("data/file"), "of the host\n");
  add_mount(rig, "/work", "bind", rig.path("data"), {"rbind", "ro", "nosuid"});
  add_mount(rig, "/root", "tmpfs", "tmpfs", {"size=1m", "mode=700"});
  const Outcome outcome = rig.run(
      "cat /work/file; touch /work/new 2>/dev/null || echo refused; touch /root/new && stat -c %a /root;"
      "for at in /proc /sys /dev/pts; do grep -q \" $at \" /proc/self/mountinfo || exit 1; done; echo mounted");
  EXPECT_EQ(outcome.out, "of the host\nrefused\n700\nmounted\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

// config.md, "Mounts", uidMappings and the option idmap.
TEST(UserNamespace, ABindOfWhatAnotherMountMadeInTheRootfsFindsIt) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  write_file(rig.path("outside"), "text\n");
  add_mount(rig, "/work", "tmpfs", "tmpfs");
  add_mount(rig, "/work/file", "bind", rig.path("outside"), {"bind"});
  add_mount(rig, "/tmp/again", "bind", rig.rootfs() + "/work", {"rbind"});
  EXPECT_EQ(rig.run("cat /tmp/again/file").out, "text\n");
}

TEST(UserNamespace, AnIdMappedBindShowsTheHostsFilesAsTheContainersOwn) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  std::filesystem::create_directories(rig.path("data"));
  write_file(rig.path("data/file"), "");
  ASSERT_EQ(::chown(rig.path("data/file").c_str(), 1000, 1000), 0);
  add_mount(rig, "/work", "bind", rig.path("data"), {"bind", "idmap"});
  const Outcome outcome = rig.run("stat -c %u:%g /work/file");
  EXPECT_EQ(outcome.out, "1000:1000\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

// What an earlier mount has brought into the rootfs only init can reach, and only the parent may map its ids.
TEST(UserNamespace, AnIdMappedBindOfWhatAnEarlierMountMadeInTheRootfsIsMapped) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  std::filesystem::create_directories(rig.path("hidden/data"));
  write_file(rig.path("hidden/data/file"), "");
  ASSERT_EQ(::chown(rig.path("hidden/data/file").c_str(), 1000, 1001), 0);
  ASSERT_EQ(::chmod(rig.path("hidden").c_str(), 0700), 0);
  add_mount(rig, "/work", "bind", rig.path("hidden/data"), {"rbind"});
  add_mount(rig, "/tmp/mapped", "bind", rig.rootfs() + "/work", {"rbind", "idmap"});
  add_mount(rig, "/tmp/twice", "bind", rig.rootfs() + "/work", {"bind"});
  rig.config["mounts"].back()["uidMappings"] = {{{"containerID", 1000}, {"hostID", 100005}, {"size", 1}}};
  rig.config["mounts"].back()["gidMappings"] = {{{"containerID", 1001}, {"hostID", 100006}, {"size", 1}}};
  const Outcome outcome = rig.run("stat -c %u:%g /work/file /tmp/mapped/file /tmp/twice/file");
  EXPECT_EQ(outcome.out, "65534:65534\n1000:1001\n5:6\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

// The error is the parent's, its place the entry's.
TEST(UserNamespace, AnIdMapThatTheParentIsRefusedNamesTheMount) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  add_mount(rig, "/tmp/mapped", "bind", rig.rootfs() + "/proc", {"bind", "idmap"});
  const std::size_t place = rig.config["mounts"].size() - 1;
  const Outcome outcome = rig.run("true");
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("mounts[" + std::to_string(place) + "] (/tmp/mapped): mount_setattr("), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("cannot be id-mapped on this kernel"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(UserNamespace, AMountsOwnMappingsAreUsedForItAlone) {
  REQUIRE_ROOT();
  Rig rig;
  std::filesystem::create_directories(rig.path("data"));
  write_file(rig.path("data/file"), "");
  add_mount(rig, "/work", "bind", rig.path("data"), {"bind"});
  rig.config["mounts"].back()["uidMappings"] = {{{"containerID", 0}, {"hostID", 2000}, {"size", 10}}};
  rig.config["mounts"].back()["gidMappings"] = {{{"containerID", 0}, {"hostID", 3000}, {"size", 10}}};
  const Outcome outcome = rig.run("stat -c %u:%g /work/file; stat -c %u /etc/passwd");
  EXPECT_EQ(outcome.out, "2000:3000\n0\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(UserNamespace, ExecAndDeleteReachIntoIt) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  rig.start_waiting();
  EXPECT_EQ(rig.skiff({"exec", rig.id(), "cat", "/proc/self/setgroups"}).out, "allow\n");
  EXPECT_EQ(rig.skiff({"exec", "--user", "7:8", rig.id(), "id", "-u"}).out, "7\n");
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_CLEAN(rig);
}

}  // namespace
}  // namespace skiff::rig
