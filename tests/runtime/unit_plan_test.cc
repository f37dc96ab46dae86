#include "runtime/unit_plan.h"

#include <gtest/gtest.h>

namespace skiff {
namespace {

std::string place(const std::string &cgroups_path, const std::string &id = "box", bool user = false) {
  const Result<UnitPlace> found = parse_unit_place(cgroups_path, id, user);
  return found ? found->slice + " " + found->unit : "error: " + found.error().message();
}

std::string path(std::string_view slice) {
  const Result<std::string> found = expand_slice(slice);
  return found ? *found : "error";
}

// The property of this name as it is sent, or the error.
std::string property(const spec::StringMap &annotations, std::string_view name) {
  const Result<Unit> unit = make_unit({.slice = "system.slice", .unit = "a.scope"}, annotations, "box", false, true);
  if (!unit) return "error: " + unit.error().message();
  std::string out;
  for (const UnitProperty &each : unit->properties) {
    if (each.name == name) out = each.field + " " + print_gvariant(each.value);
  }
  return out;
}

TEST(UnitPlace, IsSlicePrefixAndName) {
  EXPECT_EQ(place("machine.slice:libpod:1234"), "machine.slice libpod-1234.scope");
  EXPECT_EQ(place(":docker:1"), "system.slice docker-1.scope");
  EXPECT_EQ(place(":docker:1", "box", true), "user.slice docker-1.scope");
  EXPECT_EQ(place("::1"), "system.slice -1.scope");
  EXPECT_EQ(place("-:p:n"), "-.slice p-n.scope");
  EXPECT_EQ(place("a.slice:ignored:b.slice"), "a.slice b.slice");
}

TEST(UnitPlace, WithoutAPathIsNamedAfterTheContainer) {
  EXPECT_EQ(place(""), "system.slice skiff-box.scope");
  EXPECT_EQ(place("", "a+b_c.d-e"), R"(system.slice skiff-a\x2bb_c.d-e.scope)");
}

TEST(UnitPlace, OfAnotherFormIsAnError) {
  for (const char *wrong : {"/a/b", "a:b", "a:b:c:d", "a"}) {
    EXPECT_NE(place(wrong).find("expected cgroupsPath to be of format \"slice:prefix:name\""), std::string::npos)
        << wrong;
  }
  EXPECT_NE(place("a.slice:p:").find("has no name"), std::string::npos);
  EXPECT_NE(place("a.slice:p:x/y").find("no name of a systemd unit"), std::string::npos);
  EXPECT_NE(place("a.slice:p:" + std::string(300, 'x')).find("the most is 255"), std::string::npos);
}

// systemd.slice(5): "The "-" character separates path components".
TEST(Slice, ExpandsAlongItsDashes) {
  EXPECT_EQ(path("system.slice"), "/system.slice");
  EXPECT_EQ(path("kubepods-burstable-pod1.slice"),
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice");
  EXPECT_EQ(path("-.slice"), "");
  for (const char *wrong :
       {"", ".slice", "a", "a--b.slice", "-a.slice", "a-.slice", "a/b.slice", "../x.slice", "a b.slice"}) {
    EXPECT_EQ(path(wrong), "error") << wrong;
  }
}

TEST(Unit, AnAnnotationBecomesAProperty) {
  EXPECT_EQ(property({{"org.systemd.property.KillSignal", "15"}}, "KillSignal"),
            "annotations[\"org.systemd.property.KillSignal\"] 15");
  EXPECT_EQ(property({{"org.systemd.property.After", "['a.service', 'b.service']"}}, "After"),
            "annotations[\"org.systemd.property.After\"] ['a.service', 'b.service']");
  // Of two with one name systemd takes the later.
  EXPECT_EQ(property({{"org.systemd.property.DefaultDependencies", "true"}}, "DefaultDependencies"),
            "annotations[\"org.systemd.property.DefaultDependencies\"] true");
  EXPECT_EQ(property({{"org.example", "not ours"}}, "Delegate"), "systemd true");
}

TEST(Unit, SecondsOfAUnitFileAreMicrosecondsOnTheBus) {
  const auto stop = [](const char *value) {
    return property({{"org.systemd.property.TimeoutStopSec", value}}, "TimeoutStopUSec");
  };
  const std::string field = "annotations[\"org.systemd.property.TimeoutStopSec\"] ";
  EXPECT_EQ(stop("uint64 10"), field + "uint64 10000000");
  EXPECT_EQ(stop("1"), field + "uint64 1000000");
  EXPECT_EQ(stop("1.5"), field + "uint64 1500000");
  EXPECT_EQ(stop("uint64 18446744073709551615"), field + "uint64 18446744073709551615");
  EXPECT_NE(stop("-1").find("no time in seconds"), std::string::npos);
  EXPECT_NE(stop("'10s'").find("no time in seconds"), std::string::npos);
  EXPECT_NE(stop("uint64 18446744073709551614").find("no time in seconds"), std::string::npos);
  EXPECT_EQ(property({{"org.systemd.property.TimeoutStopUSec", "uint64 5"}}, "TimeoutStopUSec"),
            "annotations[\"org.systemd.property.TimeoutStopUSec\"] uint64 5");
}

TEST(Unit, AnAnnotationThatCannotBeReadIsAnErrorThatNamesIt) {
  EXPECT_NE(property({{"org.systemd.property.A1", "1"}}, "").find("org.systemd.property.A1\"]: \"A1\" is no name"),
            std::string::npos);
  EXPECT_NE(property({{"org.systemd.property.KillSignal", "SIGTERM"}}, "")
                .find("annotations[\"org.systemd.property.KillSignal\"]: the word \"SIGTERM\""),
            std::string::npos);
}

TEST(Unit, ASliceWantsItsParentAndIsNotDelegated) {
  const Result<Unit> unit = make_unit({.slice = "a.slice", .unit = "a-b.slice"}, {}, "box", false, false);
  ASSERT_TRUE(unit);
  EXPECT_TRUE(unit->slice);
  for (const UnitProperty &each : unit->properties) {
    EXPECT_NE(each.name, "Delegate");
    EXPECT_NE(each.name, "Slice");
    EXPECT_NE(each.name, "IOAccounting");
  }
  EXPECT_EQ(unit->properties[1].name, "Wants");
}

}  // namespace
}  // namespace skiff
