// Keys of the caller must not be the container's: keyrings(7); create's --no-new-keyring.
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

#ifdef __x86_64__
// keyctl(KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, buffer, size)
const char *const describe_session = "raw_call 250 6 -3 @200 200";
#else
const char *const describe_session = nullptr;
#endif

class Keyring : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_ROOT();
    if (describe_session == nullptr) GTEST_SKIP() << "the numbers of the calls are those of x86-64";
    bring_raw_call(rig);
    if (rig.run(describe_session).out.starts_with("-1 38")) GTEST_SKIP() << "this kernel has no keys";
  }
  Rig rig;
};

TEST_F(Keyring, OfTheSessionIsTheContainersOwn) {
  const Outcome outcome = rig.run(describe_session);
  EXPECT_NE(outcome.out.find(";_ses." + rig.id()), std::string::npos) << outcome.out;
  EXPECT_CLEAN(rig);
}

TEST_F(Keyring, OfAnExecIsThatOfTheContainer) {
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", rig.id(), "sh", "-c", describe_session});
  EXPECT_NE(outcome.out.find(";_ses." + rig.id()), std::string::npos) << outcome.out;
}

TEST_F(Keyring, IsTheCallersWithNoNewKeyring) {
  rig.script(describe_session);
  const Outcome outcome = rig.skiff({"run", "--no-new-keyring", rig.id()});
  EXPECT_EQ(outcome.out.find(";_ses." + rig.id()), std::string::npos) << outcome.out;
}

TEST_F(Keyring, InAUserNamespaceIsTheContainersOwnToo) {
  add_user_namespace(rig);
  const Outcome outcome = rig.run(describe_session);
  EXPECT_NE(outcome.out.find(";_ses." + rig.id()), std::string::npos) << outcome.out << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
