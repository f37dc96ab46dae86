// What is masked, what is read-only, and what the root filesystem itself is: config-linux.md, "Masked Paths", "Readonly
// Paths"; config.md, "Root".
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

TEST(MaskedPaths, AFileReadsAsEmptyAndADirectoryAsEmpty) {
  REQUIRE_ROOT();
  Rig rig;
  write_file(rig.rootfs() + "/etc/secret", "secret\n");
  write_file(rig.rootfs() + "/work/secret", "secret\n");
  fs::create_directories(rig.rootfs() + "/root/one");
  write_file(rig.rootfs() + "/root/one/secret", "secret\n");
  rig.config["linux"]["maskedPaths"] = {"/etc/secret", "/work", "/root/one", "/not/there"};
  const Outcome outcome = rig.run(
      "cat /etc/secret; ls -A /work /root/one; touch /work/new 2>&1; stat -c '%F %t:%T' /etc/secret;"
      "cat /etc/passwd | wc -l");
  EXPECT_EQ(outcome.out,
            "/root/one:\n\n/work:\ntouch: /work/new: Read-only file system\ncharacter special file 1:3\n2\n")
      << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(MaskedPaths, ThoseOfProcAndSysAreHidden) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("cat /proc/kcore /proc/keys /proc/timer_list | wc -c; ls -A /sys/firmware | wc -l").out, "0\n0\n");
}

TEST(ReadonlyPaths, RefuseWritesAndLeaveTheirNeighboursWritable) {
  REQUIRE_ROOT();
  Rig rig;
  fs::create_directories(rig.rootfs() + "/work/in");
  write_file(rig.rootfs() + "/etc/file", "");
  rig.config["linux"]["readonlyPaths"] = {"/work/in", "/etc/file", "/not/there", "/proc/sys"};
  const Outcome outcome = rig.run(
      "touch /work/in/new 2>&1; (echo x > /etc/file) 2>&1; touch /work/new /etc/new && echo written;"
      "(echo 1 > /proc/sys/kernel/domainname) 2>&1");
  EXPECT_NE(outcome.out.find("touch: /work/in/new: Read-only file system"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("/etc/file: Read-only file system"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("written\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("/proc/sys/kernel/domainname: Read-only file system"), std::string::npos) << outcome.out;
  EXPECT_CLEAN(rig);
}

TEST(ReadonlyPaths, KeepWhatIsMountedBelow) {
  REQUIRE_ROOT();
  Rig rig;
  add_mount(rig, "/work/below", "tmpfs", "tmpfs");
  rig.config["linux"]["readonlyPaths"] = {"/work"};
  EXPECT_EQ(rig.run("touch /work/new 2>&1; touch /work/below/new && echo written").out,
            "touch: /work/new: Read-only file system\nwritten\n");
}

TEST(Root, ReadonlyRefusesWritesButNotOnTheMountsInIt) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["root"]["readonly"] = true;
  add_mount(rig, "/work", "tmpfs", "tmpfs");
  EXPECT_EQ(rig.run("touch /new 2>&1; touch /work/new && echo written").out,
            "touch: /new: Read-only file system\nwritten\n");
  EXPECT_CLEAN(rig);
}

TEST(Root, ReadonlyIsTheContainersAndNotTheHosts) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["root"]["readonly"] = true;
  ASSERT_EQ(rig.run("true").code, 0);
  write_file(rig.rootfs() + "/new", "x");
  EXPECT_EQ(read_file(rig.rootfs() + "/new"), "x");
}

TEST(Root, WithAnAbsolutePathNeedNotLieInTheBundle) {
  REQUIRE_ROOT();
  Rig rig;
  fs::rename(rig.rootfs(), rig.path("elsewhere"));
  rig.config["root"]["path"] = rig.path("elsewhere");
  EXPECT_EQ(rig.run("head -n 1 /etc/passwd | cut -c 1-4").out, "root\n");
  EXPECT_CLEAN(rig);
}

TEST(Root, OfTheContainerIsAllThatItSeesOfTheHost) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.run("cd ../../..; ls /; head -n 1 /proc/self/mountinfo | cut -d ' ' -f 5");
  EXPECT_EQ(outcome.out, "bin\ndev\netc\nproc\nroot\nsys\ntmp\nwork\n/\n");
}

TEST(Root, NoPivotGivesTheSameView) {
  REQUIRE_ROOT();
  Rig rig;
  rig.script(
      "ls / | wc -l; touch /work/new && ls /work; cd /; pwd; mount -t proc proc /tmp 2>/dev/null || echo refused");
  const Outcome outcome = rig.skiff({"run", "--no-pivot", rig.id()});
  EXPECT_EQ(outcome.out, "8\nnew\n/\nrefused\n") << outcome.err;
  EXPECT_CLEAN(rig);
}

}  // namespace
}  // namespace skiff::rig
