// /dev, linux.devices and the device cgroup: config-linux.md, "Default Devices", "Devices", "Device Cgroup".
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

Json device(const std::string &path, const std::string &type, int major, int minor) {
  return {{"path", path}, {"type", type}, {"major", major}, {"minor", minor}};
}

TEST(Devices, TheDefaultOnesAreThereAndWork) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.run(
      "for d in null zero full random urandom tty; do stat -c '%n %F %t:%T %a %u:%g' /dev/$d; done;"
      "head -c 5 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; echo x > /dev/null; echo x > /dev/full");
  EXPECT_EQ(outcome.out,
            "/dev/null character special file 1:3 666 0:0\n/dev/zero character special file 1:5 666 0:0\n"
            "/dev/full character special file 1:7 666 0:0\n/dev/random character special file 1:8 666 0:0\n"
            "/dev/urandom character special file 1:9 666 0:0\n/dev/tty character special file 5:0 666 0:0\n5\n5\n");
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

// config-linux.md, "Dev symbolic links".
TEST(Devices, TheLinksOfTheSpecificationAreThere) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done").out,
            "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n");
}

TEST(Devices, AListedOneHasItsModeAndItsOwner) {
  REQUIRE_ROOT();
  Rig rig;
  Json fuse = device("/dev/fuse", "c", 10, 229);
  fuse["fileMode"] = 0640;
  fuse["uid"] = 11;
  fuse["gid"] = 12;
  Json loop = device("/dev/deep/loop", "b", 7, 0);
  loop["fileMode"] = 0600;
  const Json fifo = {{"path", "/work/fifo"}, {"type", "p"}, {"fileMode", 0622}, {"uid", 3}};
  rig.config["linux"]["devices"] = {fuse, loop, fifo, device("/work/unbuffered", "u", 1, 5)};
  const Outcome outcome =
      rig.run("for d in /dev/fuse /dev/deep/loop /work/fifo /work/unbuffered; do stat -c '%F %t:%T %a %u:%g' $d; done");
  EXPECT_EQ(outcome.out,
            "character special file a:e5 640 11:12\nblock special file 7:0 600 0:0\nfifo 0:0 622 3:0\n"
            "character special file 1:5 666 0:0\n")
      << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(Devices, AListedOneTakesTheCallersUmaskForNothing) {
  REQUIRE_ROOT();
  Rig rig;
  Json fuse = device("/dev/fuse", "c", 10, 229);
  fuse["fileMode"] = 0777;
  rig.config["linux"]["devices"] = Json::array({fuse});
  const mode_t before = ::umask(077);
  const Outcome outcome = rig.run("stat -c %a /dev/fuse /dev/null /dev/pts");
  ::umask(before);
  EXPECT_EQ(outcome.out, "777\n666\n755\n") << outcome.err;
}

TEST(Devices, AListedOneReplacesADefaultOne) {
  REQUIRE_ROOT();
  Rig rig;
  Json null = device("/dev/null", "c", 1, 3);
  null["fileMode"] = 0600;
  null["uid"] = 9;
  rig.config["linux"]["devices"] = Json::array({null});
  EXPECT_EQ(rig.run("stat -c '%t:%T %a %u' /dev/null").out, "1:3 600 9\n");
}

// On v1 the rules are those of devices.allow and devices.deny; what a container must always have stays allowed.
TEST(DeviceCgroup, RefusesWhatIsNotAllowed) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["linux"]["devices"] = Json::array({device("/dev/fuse", "c", 10, 229)});
  rig.config["linux"]["resources"]["devices"] = {
      {{"allow", false}, {"access", "rwm"}},
      {{"allow", true}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "r"}}};
  const Outcome outcome =
      rig.run("exec 3< /dev/fuse && echo read; (exec 4> /dev/fuse) || echo no write; head -c 1 /dev/zero | wc -c");
  EXPECT_EQ(outcome.out, "read\nno write\n1\n") << outcome.err;
  EXPECT_NE(outcome.err.find("Operation not permitted"), std::string::npos) << outcome.err;
  EXPECT_CLEAN(rig);
}

TEST(DeviceCgroup, LaterRulesTakeBackWhatEarlierOnesAllowed) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["linux"]["devices"] = Json::array({device("/dev/fuse", "c", 10, 229)});
  Json &rules = rig.config["linux"]["resources"]["devices"];
  rules = {{{"allow", true}, {"access", "rwm"}}};
  const std::string script = "(exec 3< /dev/fuse) && echo opened || echo refused";
  EXPECT_EQ(rig.run(script).out, "opened\n");
  rules.push_back({{"allow", false}, {"type", "c"}, {"major", 10}, {"minor", 229}, {"access", "rwm"}});
  EXPECT_EQ(rig.run(script).out, "refused\n");
}

TEST(DeviceCgroup, RefusesToMakeANodeOfAnotherDevice) {
  REQUIRE_ROOT();
  Rig rig;
  for (const char *set : {"bounding", "effective", "permitted"}) {
    rig.config["process"]["capabilities"][set].push_back("CAP_MKNOD");
  }
  rig.config["linux"]["resources"]["devices"] = {{{"allow", false}, {"access", "rwm"}},
                                                 {{"allow", true}, {"type", "b"}, {"major", 7}, {"access", "m"}}};
  const Outcome outcome = rig.run("mknod /tmp/a b 7 3 && echo made; (exec 3< /tmp/a) 2>/dev/null || echo not open");
  EXPECT_EQ(outcome.out, "made\nnot open\n") << outcome.err;
}

TEST(Devices, DevShmAndPtsAreMountedAndAPseudoterminalCanBeMade) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.run("stat -c %a /dev/shm; test -c /dev/pts/ptmx && exec 3<> /dev/ptmx && ls /dev/pts").out,
            "1777\n0\nptmx\n");
}

}  // namespace
}  // namespace skiff::rig
