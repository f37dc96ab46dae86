#include "spec/ignore_file.h"

#include <gtest/gtest.h>

namespace skiff::spec {
namespace {

IgnoreFile parse(std::string_view text) {
  Result<IgnoreFile> file = IgnoreFile::parse(text);
  EXPECT_TRUE(file) << file.error().message();
  return file ? std::move(*file) : IgnoreFile();
}

TEST(IgnoreFile, AnEmptyOneIgnoresNothing) {
  EXPECT_FALSE(parse("").ignores("a"));
  EXPECT_FALSE(parse("# a\n\n  \n.\n").ignores("a"));
}

TEST(IgnoreFile, WhatMatchesADirectoryMatchesAllBelow) {
  const IgnoreFile file = parse("node_modules\n/build/\n*/temp*\n");
  EXPECT_TRUE(file.ignores("node_modules"));
  EXPECT_TRUE(file.ignores("node_modules/x/y"));
  EXPECT_FALSE(file.ignores("src/node_modules"));
  EXPECT_TRUE(file.ignores("build/a"));
  EXPECT_TRUE(file.ignores("some/temporary.txt"));
  EXPECT_FALSE(file.ignores("some/deep/temporary.txt"));
}

TEST(IgnoreFile, TheLastLineThatMatchesDecides) {
  const IgnoreFile file = parse("*.md\n!README*.md\nREADME-secret.md\r\n");
  EXPECT_TRUE(file.ignores("notes.md"));
  EXPECT_FALSE(file.ignores("README-open.md"));
  EXPECT_TRUE(file.ignores("README-secret.md"));
  EXPECT_TRUE(file.has_exceptions());
  EXPECT_FALSE(parse("*.md\nREADME-secret.md\n!README*.md").ignores("README-secret.md"));
}

TEST(IgnoreFile, EverythingButOne) {
  const IgnoreFile file = parse("**\n!src\n!src/**\nsrc/*.o");
  EXPECT_TRUE(file.ignores("a/b"));
  EXPECT_FALSE(file.ignores("src"));
  EXPECT_FALSE(file.ignores("src/a/b.c"));
  EXPECT_TRUE(file.ignores("src/x.o"));
}

TEST(IgnoreFile, TwoStarsReachEveryDepth) {
  const IgnoreFile file = parse("**/*.go");
  EXPECT_TRUE(file.ignores("a.go"));
  EXPECT_TRUE(file.ignores("x/y/a.go"));
}

TEST(IgnoreFile, AnErrorNamesItsLine) {
  const Result<IgnoreFile> file = IgnoreFile::parse("a\nb[\n");
  ASSERT_FALSE(file);
  EXPECT_TRUE(file.error().text.starts_with("line 2: ")) << file.error().text;
}

}  // namespace
}  // namespace skiff::spec
