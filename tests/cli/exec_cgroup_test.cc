// exec --cgroup [CONTROLLER:]PATH: in a cgroup that somebody made below the container's own, as runc has it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

constexpr const char *pids_cgroup = "sed -n '/:pids:/s/.*://p;/^0::/s/.*://p' /proc/self/cgroup | head -n 1";

// The directory of the container's cgroup that holds pids.max, as the host has it mounted.
std::string pids_directory(const Rig &rig) {
  for (const char *mount : {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}) {
    for (const char *own : {"", "/init.scope"}) {
      const std::string path = std::string(mount) + own + rig.cgroup();
      if (std::filesystem::exists(path + "/pids.max")) return path;
    }
  }
  return "";
}

TEST(ExecCgroup, TheProcessRunsInACgroupBelowTheContainersOwn) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const std::string directory = pids_directory(rig);
  if (directory.empty()) GTEST_SKIP() << "no pids controller where the test looks for it";
  ASSERT_TRUE(std::filesystem::create_directory(directory + "/below"));
  const std::string below = directory.starts_with("/sys/fs/cgroup/pids/") ? "pids:below" : "below";
  const Outcome outcome = rig.skiff({"exec", "--cgroup", below, rig.id(), "sh", "-c", pids_cgroup});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("/below\n")) << outcome.out;
  const Outcome top = rig.skiff({"exec", "--cgroup", "/", rig.id(), "sh", "-c", pids_cgroup});
  EXPECT_FALSE(top.out.contains("below")) << top.out << top.err;
  ASSERT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_CLEAN(rig);
}

TEST(ExecCgroup, AMissingCgroupAndOneOutsideAreRefused) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  for (const char *path : {"absent", "../..", "pids:../..", "nosuchcontroller:/"}) {
    const Outcome outcome = rig.skiff({"exec", "--cgroup", path, rig.id(), "true"});
    EXPECT_EQ(outcome.code, 255) << path;
    EXPECT_NE(outcome.err.find("--cgroup: "), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace skiff::rig
