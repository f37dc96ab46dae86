#include "conformance/tree.h"

#include <gtest/gtest.h>

namespace skiff::conformance {
namespace {

TEST(Tree, KeepsADocumentAsItWas) {
  const std::string text = R"({"a":[1,-2,18446744073709551615,1.5],"b":{"":null},"c":"x\"\n","d":true,"e":[],"f":{}})";
  EXPECT_EQ(Tree::parse(text).value().dump(), text);
}

TEST(Tree, RefusesWhatIsNoJson) {
  EXPECT_FALSE(Tree::parse("{\"a\":").has_value());
  EXPECT_FALSE(Tree::parse("{} {}").has_value());
  EXPECT_FALSE(Tree::parse("").has_value());
}

TEST(Tree, FindsByPointer) {  // RFC 6901
  const Tree tree = R"({"a": [{"b/c": {"~": 7}}]})"_json;
  EXPECT_EQ(tree.number("/a/0/b~1c/~0"), 7);
  EXPECT_EQ(tree.find("/a/1"), nullptr);
  EXPECT_EQ(tree.find("/a/x"), nullptr);
  EXPECT_EQ(tree.find("/x/y"), nullptr);
  EXPECT_EQ(tree.find(""), &tree);
}

TEST(Tree, TakesNoOtherKindForANumber) {
  const Tree tree = R"({"text": "7", "fraction": 1.5, "big": 18446744073709551615, "flag": true})"_json;
  for (const char *pointer : {"/text", "/fraction", "/big", "/flag", "/missing"}) {
    EXPECT_EQ(tree.number(pointer), std::nullopt) << pointer;
  }
  EXPECT_EQ(tree.text("/flag"), "true");
}

TEST(Tree, MakesWhatIsMissingOnTheWay) {
  Tree tree;
  tree.set("/linux/namespaces/-", R"({"type": "pid"})"_json);
  tree.set("/linux/namespaces/-", R"({"type": "uts"})"_json);
  tree.set("/linux/namespaces/0/path", "/proc/1/ns/pid");
  tree.set("/flag", true);
  tree.set("/number", -1);
  EXPECT_EQ(
      tree.dump(),
      R"({"linux":{"namespaces":[{"type":"pid","path":"/proc/1/ns/pid"},{"type":"uts"}]},"flag":true,"number":-1})");
}

TEST(Tree, RemovesMembersAndElements) {
  Tree tree = R"({"a": [1, 2, 3], "b": 4, "c": 5})"_json;
  tree.remove("/a/1");
  tree.remove("/b");
  tree.remove("/nothing");
  EXPECT_EQ(tree.dump(), R"({"a":[1,3],"c":5})");
  EXPECT_EQ(tree.texts("/a"), (std::vector<std::string>{"1", "3"}));
}

}  // namespace
}  // namespace skiff::conformance
