#include "imgtool/dockerfile.h"

#include <gtest/gtest.h>

namespace skiff::image {
namespace {

Dockerfile parse(std::string_view text) {
  Result<Dockerfile> file = parse_dockerfile(text);
  EXPECT_TRUE(file) << file.error().message();
  return file ? std::move(*file) : Dockerfile{};
}

std::string error_of(std::string_view text) {
  const Result<Dockerfile> file = parse_dockerfile(text);
  EXPECT_FALSE(file) << text;
  return file ? "" : file.error().message();
}

using Words = std::vector<std::string>;

TEST(Dockerfile, LinesCommentsAndContinuations) {
  const Dockerfile file = parse(
      "# a comment\n\nfrom alpine\n  RUN a && \\\n# between\n\n   b # no comment \\\n  c\r\nCMD [\"x\", \"y z\"]\n");
  ASSERT_EQ(file.instructions.size(), 3U);
  EXPECT_EQ(file.instructions[0].keyword, "FROM");
  EXPECT_EQ(file.instructions[0].arguments, "alpine");
  EXPECT_EQ(file.instructions[0].line, 3U);
  EXPECT_EQ(file.instructions[1].line, 4U);
  EXPECT_EQ(file.instructions[1].arguments, "a &&    b # no comment   c");
  EXPECT_FALSE(file.instructions[1].json);
  EXPECT_EQ(file.instructions[2].json, (Words{"x", "y z"}));
}

TEST(Dockerfile, DirectivesCountBeforeEverythingElse) {
  const Dockerfile file = parse("# syntax=docker/dockerfile:1\n# ESCAPE = `\nFROM a\nRUN x `\n y\\\n");
  EXPECT_EQ(file.escape, '`');
  EXPECT_EQ(file.instructions[1].arguments, "x  y\\");
  EXPECT_EQ(parse("# text\n# escape=`\nFROM a").escape, '\\');
  EXPECT_NE(error_of("# escape=x\nFROM a").find("line 1: escape=x"), std::string::npos);
}

TEST(Dockerfile, FlagsStandInFrontOfTheArguments) {
  const Dockerfile file = parse("FROM a\nCOPY --from=build --chown=1:2 --link a b --c /d\n");
  const Instruction &copy = file.instructions[1];
  EXPECT_EQ(*copy.flag("from"), "build");
  EXPECT_EQ(*copy.flag("chown"), "1:2");
  EXPECT_EQ(*copy.flag("link"), "true");
  EXPECT_EQ(copy.flag("chmod"), nullptr);
  EXPECT_EQ(copy.arguments, "a b --c /d");
}

TEST(Dockerfile, HeredocsAreReadToTheirEnd) {
  const Dockerfile file = parse(
      "FROM a\nRUN <<EOF\n# no comment\n  two\\\nEOF\nCOPY <<-'A' <<B /dir/\n\ttab $x\n\tA\n\tkept\nB\nRUN cat <<< x "
      "3<<\"E F\"\n"
      "body\nE F\n");
  ASSERT_EQ(file.instructions.size(), 4U);
  EXPECT_EQ(file.instructions[1].heredocs.at(0).text, "# no comment\n  two\\\n");
  EXPECT_TRUE(file.instructions[1].heredocs[0].expand);
  const std::vector<Heredoc> &copied = file.instructions[2].heredocs;
  ASSERT_EQ(copied.size(), 2U);
  EXPECT_EQ(copied[0].text, "tab $x\n");
  EXPECT_FALSE(copied[0].expand);
  EXPECT_EQ(copied[1].text, "\tkept\n");
  EXPECT_EQ(file.instructions[3].heredocs.at(0).name, "E F");
  EXPECT_NE(error_of("FROM a\nRUN <<EOF\nx\n").find("line 2: the heredoc <<EOF has no end"), std::string::npos);
}

TEST(Dockerfile, AListThatIsNoJsonIsAShellCommand) {
  EXPECT_FALSE(parse("FROM a\nRUN [ -e /x ] && y").instructions[1].json);
  EXPECT_FALSE(parse("FROM a\nRUN [\"a\", 1]").instructions[1].json);
  EXPECT_EQ(parse("FROM a\nENTRYPOINT []").instructions[1].json, Words{});
}

TEST(Dockerfile, ErrorsNameTheLineAndWhatIsNearest) {
  EXPECT_EQ(error_of("FROM a\n\nCOPPY a b"), "line 3: \"COPPY\": no such instruction; did you mean COPY?");
  EXPECT_EQ(error_of("FROM a\nCOPY --form=x a b"), "line 2: COPY has no flag --form; did you mean --from?");
  EXPECT_NE(error_of("FROM a\nRUN --mount=type=cache,target=/x y").find("line 2: RUN --mount is not supported"),
            std::string::npos);
  EXPECT_NE(error_of("FROM a\nRUN").find("line 2: RUN needs an argument"), std::string::npos);
  EXPECT_NE(error_of("FROM a\nSHELL /bin/sh").find("line 2: SHELL needs a JSON list"), std::string::npos);
  EXPECT_NE(error_of(std::string_view("FROM a\0", 7)).find("NUL"), std::string::npos);
}

TEST(Dockerfile, WhatDoesNothingIsWarnedOf) {
  const Dockerfile file = parse("FROM a\nONBUILD RUN x\nMAINTAINER y");
  ASSERT_EQ(file.warnings.size(), 2U);
  EXPECT_TRUE(file.warnings[0].starts_with("line 2: ONBUILD is ignored"));
}

}  // namespace
}  // namespace skiff::image
