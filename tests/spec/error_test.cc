#include "spec/error.h"

#include <gtest/gtest.h>

namespace skiff {

namespace {

TEST(Error, JoinsTextErrnoAndRemedy) {
  EXPECT_EQ((Error{EPERM, "mount(\"/proc\")", "run it as root"}.message()),
            "mount(\"/proc\"): operation not permitted; run it as root");
  EXPECT_EQ((Error{0, "the id is taken", ""}.message()), "the id is taken");
}

TEST(Error, PutsThePlaceInFront) {
  EXPECT_EQ(in("mounts[3]", Error{ENOENT, "openat2(\"x\")", ""}).message(),
            "mounts[3]: openat2(\"x\"): no such file or directory");
}

Status fails() { return fail("inner"); }

Status passes_on() {
  if (const Status status = fails(); !status) return status;
  return {};
}

TEST(Error, AFunctionHandsItsErrorOn) { EXPECT_EQ(passes_on().error().text, "inner"); }

TEST(Error, ARemedyFillsOnlyAnEmptyPlace) {
  EXPECT_EQ(remedy("second", Result<int>(fail("a", "first"))).error().remedy, "first");
  EXPECT_EQ(remedy("second", Result<int>(fail("a"))).error().remedy, "second");
}

}  // namespace

}  // namespace skiff
