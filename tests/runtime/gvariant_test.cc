#include <gtest/gtest.h>

#include "runtime/bus_value.h"

namespace skiff {
namespace {

// "SIGNATURE text", or the error.
std::string parsed(std::string_view text) {
  const Result<BusValue> value = parse_gvariant(text);
  return value ? value->signature + " " + print_gvariant(*value) : "error: " + value.error().text;
}

// docs.gtk.org/glib/gvariant-text-format.html, "Numbers": int32 unless it says otherwise.
TEST(Gvariant, NumbersHaveTheTypeInFrontOfThem) {
  EXPECT_EQ(parsed("15"), "i 15");
  EXPECT_EQ(parsed(" -0x10 "), "i -16");
  EXPECT_EQ(parsed("010"), "i 8");
  EXPECT_EQ(parsed("uint64 123456789"), "t uint64 123456789");
  EXPECT_EQ(parsed("uint64 18446744073709551615"), "t uint64 18446744073709551615");
  EXPECT_EQ(parsed("int64 -9223372036854775808"), "x int64 -9223372036854775808");
  EXPECT_EQ(parsed("byte 0xff"), "y byte 255");
  EXPECT_EQ(parsed("int16 -5"), "n int16 -5");
  EXPECT_EQ(parsed("uint16 5"), "q uint16 5");
  EXPECT_EQ(parsed("uint32 7"), "u uint32 7");
  EXPECT_EQ(parsed("handle 3"), "h handle 3");
  EXPECT_EQ(parsed("1.5"), "d 1.5");
  EXPECT_EQ(parsed("double 3"), "d 3.0");
  EXPECT_EQ(parsed("1e3"), "d 1000.0");
}

TEST(Gvariant, ANumberThatDoesNotFitItsTypeIsAnError) {
  EXPECT_EQ(parsed("2147483648"),
            "error: a number outside of -2147483648 to 2147483647 (type \"i\") at character 1 of \"2147483648\"");
  EXPECT_NE(parsed("byte 256").find("outside of 0 to 255"), std::string::npos);
  EXPECT_NE(parsed("uint32 -1").find("outside of 0 to 4294967295"), std::string::npos);
  EXPECT_NE(parsed("uint64 18446744073709551616").find("outside"), std::string::npos);
}

TEST(Gvariant, TextStandsInEitherQuotesWithEscapes) {
  EXPECT_EQ(parsed("'inactive-or-failed'"), "s 'inactive-or-failed'");
  EXPECT_EQ(parsed(R"("it's")"), R"(s 'it\'s')");
  EXPECT_EQ(parsed(R"('a\nb\\c')"), R"(s 'a\nb\\c')");
  EXPECT_EQ(std::get<std::string>(parse_gvariant(R"('\u00e9\U0001f600')")->basic), "\u00e9\U0001f600");
  EXPECT_EQ(parsed("objectpath '/a/b'"), "o objectpath '/a/b'");
  EXPECT_EQ(parsed("signature 'a{sv}'"), "g signature 'a{sv}'");
  EXPECT_EQ(parsed("b'ab'"), "ay [byte 97, 98, 0]");
}

TEST(Gvariant, TextThatDBusDoesNotTakeIsAnError) {
  EXPECT_NE(parsed(R"('\u0000')").find("no character"), std::string::npos);
  EXPECT_NE(parsed(R"('\ud800')").find("no character"), std::string::npos);
  EXPECT_NE(parsed("objectpath 'a'").find("no object path"), std::string::npos);
  EXPECT_NE(parsed("objectpath '/a//b'").find("no object path"), std::string::npos);
  EXPECT_NE(parsed("signature 'a'").find("no signature"), std::string::npos);
  EXPECT_NE(parsed("'open").find("no end quote"), std::string::npos);
}

TEST(Gvariant, ContainersTakeTheTypeOfTheirFirstItem) {
  EXPECT_EQ(parsed("true"), "b true");
  EXPECT_EQ(parsed("['crio.service', 'b']"), "as ['crio.service', 'b']");
  EXPECT_EQ(parsed("[uint32 1, 2]"), "au [uint32 1, 2]");
  EXPECT_EQ(parsed("@as []"), "as @as []");
  EXPECT_EQ(parsed("@a(ss) [('/dev/null', 'rw')]"), "a(ss) [('/dev/null', 'rw')]");
  EXPECT_EQ(parsed("('a', uint64 5)"), "(st) ('a', uint64 5)");
  EXPECT_EQ(parsed("(1,)"), "(i) (1,)");
  EXPECT_EQ(parsed("{'a': <1>, 'b': <'x'>}"), "a{sv} {'a': <1>, 'b': <'x'>}");
  EXPECT_EQ(parsed("@a{sv} {}"), "a{sv} @a{sv} []");
  EXPECT_EQ(parsed("[[1], []]"), "aai [[1], []]");
}

TEST(Gvariant, AnErrorSaysWhatWasMetWhere) {
  EXPECT_EQ(parsed("yes"), "error: the word \"yes\" is no value; text stands in quotes at character 1 of \"yes\"");
  EXPECT_EQ(parsed(""), "error: no value at character 1 of \"\"");
  EXPECT_EQ(parsed("true false"), "error: something follows the value at character 6 of \"true false\"");
  EXPECT_NE(parsed("[]").find("without a type"), std::string::npos);
  EXPECT_NE(parsed("[1, 'a']").find("a value of type \"s\" where \"i\" belongs"), std::string::npos);
  EXPECT_NE(parsed("@z 1").find("no type of D-Bus"), std::string::npos);
  EXPECT_NE(parsed("()").find("empty struct"), std::string::npos);
  EXPECT_NE(parsed(std::string(100, '[')).find("nested too deep"), std::string::npos);
}

TEST(Gvariant, WhatIsPrintedParsesToTheSameValue) {
  for (const char *text : {"uint64 5", "-7", "[byte 1, 2]", "@as []", "('a', uint32 1, <[1.5]>)", "{'k': <(true,)>}",
                           "[('/dev/char/1:3', 'rwm')]"}) {
    const Result<BusValue> value = parse_gvariant(text);
    ASSERT_TRUE(value) << value.error().message();
    EXPECT_EQ(parse_gvariant(print_gvariant(*value)).value(), *value) << text;
  }
}

// D-Bus specification, "Type System".
TEST(BusValue, ACompleteTypeIsFoundInASignature) {
  EXPECT_EQ(complete_type_length("sv"), 1U);
  EXPECT_EQ(complete_type_length("a(st)s"), 5U);
  EXPECT_EQ(complete_type_length("a{sa{sv}}"), 9U);
  for (const char *wrong : {"", "a", "(", "()", "(s", "{sv}", "a{vs}", "a{s}", "a{ss", "z"}) {
    EXPECT_EQ(complete_type_length(wrong), 0U) << wrong;
  }
  EXPECT_EQ(complete_type_length(std::string(100, 'a') + "s"), 0U);
}

}  // namespace
}  // namespace skiff
