#include "runtime/kernel/capability.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include "spec/capability_names.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

TEST(Capability, NamesStandAtTheirNumbers) {
  using spec::capability_names;
  EXPECT_EQ(capability_names[CAP_CHOWN], "CAP_CHOWN");
  EXPECT_EQ(capability_names[CAP_SYS_ADMIN], "CAP_SYS_ADMIN");
  EXPECT_EQ(capability_names[CAP_SETFCAP], "CAP_SETFCAP");
  EXPECT_EQ(capability_names[CAP_CHECKPOINT_RESTORE], "CAP_CHECKPOINT_RESTORE");
  EXPECT_EQ(capability_names.size(), CAP_LAST_CAP + 1U);
}

TEST(Capability, TheHighestIsWhatProcSays) {
  EXPECT_EQ(std::to_string(last_capability()) + "\n", testing::read_whole("/proc/sys/kernel/cap_last_cap"));
}

TEST(Capability, SetsAreWrittenAndReadBack) {
  EXPECT_ISOLATED(CLONE_NEWUSER, []() -> std::string {
    const CapabilitySet two = capability_bit(CAP_CHOWN) | capability_bit(CAP_CHECKPOINT_RESTORE);
    const Capabilities wanted{.effective = capability_bit(CAP_CHOWN), .permitted = two, .inheritable = two};
    NEED_OK(capset(wanted));
    const Result<Capabilities> now = capget();
    NEED_OK(now);
    NEED(*now == wanted);
    Capabilities more = wanted;
    more.permitted |= capability_bit(CAP_KILL);
    NEED(capset(more).error().number == EPERM);
    NEED_OK(cap_ambient_raise(CAP_CHOWN));
    NEED(get_ambient_set() == capability_bit(CAP_CHOWN));
    NEED(cap_ambient_raise(CAP_KILL).error().text == "prctl(PR_CAP_AMBIENT_RAISE, CAP_KILL)");
    NEED_OK(cap_ambient_clear_all());
    NEED(get_ambient_set() == 0);
    return {};
  });
}

TEST(Capability, TheBoundingSetShrinksToWhatIsKept) {
  EXPECT_ISOLATED(CLONE_NEWUSER, []() -> std::string {
    const CapabilitySet keep = capability_bit(CAP_CHOWN) & get_bounding_set();
    NEED_OK(limit_bounding_set(keep));
    NEED(get_bounding_set() == keep);
    NEED_OK(limit_bounding_set(keep));
    return {};
  });
}

}  // namespace
}  // namespace skiff::kernel
