#include "spec/text.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

TEST(Text, LettersOfAsciiAloneChangeTheirCase) {
  EXPECT_EQ(lower_case("AZaz@[09"), "azaz@[09");
  EXPECT_EQ(lower_case("\xC3\x84"), "\xC3\x84");
}

TEST(Text, HexadecimalDigitsAreInLowerCase) {
  EXPECT_TRUE(is_hex("0123456789abcdef"));
  EXPECT_FALSE(is_hex("0123A"));
  EXPECT_FALSE(is_hex("0g"));
  EXPECT_TRUE(is_hex(""));
}

}  // namespace
}  // namespace skiff::spec
