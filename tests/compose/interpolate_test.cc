#include "compose/interpolate.h"

#include <gtest/gtest.h>

#include "compose/dotenv.h"

namespace skiff::compose {
namespace {

std::optional<std::string> variable(const std::string &name) {
  if (name == "SET") return "value";
  if (name == "EMPTY") return "";
  if (name == "OTHER") return "o";
  return std::nullopt;
}

std::string text_of(std::string_view text) {
  const Expansion expansion = expand(text, variable);
  return expansion.error.empty() ? expansion.text : "error: " + expansion.error;
}

// compose-spec, "Interpolation"
TEST(Interpolation, KnowsEveryForm) {
  EXPECT_EQ(text_of("$SET ${SET} a$SET-b ${UNSET}"), "value value avalue-b ");
  EXPECT_EQ(text_of("${UNSET:-d}|${EMPTY:-d}|${SET:-d}"), "d|d|value");
  EXPECT_EQ(text_of("${UNSET-d}|${EMPTY-d}|${SET-d}"), "d||value");
  EXPECT_EQ(text_of("${UNSET:+a}|${EMPTY:+a}|${SET:+a}"), "||a");
  EXPECT_EQ(text_of("${UNSET+a}|${EMPTY+a}|${SET+a}"), "|a|a");
  EXPECT_EQ(text_of("${SET:?no}${EMPTY?no}"), "value");
  EXPECT_EQ(text_of("${EMPTY:?say it}"), "error: the variable EMPTY is required: say it");
  EXPECT_EQ(text_of("${UNSET?}"), "error: the variable UNSET is required");
}

TEST(Interpolation, Nests) {
  EXPECT_EQ(text_of("${UNSET:-${OTHER}}"), "o");
  EXPECT_EQ(text_of("${UNSET:-${NONE:-${EMPTY:-deep}}}!"), "deep!");
  EXPECT_EQ(text_of("${UNSET?$OTHER}"), "error: the variable UNSET is required: o");
  EXPECT_EQ(text_of("${SET:+${OTHER}-$SET}"), "o-value");
}

TEST(Interpolation, LeavesWhatIsNoVariable) {
  EXPECT_EQ(text_of("$$SET $${SET} 5$ $1 $-"), "$SET ${SET} 5$ $1 $-");
  EXPECT_EQ(text_of("${UNSET:-a$$b}"), "a$b");
}

TEST(Interpolation, RefusesBrokenForms) {
  for (const std::string_view text : {"${SET", "${}", "${1A}", "${SET/a/b}", "${SET:x}", "${ SET}"}) {
    EXPECT_TRUE(text_of(text).starts_with("error: ")) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "${UNSET:-";
  EXPECT_TRUE(text_of(deep + std::string(100, '}')).starts_with("error: "));
}

std::string env_of(const std::string &text, std::string *error = nullptr) {
  const Source source{".env", text};
  Findings findings;
  std::string out;
  for (const DotenvEntry &entry : parse_dotenv(source, variable, findings)) {
    out += entry.name + (entry.value ? "=" + *entry.value : "") + ";";
  }
  if (error != nullptr && !findings.all().empty()) *error = findings.all()[0].line();
  return out;
}

// compose-spec, "env_file format"
TEST(Dotenv, ReadsWhatDockerComposeReads) {
  EXPECT_EQ(env_of("A=1\n\n# comment\n  export B = two words # c\r\nC: yaml\nD=\n"), "A=1;B=two words;C=yaml;D=;");
  EXPECT_EQ(env_of("A=x#y\nB=#z\nC='# kept'\n"), "A=x#y;B=;C=# kept;");
  EXPECT_EQ(env_of("A='$SET\\n'\nB=\"$SET\\n\\\"q\\\" \\$SET\"\nC=$SET\nD=${UNSET:-d}\n"),
            "A=$SET\\n;B=value\n\"q\" $SET;C=value;D=d;");
  EXPECT_EQ(env_of("A='two\nlines'\nB=\"and\nmore\" # c\n"), "A=two\nlines;B=and\nmore;");
  EXPECT_EQ(env_of("A=1\nB=${A}2\n"), "A=1;B=12;");
  EXPECT_EQ(env_of("SET\nUNSET\n"), "SET=value;UNSET;");
  EXPECT_EQ(env_of("\xEF\xBB\xBF"
                   "A=1"),
            "A=1;");
}

TEST(Dotenv, TellsWhereALineIsWrong) {
  std::string error;
  EXPECT_EQ(env_of("A=1\nB C\nD=2\n", &error), "A=1;D=2;");
  EXPECT_EQ(error, ".env:2:3: \"B\" has to be followed by =");
  EXPECT_EQ(env_of("A='open\n", &error), "");
  EXPECT_EQ(error, ".env:1:3: the quote ' is not closed");
  EXPECT_EQ(env_of("=x\n", &error), "");
  EXPECT_EQ(error, ".env:1:1: a line has to begin with a variable's name");
}

// compose-spec, "env_file", format
TEST(Dotenv, RawLinesAreTakenAsTheyAre) {
  const Source source{".env", "A=\"$x\"  # y\nB\n#c\n"};
  Findings findings;
  const std::vector<DotenvEntry> entries = parse_raw_env(source, findings);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(*entries[0].value, "\"$x\"  # y");
  EXPECT_FALSE(entries[1].value);
}

}  // namespace
}  // namespace skiff::compose
