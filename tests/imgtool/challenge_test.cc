#include "imgtool/challenge.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

TEST(Challenge, ABearerHasItsParametersUnquoted) {  // RFC 9110, 11.6.1; Docker's token specification
  const auto found = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scheme, "bearer");
  EXPECT_EQ(found[0].parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(found[0].parameter("service"), "registry.docker.io");
  EXPECT_EQ(found[0].parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(found[0].parameter("error"), "");
}

TEST(Challenge, OneFieldHoldsSeveral) {
  const auto found =
      parse_challenges(R"(Basic realm="a, b", charset="UTF-8", BEARER realm=x , service = "y", Negotiate)");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].scheme, "basic");
  EXPECT_EQ(found[0].parameter("realm"), "a, b");
  EXPECT_EQ(found[0].parameter("charset"), "UTF-8");
  EXPECT_EQ(found[1].scheme, "bearer");
  EXPECT_EQ(found[1].parameter("realm"), "x");
  EXPECT_EQ(found[1].parameter("service"), "y");
  EXPECT_EQ(found[2].scheme, "negotiate");
}

TEST(Challenge, AQuotedStringMayHoldQuotes) {  // RFC 9110, 5.6.4
  const auto found = parse_challenges(R"(Basic realm="say \"yes\" \\ no")");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].parameter("realm"), R"(say "yes" \ no)");
}

TEST(Challenge, AToken68IsNoParameter) {
  const auto found = parse_challenges("Negotiate YWJj/+==, Basic realm=r");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].token68, "YWJj/+==");
  EXPECT_EQ(found[1].parameter("realm"), "r");
}

TEST(Challenge, WhatFollowsNoGrammarEndsAndHarmsNothing) {
  EXPECT_TRUE(parse_challenges("").empty());
  EXPECT_TRUE(parse_challenges(" , ,, ").empty());
  EXPECT_TRUE(parse_challenges("\"\"").empty());
  EXPECT_EQ(parse_challenges("Bearer realm=\"no end").at(0).parameter("realm"), "");
  EXPECT_EQ(parse_challenges("(((, Basic realm=r").at(0).parameter("realm"), "r");
}

}  // namespace
}  // namespace skiff::image
