#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/flag_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

class DeviceFlags : public ::testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    cdi = rig.directory("cdi");
    rig.context.cdi_directories = {cdi, rig.directory("cdi-run")};
  }
  void TearDown() override { EXPECT_EQ(rig.rig().leftovers(), std::vector<std::string>()); }

  FlagRig rig;
  std::string cdi;
};

TEST_F(DeviceFlags, DeviceIsMadeAndAllowed) {
  const std::string script = "head -c 3 /dev/mine | wc -c";
  EXPECT_PRINTS(rig.run({"--device", "/dev/zero:/dev/mine:r"}, script), "3\n");
  EXPECT_PRINTS(rig.run({"--device", "/dev/zero:/dev/mine"}, "stat -c '%F %t:%T' /dev/mine"),
                "character special file 1:5\n");
  EXPECT_NE(rig.run({"--device", "/dev/no-such"}, "true").err.find("devices: "), std::string::npos);
  EXPECT_NE(rig.run({"--device", "/etc/passwd"}, "true").err.find("is no device"), std::string::npos);
}

TEST_F(DeviceFlags, TheAccessIsTheDeviceCgroups) {
  if (!fs::exists("/dev/fuse")) GTEST_SKIP() << "needs /dev/fuse";
  EXPECT_PRINTS(rig.run({"--device", "/dev/fuse:/dev/fuse:r"},
                        "(: < /dev/fuse) && echo read; (: 2>/dev/null > /dev/fuse) || echo refused"),
                "read\nrefused\n");
}

TEST_F(DeviceFlags, ADirectoryStandsForItsDevices) {
  fs::create_directories(rig.path("devices/deep"));
  ASSERT_EQ(::mknod(rig.path("devices/deep/zero").c_str(), S_IFCHR | 0666, ::makedev(1, 5)), 0);
  EXPECT_PRINTS(rig.run({"--device", rig.path("devices") + ":/dev/set"}, "head -c 2 /dev/set/deep/zero | wc -c"),
                "2\n");
}

TEST_F(DeviceFlags, ARuleOfTheCgroupAllowsWhatIsMadeInside) {
  const std::string script = "mknod /dev/x c 10 229 2>/dev/null && echo made || echo refused";
  EXPECT_PRINTS(
      rig.run({"--cap-add", "MKNOD", "--device-cgroup-rule", "c 10:229 rwm"}, script + "; (: < /dev/x) && echo opened"),
      "made\nopened\n");
  EXPECT_NE(rig.run({"--device-cgroup-rule", "c 10 rwm"}, "true").err.find("is no rule"), std::string::npos);
}

constexpr const char *camera = R"({
  "cdiVersion": "0.6.0", "kind": "example.com/camera",
  "containerEdits": {"env": ["CAMERAS=yes"]},
  "devices": [
    {"name": "front", "containerEdits": {
      "env": ["FRONT=1"],
      "deviceNodes": [{"path": "/dev/camera", "hostPath": "/dev/zero", "permissions": "r"}],
      "mounts": [{"hostPath": "/etc/hostname", "containerPath": "/etc/camera", "options": ["ro"]}],
      "additionalGids": [44]}},
    {"name": "back", "containerEdits": {"env": ["BACK=1"]}}]})";

TEST_F(DeviceFlags, ACdiNameStandsForWhatItsVendorSays) {
  write_file(cdi + "/camera.json", camera);
  EXPECT_PRINTS(rig.run({"--device", "example.com/camera=front"},
                        "echo $CAMERAS $FRONT $BACK; head -c 4 /dev/camera | wc -c; id -G; cmp /etc/camera /etc/camera "
                        "&& echo bound"),
                "yes 1\n4\n0 44\nbound\n");
  const Outcome wrong = rig.run({"--device", "example.com/camera=fron"}, "true");
  EXPECT_EQ(
      wrong.err,
      "devices: no CDI device example.com/camera=fron: no such device; did you mean \"example.com/camera=front\"?");
}

TEST_F(DeviceFlags, TheLaterDirectoryOfCdiWinsAndABrokenFileHidesNoOther) {
  write_file(cdi + "/camera.json", camera);
  write_file(rig.path("cdi-run/camera.json"),
             R"({"cdiVersion": "0.6.0", "kind": "example.com/camera",
                 "devices": [{"name": "front", "containerEdits": {"env": ["LATER=1"]}}]})");
  write_file(cdi + "/broken.json", "{");
  EXPECT_PRINTS(rig.run({"--device", "example.com/camera=front", "--device", "example.com/camera=back"},
                        "echo $LATER-$FRONT-$BACK-$CAMERAS"),
                "1--1-yes\n");
  EXPECT_NE(rig.run({"--device", "example.com/other=x"}, "true").err.find("broken.json"), std::string::npos);
}

TEST_F(DeviceFlags, AFileOfCdiMayBeYaml) {
  write_file(
      cdi + "/card.yaml",
      "cdiVersion: 0.6.0\nkind: example.com/card\ndevices:\n- name: \"0\"\n  containerEdits:\n    env: [CARD=yaml]\n"
      "    deviceNodes:\n    - path: /dev/card\n      hostPath: /dev/zero\n      fileMode: 438\n");
  EXPECT_PRINTS(rig.run({"--device", "example.com/card=0"}, "echo $CARD; stat -c %a /dev/card"), "yaml\n666\n");
}

TEST_F(DeviceFlags, GpusAreDevicesOfTheClassGpu) {
  write_file(cdi + "/gpu.json",
             R"({"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": [
                 {"name": "0", "containerEdits": {"env": ["GPU0=1"]}}, {"name": "1", "containerEdits": {"env": ["GPU1=1"]}},
                 {"name": "all", "containerEdits": {"env": ["ALL=1"]}}]})");
  EXPECT_PRINTS(rig.run({"--gpus", "all"}, "echo $GPU0-$GPU1-$ALL"), "--1\n");
  EXPECT_PRINTS(rig.run({"--gpus", "2"}, "echo $GPU0-$GPU1-$ALL"), "1-1-\n");
  EXPECT_PRINTS(rig.run({"--gpus", "device=1"}, "echo $GPU0-$GPU1-$ALL"), "-1-\n");
  EXPECT_PRINTS(rig.run({"--gpus", "nvidia.com/gpu=0"}, "echo $GPU0-$GPU1-$ALL"), "1--\n");
  EXPECT_NE(rig.run({"--gpus", "device=7"}, "true").err.find("no CDI device gpu=7"), std::string::npos);
}

}  // namespace
}  // namespace skiff::rig
