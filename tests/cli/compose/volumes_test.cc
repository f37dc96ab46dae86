// Volumes and parts of them, over starts and stops.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/compose/compose_rig.h"

namespace skiff::rig {
namespace {

namespace fs = std::filesystem;

std::string data_of(const ComposeRig &rig, const std::string &name) {
  return rig.state() + "/volumes/" + name + "/_data";
}

TEST(ComposeVolumes, APartIsMountedAloneAtEveryStart) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(rig.compose({"volume", "create", "v"}).code, 0);
  fs::create_directories(data_of(rig, "v") + "/deep/part");
  write_file(data_of(rig, "v") + "/deep/part/note", "of the part\n");
  write_file(data_of(rig, "v") + "/file", "of a file\n");
  (void)rig.start({"--name", "c", "--mount", "type=volume,source=v,target=/x,volume-subpath=deep/part", "--mount",
                   "type=volume,source=v,target=/y,volume-subpath=file"},
                  "sleep 1000");
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(rig.compose({"exec", "c", "cat", "/x/note", "/y"}).out, "of the part\nof a file\n");
    ASSERT_EQ(rig.compose({"restart", "-t", "0", "c"}).code, 0);
  }
  EXPECT_EQ(rig.compose({"run", "--rm", "--network", "none", "--volumes-from", "c", "busybox", "cat", "/x/note"}).out,
            "of the part\n");
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"volume", "rm", "v"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST(ComposeVolumes, APartThatHasBecomeALinkIsNeverFollowed) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(rig.compose({"volume", "create", "v"}).code, 0);
  fs::create_directories(data_of(rig, "v") + "/part");
  const auto create = [&](const std::string &part) {
    return rig.compose({"create", "--name", "c", "--network", "none", "--mount",
                        "type=volume,source=v,target=/x,volume-subpath=" + part, "busybox", "sleep", "1000"});
  };
  for (const char *bad : {"../../..", "none"}) EXPECT_EQ(create(bad).code, bad[0] == 'n' ? 4 : 1) << bad;
  ASSERT_EQ(create("part").code, 0);
  // What a container that has the whole volume may do meanwhile.
  fs::remove(data_of(rig, "v") + "/part");
  fs::create_directory_symlink("/etc", data_of(rig, "v") + "/part");
  const Outcome started = rig.compose({"start", "c"});
  EXPECT_EQ(started.code, 1);
  EXPECT_NE(started.err.find("it must not lead over a symbolic link"), std::string::npos) << started.err;
  EXPECT_EQ(rig.compose({"rm", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"volume", "rm", "v"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

TEST(ComposeVolumes, ADeviceIsMountedAgainWithTheNextStart) {
  REQUIRE_ROOT();
  const ComposeRig rig;
  ASSERT_EQ(rig.compose({"volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=3m", "v"}).code,
            0);
  (void)rig.start({"--name", "c", "-v", "v:/x"}, "sleep 1000");
  for (int run = 0; run < 2; ++run) {
    EXPECT_EQ(rig.compose({"exec", "c", "sh", "-c", "df -k /x | tail -n 1 | tr -s ' ' | cut -d' ' -f2"}).out, "3072\n");
    ASSERT_EQ(rig.compose({"restart", "-t", "0", "c"}).code, 0);
  }
  EXPECT_EQ(rig.compose({"rm", "-f", "c"}).code, 0);
  EXPECT_EQ(rig.compose({"volume", "rm", "v"}).code, 0);
  EXPECT_EQ(rig.leftovers(), std::vector<std::string>());
}

}  // namespace
}  // namespace skiff::rig
