// What the options of a mount do to a program that tries: config.md, "Mounts" and "Linux mount options".
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

// The optional fields and the options of the mount at /work, as mountinfo has them.
const char *const print_work = "grep ' /work ' /proc/self/mountinfo";

class Mounts : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    fs::create_directories(data() + "/below");
    write_file(data() + "/file", "of the host\n");
  }
  // A second filesystem below the source, so that there is something to be recursive about. It lives in a mount
  // namespace of this test alone.
  void mount_below() {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("tmpfs", (data() + "/below").c_str(), "tmpfs", 0, "mode=755"), 0);
    write_file(data() + "/below/inner", "below\n");
    below_ = true;
  }
  void TearDown() override {
    if (below_) ::umount2((data() + "/below").c_str(), MNT_DETACH);
    EXPECT_CLEAN(rig);
  }
  [[nodiscard]] std::string data() const { return rig.path("data"); }
  std::string out_of(const std::vector<std::string> &options, const std::string &script) {
    add_mount(rig, "/work", "bind", data(), options);
    const Outcome outcome = rig.run(script);
    return outcome.out + outcome.err;
  }

  Rig rig;

 private:
  bool below_ = false;
};

TEST_F(Mounts, BindShowsTheSourceAndCanBeWritten) {
  EXPECT_EQ(out_of({"bind"}, "cat /work/file; echo more > /work/new && echo written"), "of the host\nwritten\n");
  EXPECT_EQ(read_file(data() + "/new"), "more\n");
}

TEST_F(Mounts, BindLeavesOutWhatIsMountedBelow) {
  mount_below();
  EXPECT_EQ(out_of({"bind"}, "ls /work/below | wc -l"), "0\n");
}

TEST_F(Mounts, RbindTakesAlongWhatIsMountedBelow) {
  mount_below();
  EXPECT_EQ(out_of({"rbind"}, "cat /work/below/inner"), "below\n");
}

TEST_F(Mounts, RoRefusesWrites) {
  EXPECT_EQ(out_of({"rbind", "ro"}, "touch /work/new"), "touch: /work/new: Read-only file system\n");
}

TEST_F(Mounts, RoIsForTheMountItselfAndNotForThoseBelow) {
  mount_below();
  EXPECT_EQ(out_of({"rbind", "ro"}, "touch /work/below/new && echo written"), "written\n");
}

TEST_F(Mounts, RroIsForThoseBelowToo) {
  mount_below();
  EXPECT_EQ(out_of({"rbind", "rro"}, "touch /work/new; touch /work/below/new"),
            "touch: /work/new: Read-only file system\ntouch: /work/below/new: Read-only file system\n");
}

TEST_F(Mounts, RnoexecAndRnosuidReachTheMountsBelow) {
  mount_below();
  const std::string text = out_of({"rbind", "rnoexec", "rnosuid", "rnodev"}, "grep ' /work' /proc/self/mountinfo");
  const std::vector<std::string> lines = lines_of(text);
  ASSERT_EQ(lines.size(), 2U) << text;
  for (const std::string &line : lines) EXPECT_NE(line.find(",nosuid,nodev,noexec"), std::string::npos) << line;
}

TEST_F(Mounts, NoexecRefusesToRunAProgram) {
  fs::copy_file(rig.rootfs() + "/bin/busybox", data() + "/busybox");
  EXPECT_EQ(out_of({"bind", "noexec"}, "/work/busybox true 2>&1; echo $?"),
            "sh: /work/busybox: Permission denied\n126\n");
}

TEST_F(Mounts, NosuidTakesTheEffectOfTheSetUserIdBit) {
  bring_raw_call(rig);  // busybox drops the rights of its set-user-ID bit by itself
  fs::copy_file(rig.rootfs() + "/bin/raw_call", data() + "/call");
  ::chmod((data() + "/call").c_str(), 04755);
  rig.config["process"]["noNewPrivileges"] = false;
  rig.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  add_mount(rig, "/root", "bind", data(), {"bind", "suid"});
  EXPECT_EQ(out_of({"bind", "nosuid"}, "/root/call 107; /work/call 107"), "0 0 \n1000 0 \n");  // geteuid
}

TEST_F(Mounts, NodevRefusesToOpenADevice) {
  ASSERT_EQ(::mknod((data() + "/zero").c_str(), S_IFCHR | 0666, 0x105), 0);
  EXPECT_EQ(out_of({"bind", "nodev"}, "head -c 1 /work/zero"), "head: /work/zero: Permission denied\n");
}

TEST_F(Mounts, NosymfollowRefusesLinks) {
  fs::create_symlink("file", data() + "/link");
  EXPECT_EQ(out_of({"bind", "nosymfollow"}, "cat /work/link"),
            "cat: can't open '/work/link': Too many levels of symbolic links\n");
}

TEST_F(Mounts, NoatimeAndStrictatimeAreSeenInMountinfo) {
  EXPECT_NE(out_of({"bind", "noatime"}, print_work).find(",noatime"), std::string::npos);
}

class Propagation : public Mounts, public testing::WithParamInterface<std::pair<const char *, const char *>> {};

TEST_P(Propagation, IsSeenInMountinfo) {
  const auto &[option, mark] = GetParam();
  const std::string line = out_of({"rbind", option}, print_work);
  const bool none = std::string(mark).empty();
  if (none) {
    EXPECT_EQ(line.find("shared:"), std::string::npos) << line;
    EXPECT_EQ(line.find("master:"), std::string::npos) << line;
    EXPECT_EQ(line.find("unbindable"), std::string::npos) << line;
  } else {
    EXPECT_NE(line.find(mark), std::string::npos) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Option, Propagation,
                         testing::Values(std::pair{"private", ""}, std::pair{"rprivate", ""},
                                         std::pair{"shared", "shared:"}, std::pair{"rshared", "shared:"},
                                         std::pair{"unbindable", "unbindable"}, std::pair{"runbindable", "unbindable"}),
                         [](const auto &option) { return std::string(option.param.first); });

TEST_F(Mounts, SlaveReceivesFromASharedSource) {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount(data().c_str(), data().c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount("", data().c_str(), nullptr, MS_SHARED, nullptr), 0);
  const std::string line = out_of({"rbind", "rslave"}, print_work);
  EXPECT_NE(line.find("master:"), std::string::npos) << line;
  ::umount2(data().c_str(), MNT_DETACH);
}

TEST_F(Mounts, TmpfsHasTheSizeAndTheModeOfItsOptions) {
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"size=64k", "mode=1777", "uid=5", "nr_inodes=20"});
  const Outcome outcome = rig.run(
      "stat -c %a:%u /work; stat -f -c '%b*%S' /work; dd if=/dev/zero of=/work/file bs=4096 count=20 2>&1 | grep out");
  EXPECT_EQ(lines_of(outcome.out).at(0), "1777:5") << outcome.err;
  EXPECT_EQ(lines_of(outcome.out).at(1), "16*4096");
  EXPECT_EQ(lines_of(outcome.out).at(2), "16+0 records out") << outcome.out;
}

TEST_F(Mounts, IversionIsAcceptedWhereTheFilesystemHasNoWordForIt) {  // config.md, Linux mount options
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"iversion"});
  EXPECT_EQ(rig.run("echo x > /work/file && cat /work/file").out, "x\n");
}

TEST_F(Mounts, TmpfsTakesTheModeOfTheDirectoryThatItCovers) {
  ::chmod((rig.rootfs() + "/work").c_str(), 01777);
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"nosuid"});
  EXPECT_EQ(rig.run("stat -c %a /work").out, "1777\n");
}

TEST_F(Mounts, TmpcopyupFillsATmpfsWithWhatItCovers) {
  write_file(rig.rootfs() + "/work/file", "of the image\n");
  fs::create_directories(rig.rootfs() + "/work/deep/er");
  fs::create_symlink("file", rig.rootfs() + "/work/link");
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"tmpcopyup"});
  EXPECT_EQ(rig.run("cat /work/link; test -d /work/deep/er && rm /work/file && echo removed").out,
            "of the image\nremoved\n");
  EXPECT_EQ(read_file(rig.rootfs() + "/work/file"), "of the image\n");
}

TEST_F(Mounts, AReadonlyTmpfsWithTmpcopyupIsFilledAndThenReadonly) {
  write_file(rig.rootfs() + "/work/file", "of the image\n");
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"tmpcopyup", "ro"});
  EXPECT_EQ(rig.run("cat /work/file; touch /work/new 2>&1").out,
            "of the image\ntouch: /work/new: Read-only file system\n");
}

TEST_F(Mounts, MqueueAndDevptsAndProcAndSysfsAreTheContainersOwn) {
  add_mount(rig, "/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"});
  const Outcome outcome = rig.run(
      "for at in /proc /sys /dev/pts /dev/mqueue; do grep -m 1 \" $at \" /proc/self/mountinfo | sed 's/.* - //' | "
      "cut -d ' ' -f 1; done; ls /sys/class/net");
  EXPECT_EQ(outcome.out, "proc\nsysfs\ndevpts\nmqueue\nlo\n") << outcome.err;
}

// "mount_setattr" is asked to clear what the source has only where an option says so.
TEST_F(Mounts, ABindKeepsTheFlagsOfItsSourceUnlessAnOptionClearsThem) {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("tmpfs", data().c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID, ""), 0);
  add_mount(rig, "/root", "bind", data(), {"bind"});
  const std::string kept = out_of({"bind", "exec", "suid"}, "grep -E ' /(root|work) ' /proc/self/mountinfo");
  const std::vector<std::string> lines = lines_of(kept);
  ASSERT_EQ(lines.size(), 2U) << kept;
  EXPECT_NE(lines[0].find("nosuid,noexec"), std::string::npos) << lines[0];
  EXPECT_EQ(lines[1].substr(0, lines[1].find(" - ")).find("no"), std::string::npos) << lines[1];
  ::umount2(data().c_str(), MNT_DETACH);
}

// "The runtime MUST mount entries in the listed order."
TEST_F(Mounts, ALaterEntryCoversAnEarlierOne) {
  add_mount(rig, "/work", "tmpfs", "tmpfs");
  add_mount(rig, "/work/file", "bind", data() + "/file", {"bind", "ro"});
  EXPECT_EQ(rig.run("cat /work/file; ls /work").out, "of the host\nfile\n");
}

// config.md, "Mounts", destination: "for compatibility [...] runtimes may accept relative paths".
TEST_F(Mounts, ARelativeDestinationStartsAtTheRoot) {
  add_mount(rig, "relative/place", "tmpfs", "tmpfs");
  EXPECT_EQ(rig.run("grep -c ' /relative/place ' /proc/self/mountinfo").out, "1\n");
}

// config.md, "POSIX-platform Mounts": not only bind mounts have mappings.
TEST_F(Mounts, ATmpfsWithMappingsShowsItsFilesAsTheirs) {
  add_mount(rig, "/mapped", "tmpfs", "tmpfs", {"mode=0777"});
  Json &mount = rig.config["mounts"].back();
  mount["uidMappings"] = {{{"containerID", 0}, {"hostID", 1000}, {"size", 1}}};
  mount["gidMappings"] = {{{"containerID", 0}, {"hostID", 2000}, {"size", 1}}};
  const Outcome outcome = rig.run("stat -c '%u %g' /mapped");
  if (outcome.code != 0) {  // tmpfs takes them since Linux 6.3
    EXPECT_NE(outcome.err.find("cannot be id-mapped on this kernel"), std::string::npos) << outcome.err;
    return;
  }
  EXPECT_EQ(outcome.out, "1000 2000\n");
}

TEST_F(Mounts, RemountChangesAnEarlierEntry) {
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"size=64k"});
  add_mount(rig, "/work", "tmpfs", "tmpfs", {"remount", "ro", "noexec"});
  const Outcome outcome = rig.run("touch /work/new 2>&1; grep -c ' /work ' /proc/self/mountinfo");
  EXPECT_EQ(outcome.out, "touch: /work/new: Read-only file system\n1\n") << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
