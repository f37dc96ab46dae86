// config-linux.md, "IntelRdt"
#include "runtime/plan_intel_rdt.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

using Lines = std::vector<std::string>;

spec::IntelRdt make_rdt(std::string clos_id, Lines schemata = {}) {
  spec::IntelRdt rdt;
  rdt.clos_id = std::move(clos_id);
  rdt.schemata = std::move(schemata);
  return rdt;
}

// "If closID is not set, runtimes MUST use the container ID [...] and create the <container-id> directory", and "MUST
// remove the sub-directory when the container is deleted".
TEST(PlanIntelRdt, WithoutAClosIdTheGroupIsTheContainersOwn) {
  const IntelRdtPlan plan = make_intel_rdt_plan(make_rdt(""), "box");
  EXPECT_EQ(plan.group, "box");
  EXPECT_TRUE(plan.create);
  EXPECT_TRUE(plan.remove);
  EXPECT_EQ(plan.monitor_group, "");
}

// "If closID is set, and none of [the schemata] are set, runtime MUST check if corresponding pre-configured directory
// closID is present"; "the runtime MUST NOT remove the sub-directory".
TEST(PlanIntelRdt, AClosIdIsMadeOnlyForItsSchemata) {
  const IntelRdtPlan joined = make_intel_rdt_plan(make_rdt("gold"), "box");
  EXPECT_EQ(joined.group, "gold");
  EXPECT_FALSE(joined.create);
  EXPECT_FALSE(joined.remove);
  const IntelRdtPlan made = make_intel_rdt_plan(make_rdt("gold", {"L2:0=f"}), "box");
  EXPECT_TRUE(made.create);
  EXPECT_FALSE(made.remove);
}

TEST(PlanIntelRdt, ASlashIsTheDefaultClass) {
  const IntelRdtPlan plan = make_intel_rdt_plan(make_rdt("/", {"L3:0=f"}), "box");
  EXPECT_EQ(plan.group, "");
  EXPECT_FALSE(plan.create);
  EXPECT_FALSE(plan.remove);
}

// "The runtimes MUST write l3CacheSchema first and memBwSchema last"; "the value of schemata field must be written
// last".
TEST(PlanIntelRdt, SchemataAreWrittenInTheOrderOfTheClause) {
  spec::IntelRdt rdt = make_rdt("", {"L2:0=1", "L3:0=f"});
  rdt.mem_bw_schema = "MB:0=20";
  rdt.l3_cache_schema = "L3:0=7";
  EXPECT_EQ(make_intel_rdt_plan(rdt, "box").schemata, (Lines{"L3:0=7", "MB:0=20", "L2:0=1", "L3:0=f"}));
  EXPECT_EQ(named_schemata(rdt), (Lines{"L3:0=7", "MB:0=20"}));
}

TEST(PlanIntelRdt, MonitoringHasAGroupOfTheContainersName) {
  spec::IntelRdt rdt = make_rdt("gold");
  rdt.enable_monitoring = true;
  EXPECT_EQ(make_intel_rdt_plan(rdt, "box").monitor_group, "box");
}

// "Runtimes MUST compare l3CacheSchema and/or memBwSchema value with schemata file".
TEST(PlanIntelRdt, SchemataAreComparedByWhatTheyMean) {
  const std::string there = "    MB:0=100;1= 70\n    L3:0=007f0;1=1f\n";  // as the kernel writes them
  EXPECT_TRUE(schemata_has(there, "L3:0=7F0;1=1f"));
  EXPECT_TRUE(schemata_has(there, "L3:1=1f"));
  EXPECT_TRUE(schemata_has(there, "MB:1=70;0=100"));
  EXPECT_FALSE(schemata_has(there, "L3:0=7f1"));
  EXPECT_FALSE(schemata_has(there, "L3:2=1f"));
  EXPECT_FALSE(schemata_has(there, "L2:0=f"));
  EXPECT_FALSE(schemata_has("", "L3:0=f"));
}

}  // namespace
}  // namespace skiff
