// A container without a mount namespace: where its mounts are, that they go with it, and that nothing else of the host
// changes. Each test has a mount namespace for a host, whose mounts are shared, as systemd has them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/cli/background.h"
#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

class HostMounts : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    Json &namespaces = rig.config["linux"]["namespaces"];
    namespaces.erase(std::ranges::find_if(namespaces, [](const Json &entry) { return entry["type"] == "mount"; }));
    rig.config["linux"]["maskedPaths"] = Json::array();
    rig.config["linux"]["readonlyPaths"] = Json::array();
  }
  void TearDown() override { EXPECT_CLEAN(rig); }

  // `script` on that host, with "$@" for the program's command line up to its own words.
  Outcome on_host(const std::string &script) {
    std::vector<std::string> words = {
        "/usr/bin/unshare", "--mount", "/bin/sh", "-euc", "mount --make-rshared /\n" + script, "test"};
    for (const std::string &word : command_line(rig, {})) words.push_back(word);
    return run_program(words);
  }
  // What a shell prints of the host's mounts: where, what and how shared; numbers of mounts that come and go left out.
  static std::string list(const std::string &file) { return "cut -d ' ' -f 4- /proc/self/mountinfo > " + file + "\n"; }

  Rig rig;
};

TEST_F(HostMounts, AreBelowTheRootfsAndGoWithTheContainer) {
  add_mount(rig, "/work", "tmpfs", "tmpfs");
  rig.script("grep -c ' /work ' /proc/mounts; touch /work/inside");
  const Outcome outcome =
      on_host(list(rig.path("before")) +
              "\"$@\" create c </dev/null\n"
              "grep -c \" " +
              rig.rootfs() +
              "/proc \" /proc/mounts\n"
              "\"$@\" delete --force c\n" +
              list(rig.path("after")) + "cmp " + rig.path("before") + " " + rig.path("after") + "\n\"$@\" run c\n" +
              list(rig.path("after")) + "cmp " + rig.path("before") + " " + rig.path("after"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1\n1\n");
  EXPECT_NE(outcome.err.find("no mount namespace, so the container's mounts stay on the host, below " + rig.rootfs() +
                             ": /proc, /dev, "),
            std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("umount --recursive --lazy " + rig.rootfs()), std::string::npos) << outcome.err;
}

// A clone that shares with its origin takes what is mounted below the origin along when it is detached.
TEST_F(HostMounts, ARecursiveBindOfTheHostsRootIsDetachedWithoutTheHostsOwn) {
  std::filesystem::create_directory(rig.rootfs() + "/host");
  add_mount(rig, "/host", "bind", "/", {"rbind"});
  add_mount(rig, "/work", "bind", "/", {"rbind", "rshared"});
  rig.script("test -e /host/proc/self && test -e /work/proc/self && echo seen");
  const Outcome outcome = on_host(list(rig.path("before")) +
                                  "mount --make-shared -t tmpfs none /mnt\n"
                                  "\"$@\" run c\n"
                                  "umount /mnt\n" +
                                  list(rig.path("after")) + "cmp " + rig.path("before") + " " + rig.path("after"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "seen\n") << outcome.err;
}

TEST_F(HostMounts, WhatTheHostHasMountedBelowTheRootfsIsSeenAndStays) {
  std::filesystem::create_directory(rig.rootfs() + "/data");
  rig.script("cat /data/text; echo more > /data/made");
  const Outcome outcome = on_host("mount -t tmpfs none " + rig.rootfs() + "/data\necho text > " + rig.rootfs() +
                                  "/data/text\n\"$@\" run c\ncat " + rig.rootfs() + "/data/made");
  EXPECT_EQ(outcome.out, "text\nmore\n") << outcome.err;
}

TEST_F(HostMounts, AnExecSeesTheRootfsAndNotTheHosts) {
  write_file(rig.rootfs() + "/mark", "inside\n");
  rig.script("sleep 1000");
  const Outcome outcome =
      on_host("\"$@\" run -d c </dev/null >/dev/null\n\"$@\" exec c cat /mark\n\"$@\" delete --force c");
  EXPECT_EQ(outcome.out, "inside\n") << outcome.err;
}

TEST_F(HostMounts, AnExecWithoutAnyMountSeesTheRootfs) {
  write_file(rig.rootfs() + "/mark", "inside\n");
  rig.config["mounts"] = Json::array();
  rig.script("while :; do read line; done < /mark");
  const Outcome outcome =
      on_host("\"$@\" run -d c </dev/null >/dev/null\n\"$@\" exec c cat /mark\n\"$@\" delete --force c");
  EXPECT_EQ(outcome.out, "inside\n") << outcome.err;
  EXPECT_EQ(outcome.err, "");
}

TEST_F(HostMounts, ACreateThatFailsLeavesNone) {
  rig.config["process"]["args"] = {"/not/there"};
  const Outcome outcome =
      on_host("\"$@\" create c </dev/null || echo refused\ngrep -c " + rig.rootfs() + " /proc/mounts || true");
  EXPECT_EQ(outcome.out, "refused\n0\n") << outcome.err;
}

TEST_F(HostMounts, ThatAnotherMountCoversStayAndAreNamed) {
  const Outcome outcome =
      on_host("\"$@\" create c </dev/null\nmount -t tmpfs none " + rig.rootfs() + "\n\"$@\" delete --force c\numount " +
              rig.rootfs() + "\ngrep -c " + rig.rootfs() + "/proc /proc/mounts");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "1\n");
  EXPECT_NE(outcome.err.find("the container's mounts stay below " + rig.rootfs() + ", which another mount covers"),
            std::string::npos)
      << outcome.err;
}

// Someone may have cleaned up already, as one has to for runc, and by a command that knows nothing of sharing.
TEST_F(HostMounts, ThatAreGoneAlreadyAreNoError) {
  std::filesystem::create_directory(rig.rootfs() + "/host");
  add_mount(rig, "/host", "bind", "/", {"rbind"});
  const Outcome outcome = on_host(
      list(rig.path("before")) + "\"$@\" create c </dev/null 2>/dev/null\numount --recursive --lazy " + rig.rootfs() +
      "\n" + list(rig.path("after")) + "\"$@\" delete --force c\ncmp " + rig.path("before") + " " + rig.path("after"));
  EXPECT_EQ(outcome.code, 0) << outcome.err << outcome.out;
  EXPECT_EQ(outcome.err, "");
}

TEST_F(HostMounts, AReadOnlyRootIsThatOfTheContainerAlone) {
  rig.config["root"]["readonly"] = true;
  rig.script("touch /new 2>/dev/null || echo refused");
  const Outcome outcome = on_host("\"$@\" run c\ntouch " + rig.rootfs() + "/new && echo written");
  EXPECT_EQ(outcome.out, "refused\nwritten\n") << outcome.err;
}

TEST_F(HostMounts, ARemountIsRefused) {
  add_mount(rig, "/tmp", "none", "none", {"remount", "ro"});
  const Outcome outcome = rig.skiff({"create", "c"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("(/tmp).options: this changes a mount that is there"), std::string::npos) << outcome.err;
}

TEST_F(HostMounts, MaskedPathsAreRefused) {
  rig.config["linux"]["maskedPaths"] = {"/proc/kcore"};
  const Outcome outcome = rig.skiff({"create", "c"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("/linux/maskedPaths"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
