#include "spec/glob.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

bool matches(std::string_view pattern, std::string_view path, bool deep = true) {
  const Result<Glob> glob = Glob::parse(pattern, deep);
  EXPECT_TRUE(glob) << pattern;
  return glob && glob->matches(path);
}

TEST(Glob, MatchesAsAShellDoes) {
  EXPECT_TRUE(matches("*.txt", "a.txt"));
  EXPECT_FALSE(matches("*.txt", "dir/a.txt"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_FALSE(matches("a?c", "a/c"));
  EXPECT_TRUE(matches("[a-c]x", "bx"));
  EXPECT_FALSE(matches("[^a-c]x", "bx"));
  EXPECT_FALSE(matches("[^a]", "/"));
  EXPECT_TRUE(matches("[]]", "]"));
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_TRUE(matches("a*b*c", "a__b__c"));
}

TEST(Glob, TwoStarsAreAnyNumberOfDirectories) {
  EXPECT_TRUE(matches("**/*.go", "a.go"));
  EXPECT_TRUE(matches("**/*.go", "a/b/c.go"));
  EXPECT_TRUE(matches("a/**/b", "a/b"));
  EXPECT_TRUE(matches("a/**/b", "a/x/y/b"));
  EXPECT_FALSE(matches("a/**/b", "a/xb"));
  EXPECT_TRUE(matches("a/**", "a/x/y"));
  EXPECT_FALSE(matches("a/**", "b/x"));
  EXPECT_FALSE(matches("a/**/b", "a/x/y/b", false));
}

TEST(Glob, NoPatternTakesLongerThanItsLength) {
  std::string pattern;
  for (int star = 0; star < 64; ++star) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(4096, 'a')));
}

TEST(Glob, ABracketWithoutItsEndIsAnError) {
  for (const std::string_view pattern : {"[", "[a", "[a-", "[^", "[\\", "x[]"}) {
    EXPECT_FALSE(Glob::parse(pattern, true)) << pattern;
  }
}

}  // namespace
}  // namespace skiff::spec
