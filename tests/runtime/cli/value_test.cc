#include "runtime/cli/value.h"

#include <gtest/gtest.h>

namespace skiff::cli {
namespace {

using std::chrono::nanoseconds;

TEST(Value, SizesAreBytesOrTakeAFactorOf1024) {
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("33554432"), 33554432);
  EXPECT_EQ(parse_size("32k"), 32 * 1024);
  EXPECT_EQ(parse_size("32K"), 32 * 1024);
  EXPECT_EQ(parse_size("32kb"), 32 * 1024);
  EXPECT_EQ(parse_size("32KiB"), 32 * 1024);
  EXPECT_EQ(parse_size("1.5g"), 1610612736);
  EXPECT_EQ(parse_size("10 m"), 10 * 1048576);
  EXPECT_EQ(parse_size("7b"), 7);
  EXPECT_EQ(parse_size("1t"), std::int64_t{1} << 40);
  EXPECT_EQ(parse_size("1P"), std::int64_t{1} << 50);
}

TEST(Value, ASizeOfMinusOneMeansNoLimitAndNoOtherIsNegative) {
  EXPECT_EQ(parse_size("-1"), -1);
  EXPECT_EQ(parse_size("-2"), std::nullopt);
  EXPECT_EQ(parse_size("-1k"), std::nullopt);
}

TEST(Value, SizesBeyondADoubleStayExact) {
  EXPECT_EQ(parse_size("9223372036854771712"), 9223372036854771712);
  EXPECT_EQ(parse_size("9007199254740993"), 9007199254740993);
}

TEST(Value, OtherTextIsNoSize) {
  for (const std::string_view text : {"", "k", "1x", "1kk", "1ki", "1ib", "1e3", "1.2.3", "0x10", "8192p", "m1", "."}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Value, DurationsAreWrittenAsInGo) {
  EXPECT_EQ(parse_duration("0"), nanoseconds{0});
  EXPECT_EQ(parse_duration("5s"), nanoseconds{5'000'000'000});
  EXPECT_EQ(parse_duration("1m30s"), nanoseconds{90'000'000'000});
  EXPECT_EQ(parse_duration("1.5h"), nanoseconds{5400'000'000'000});
  EXPECT_EQ(parse_duration("300ms"), nanoseconds{300'000'000});
  EXPECT_EQ(parse_duration("10us"), nanoseconds{10'000});
  EXPECT_EQ(parse_duration("10\u00b5s"), nanoseconds{10'000});
  EXPECT_EQ(parse_duration("7ns"), nanoseconds{7});
  for (const std::string_view text : {"", "5", "s", "5x", "-5s", "1m30", "5 s", "9999999h"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Value, NumbersTakeTheWholeTextAndStayInTheirRange) {
  EXPECT_EQ(parse_number<std::uint32_t>("4294967295"), 4294967295U);
  EXPECT_EQ(parse_number<std::uint32_t>("4294967296"), std::nullopt);
  EXPECT_EQ(parse_number<std::uint32_t>("-1"), std::nullopt);
  EXPECT_EQ(parse_number<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_number<std::int64_t>("5x"), std::nullopt);
  EXPECT_EQ(parse_number<std::int64_t>(" 5"), std::nullopt);
  EXPECT_EQ(parse_number<std::int64_t>(""), std::nullopt);
}

TEST(Value, BoolsAreSpelledAsGoSpellsThem) {
  for (const std::string_view text : {"1", "t", "T", "true", "True", "TRUE"}) EXPECT_EQ(parse_bool(text), true);
  for (const std::string_view text : {"0", "f", "F", "false", "False", "FALSE"}) EXPECT_EQ(parse_bool(text), false);
  for (const std::string_view text : {"", "yes", "tRUE", "2"}) EXPECT_EQ(parse_bool(text), std::nullopt);
}

}  // namespace
}  // namespace skiff::cli
