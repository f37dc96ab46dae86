// list and ps: what is there, for people and for programs.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

TEST(List, AnEmptyRootIsAnEmptyListInEveryFormat) {
  Rig rig;
  const Outcome json = run_program({program(), "--root", rig.root(), "list", "--format", "json"});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_TRUE(Json::parse(json.out).empty()) << json.out;
  EXPECT_EQ(run_program({program(), "--root", rig.root(), "list", "-q"}).out, "");
  const Outcome table = run_program({program(), "--root", rig.root(), "list"});
  EXPECT_EQ(table.code, 0);
  EXPECT_EQ(table.out.substr(0, 2), "ID");
}

TEST(List, ShowsEachContainerWithItsState) {
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  rig.config["linux"]["cgroupsPath"] = rig.cgroup() + "-second";
  ASSERT_EQ(rig.skiff({"create", "a-second"}).code, 0);
  const Json list = Json::parse(rig.skiff({"list", "-f", "json"}).out);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["id"], "a-second");
  EXPECT_EQ(list[0]["status"], "created");
  EXPECT_EQ(list[1]["id"], rig.id());
  EXPECT_EQ(list[1]["status"], "running");
  EXPECT_EQ(list[1]["pid"], pid);
  EXPECT_EQ(list[1]["bundle"], rig.bundle());
  EXPECT_EQ(list[1]["owner"], "root");
  for (const char *key : {"ociVersion", "rootfs", "created"}) EXPECT_TRUE(list[1].contains(key)) << key;
  EXPECT_EQ(rig.skiff({"list", "--quiet"}).out, "a-second\n" + rig.id() + "\n");
  const std::string table = rig.skiff({"list"}).out;
  for (const char *heading : {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}) {
    EXPECT_NE(table.find(heading), std::string::npos) << table;
  }
  EXPECT_NE(table.find(std::to_string(pid)), std::string::npos) << table;
}

TEST(List, AContainerWhoseCreationWasCutShortDoesNotHideTheOthers) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  ASSERT_EQ(::mkdir((rig.root() + "/cut").c_str(), 0700), 0);
  const Outcome list = rig.skiff({"list", "--format", "json"});
  EXPECT_EQ(list.code, 0);
  EXPECT_EQ(Json::parse(list.out).size(), 1U);
  EXPECT_EQ(rig.skiff({"state", "cut"}).code, 1);
  EXPECT_EQ(rig.skiff({"delete", "--force", "cut"}).code, 0);
  EXPECT_EQ(rig.skiff({"delete", "--force", rig.id()}).code, 0);
  EXPECT_TRUE(rig.leftovers().empty()) << rig.leftovers().front();
}

TEST(Ps, JsonIsTheListOfPidsOnTheHost) {  // containerd: [1,2,3]
  REQUIRE_ROOT();
  Rig rig;
  const int pid = rig.start_waiting();
  ASSERT_EQ(rig.skiff({"exec", "-d", "--pid-file", rig.path("exec.pid"), rig.id(), "sleep", "1000"}).code, 0);
  const Outcome outcome = rig.skiff({"ps", "--format", "json", rig.id()});
  const Json pids = Json::parse(outcome.out);
  ASSERT_TRUE(pids.is_array());
  EXPECT_NE(std::ranges::find(pids, Json(pid)), pids.end()) << outcome.out;
  EXPECT_NE(std::ranges::find(pids, Json(std::stoi(read_file(rig.path("exec.pid"))))), pids.end()) << outcome.out;
}

TEST(Ps, TheTableIsThatOfPsWithTheCallersOptionsAndOnlyOurProcesses) {
  REQUIRE_ROOT();
  if (::access("/usr/bin/ps", X_OK) != 0 && ::access("/bin/ps", X_OK) != 0) GTEST_SKIP() << "needs ps (procps)";
  Rig rig;
  const int pid = rig.start_waiting();
  const Outcome table = rig.skiff({"ps", rig.id()});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(table.out.substr(0, 3), "UID");
  EXPECT_NE(table.out.find(std::to_string(pid)), std::string::npos) << table.out;
  const Outcome chosen = rig.skiff({"ps", rig.id(), "-e", "-o", "pid,comm"});
  EXPECT_EQ(chosen.code, 0) << chosen.err;
  EXPECT_NE(chosen.out.find("COMMAND"), std::string::npos) << chosen.out;
  EXPECT_EQ(chosen.out.find("UID"), std::string::npos) << chosen.out;
}

TEST(Ps, AStoppedContainerHasNoProcess) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"run", "--keep", rig.id()}).code, 0);
  EXPECT_EQ(rig.skiff({"ps", "--format", "json", rig.id()}).out, "[]\n");
}

}  // namespace
}  // namespace skiff::rig
