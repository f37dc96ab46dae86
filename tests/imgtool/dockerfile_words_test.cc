#include "imgtool/dockerfile_words.h"

#include <gtest/gtest.h>

#include <map>

namespace skiff::image {
namespace {

std::optional<std::string> variable(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> all = {
      {"x", "one"}, {"empty", ""}, {"two", "a b"}, {"ports", "80 443/udp"}};
  const auto found = all.find(name);
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

std::string expand(std::string_view text, char escape = '\\') {
  const Result<std::string> word = expand_word(text, escape, variable);
  EXPECT_TRUE(word) << text << ": " << word.error().message();
  return word.value_or("");
}

using Words = std::vector<std::string>;

// Dockerfile reference, "Environment replacement"
TEST(DockerfileWords, Variables) {
  EXPECT_EQ(expand("$x/${x}y/$nothing/"), "one/oney//");
  EXPECT_EQ(expand("${x:-d}${empty:-d}${empty-d}${nothing:-d}${nothing-d}"), "oneddd");
  EXPECT_EQ(expand("${x:+s}|${empty:+s}|${empty+s}|${nothing+s}"), "s||s|");
  EXPECT_EQ(expand("${nothing:-${x}/${nothing:-z}}"), "one/z");
  EXPECT_EQ(expand("\\$x \\${x} $ $"), "$x ${x} $ $");
  EXPECT_EQ(expand("`$x \\$x", '`'), "$x \\one");
}

TEST(DockerfileWords, Quotes) {
  EXPECT_EQ(expand("'$x'\"$x\"$x"), "$xoneone");
  EXPECT_EQ(expand(R"("a \"b\" \n \$x")"), R"(a "b" \n $x)");
  EXPECT_EQ(expand("a\\ b"), "a b");
}

TEST(DockerfileWords, ErrorsSayWhatIsOpen) {
  for (const std::string_view text : {"'a", "\"a", "${x", "${}", "${x#y}", "${nothing:?}", "${x:"}) {
    EXPECT_FALSE(expand_word(text, '\\', variable)) << text;
  }
  EXPECT_EQ(expand_word("${nothing:?must be given}", '\\', variable).error().text, "nothing: must be given");
}

TEST(DockerfileWords, SplitsAtBlanksOutsideOfQuotes) {
  EXPECT_EQ(split_words("a \"b c\"  d\\ e 'f g'h", '\\'), (Words{"a", "\"b c\"", "d\\ e", "'f g'h"}));
}

TEST(DockerfileWords, AValueMayBeSeveralWords) {
  EXPECT_EQ(*expand_words("22 $ports", '\\', variable), (Words{"22", "80", "443/udp"}));
}

TEST(DockerfileWords, PairsInBothForms) {
  EXPECT_EQ(*expand_pairs("a=b c=\"d e\" f=$two g=", '\\', variable),
            (Pairs{{"a", "b"}, {"c", "d e"}, {"f", "a b"}, {"g", ""}}));
  EXPECT_EQ(*expand_pairs("name  a value = $x", '\\', variable), (Pairs{{"name", "a value = one"}}));
  EXPECT_EQ(*expand_pairs("\"com.example a\"=\"b\"", '\\', variable), (Pairs{{"com.example a", "b"}}));
  EXPECT_FALSE(expand_pairs("a=b c", '\\', variable));
  EXPECT_FALSE(expand_pairs("name", '\\', variable));
  EXPECT_FALSE(expand_pairs("=b", '\\', variable));
}

TEST(DockerfileWords, InAHeredocQuotesAreLetters) {
  EXPECT_EQ(*expand_text("it's \"$x\" \\$x \\n", '\\', variable), "it's \"one\" $x \\n");
}

}  // namespace
}  // namespace skiff::image
