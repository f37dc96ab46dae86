// A directory stands where the kernel would show resctrl: what is tested is which directories are made, what is written
// to which file and what is refused, not that a kernel takes it.
#include "runtime/intel_rdt.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "runtime/plan_intel_rdt.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff {
namespace {

namespace fs = std::filesystem;

class IntelRdt : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(root() + "/info");
    write("info/last_cmd_status", "ok\n");
  }
  [[nodiscard]] std::string root() const { return directory_.path(); }
  void write(const std::string &name, const std::string &text) const { std::ofstream(root() + "/" + name) << text; }
  [[nodiscard]] std::string read(const std::string &name) const {
    std::ostringstream text;
    text << std::ifstream(root() + "/" + name).rdbuf();
    return text.str();
  }
  // What the kernel puts into a new group.
  void make_group(const std::string &name) const {
    fs::create_directories(root() + "/" + name + "/mon_groups");
    write(name + "/tasks", "");
    write(name + "/schemata", "L3:0=ff\n");
  }
  Status record(const spec::IntelRdt &rdt) {
    plan = make_intel_rdt_plan(rdt, "box");
    return record_intel_rdt(plan, named_schemata(rdt), root(), kept);
  }

  IntelRdtPlan plan;
  spec::Record kept;

 private:
  TemporaryDirectory directory_;
};

TEST_F(IntelRdt, AGroupThatIsThereIsJoinedAndStays) {
  make_group("gold");
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  ASSERT_TRUE(record(rdt));
  EXPECT_EQ(kept.intel_rdt_path, root() + "/gold");
  EXPECT_FALSE(kept.intel_rdt_made);
  ASSERT_TRUE(join_intel_rdt(plan, kept, 4711));
  EXPECT_EQ(read("gold/tasks"), "4711");
  EXPECT_EQ(read("gold/schemata"), "L3:0=ff\n") << "nothing was asked to be written";
  ASSERT_TRUE(remove_intel_rdt(kept));
  EXPECT_TRUE(fs::exists(root() + "/gold"));
}

TEST_F(IntelRdt, AGroupThatIsNotThereIsAnErrorThatNamesIt) {
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  const Status recorded = record(rdt);
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().number, ENOENT);
  EXPECT_EQ(recorded.error().text, "linux.intelRdt.closID: " + root() + "/gold");
  EXPECT_FALSE(recorded.error().remedy.empty());
}

TEST_F(IntelRdt, AGroupWithOtherSchemataIsRefused) {
  make_group("gold");
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  rdt.l3_cache_schema = "L3:0=f";
  const Status recorded = record(rdt);
  ASSERT_FALSE(recorded);
  EXPECT_NE(recorded.error().text.find("does not have \"L3:0=f\""), std::string::npos) << recorded.error().text;
  rdt.l3_cache_schema = "L3:0=0ff";
  EXPECT_TRUE(record(rdt));
}

TEST_F(IntelRdt, SchemataAreOneWriteOfAllLines) {
  make_group("gold");
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  rdt.l3_cache_schema = "L3:0=ff";
  rdt.schemata = {"MB:0=20", "L2:0=1"};
  ASSERT_TRUE(record(rdt));
  ASSERT_TRUE(join_intel_rdt(plan, kept, 1));
  EXPECT_EQ(read("gold/schemata"), "L3:0=ff\nMB:0=20\nL2:0=1\n");
}

TEST_F(IntelRdt, TheContainersOwnGroupIsMadeAndRecordedAsSuchBefore) {
  ASSERT_TRUE(record({}));
  EXPECT_EQ(kept.intel_rdt_path, root() + "/box");
  EXPECT_TRUE(kept.intel_rdt_made);
  EXPECT_FALSE(fs::exists(root() + "/box"));
  // Here no kernel puts the file tasks into it.
  const Status joined = join_intel_rdt(plan, kept, 4711);
  EXPECT_EQ(joined.error().number, ENOENT);
  EXPECT_TRUE(fs::is_directory(root() + "/box"));
  ASSERT_TRUE(remove_intel_rdt(kept));
  EXPECT_FALSE(fs::exists(root() + "/box"));
  EXPECT_TRUE(remove_intel_rdt(kept)) << "what is gone is no error";
}

// "Or the runtime has not created the sub-directory, the runtime MUST NOT remove the sub-directory".
TEST_F(IntelRdt, AGroupOfTheContainersNameThatSomebodyMadeStays) {
  make_group("box");
  ASSERT_TRUE(record({}));
  EXPECT_FALSE(kept.intel_rdt_made);
  ASSERT_TRUE(remove_intel_rdt(kept));
  EXPECT_TRUE(fs::exists(root() + "/box"));
}

TEST_F(IntelRdt, AMonitoringGroupIsMadeBelowTheClassAndRemoved) {
  make_group("gold");
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  rdt.enable_monitoring = true;
  ASSERT_TRUE(record(rdt));
  fs::create_directory(root() + "/gold/mon_groups/box");
  write("gold/mon_groups/box/tasks", "");
  ASSERT_TRUE(join_intel_rdt(plan, kept, 4711));
  EXPECT_EQ(read("gold/tasks") + read("gold/mon_groups/box/tasks"), "47114711");
  fs::remove(root() + "/gold/mon_groups/box/tasks");
  ASSERT_TRUE(remove_intel_rdt(kept));
  EXPECT_FALSE(fs::exists(root() + "/gold/mon_groups/box"));
  EXPECT_TRUE(fs::exists(root() + "/gold"));
}

TEST_F(IntelRdt, TheKernelsOwnSentenceIsInTheError) {
  make_group("gold");
  fs::remove(root() + "/gold/tasks");
  write("info/last_cmd_status", "Unknown schema name 'L9'\n");
  spec::IntelRdt rdt;
  rdt.clos_id = "gold";
  ASSERT_TRUE(record(rdt));
  const Status joined = join_intel_rdt(plan, kept, 1);
  ASSERT_FALSE(joined);
  EXPECT_NE(joined.error().text.find("(Unknown schema name 'L9')"), std::string::npos) << joined.error().text;
}

TEST_F(IntelRdt, AHostWithoutResctrlIsToldSo) {
  if (fs::exists("/sys/fs/resctrl/schemata")) GTEST_SKIP() << "resctrl is mounted here";
  const Result<std::string> found = find_resctrl(*kernel::Procfs::open_host());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, "linux.intelRdt: no resctrl filesystem is mounted");
  EXPECT_FALSE(found.error().remedy.empty());
}

}  // namespace
}  // namespace skiff
