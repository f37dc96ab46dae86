#include "runtime/kernel/call.h"

#include <gtest/gtest.h>

#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "tests/runtime/kernel/isolated.h"

namespace skiff::kernel {
namespace {

TEST(Call, AFailedCallIsShownWithItsArguments) {
  const Result<Fd> result = open("/no/such \"file\"", O_RDWR | O_NOFOLLOW);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().number, ENOENT);
  EXPECT_EQ(result.error().text, R"(open("/no/such \"file\"", O_RDWR|O_NOFOLLOW))");
}

TEST(Call, ADescriptorIsShownWithItsPath) {
  const Result<Fd> dir = open("/usr", O_PATH | O_DIRECTORY);
  ASSERT_OK(dir);
  const Result<Fd> result = open_in_root(*dir, "no/such", O_RDONLY);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, "openat2(" + std::to_string(dir->get()) +
                                     "<\"/usr\">, \"no/such\", O_RDONLY, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS)");
}

TEST(Call, ControlCharactersInANameDoNotReachTheTerminal) {
  const Result<Fd> result = openat(cwd, "\x1b[2Jx", O_RDONLY);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text, R"(openat(AT_FDCWD, "\x1b[2Jx", O_RDONLY))");
}

TEST(Call, AMissingCallNamesTheKernelItNeeds) {
  EXPECT_EQ(call_failed(ENOSYS, "mount_setattr", {}).error().remedy,
            "the call needs Linux 5.12 or later, and no seccomp filter that hides it");
  EXPECT_EQ(call_failed(ENOENT, "mount_setattr", {}).error().remedy, "");
}

TEST(Call, BitsWithoutANameAreShownInHexadecimal) {
  std::string text;
  Argument::flags(MOUNT_ATTR_RDONLY | (uint64_t{1} << 40U), mount_attribute_names).append_to(text);
  EXPECT_EQ(text, "MOUNT_ATTR_RDONLY|0x10000000000");
  text.clear();
  Argument::flags(0, mount_attribute_names).append_to(text);
  EXPECT_EQ(text, "0");
}

}  // namespace
}  // namespace skiff::kernel
