#include "spec/writer.h"

#include <gtest/gtest.h>

namespace skiff::spec {

struct Inner {
  std::string text;
};
struct Outer {
  Inner inner;
  std::map<std::string, Inner> by_name;
  std::vector<int> numbers;
  std::optional<bool> maybe;
};

static void fields(Writer &v, const Inner &inner) { v.optional("text", inner.text); }
static void fields(Writer &v, const Outer &outer) {
  v.optional("inner", outer.inner);
  v.optional("byName", outer.by_name);
  v.optional("numbers", outer.numbers);
  v.optional("maybe", outer.maybe);
}

namespace {

TEST(Writer, LeavesOutWhatIsAtItsDefault) {
  EXPECT_EQ(Writer("").document(Outer{}), "{}");
  EXPECT_EQ(Writer("  ").document(Outer{}), "{}");
}

TEST(Writer, WritesOneLineOrIndents) {
  Outer outer;
  outer.by_name["a"] = {};
  outer.numbers = {1, -2};
  outer.maybe = false;
  EXPECT_EQ(Writer("").document(outer), R"({"byName":{"a":{}},"numbers":[1,-2],"maybe":false})");
  EXPECT_EQ(Writer(" ").document(outer), R"({
 "byName": {
  "a": {}
 },
 "numbers": [
  1,
  -2
 ],
 "maybe": false
})");
}

TEST(Writer, EscapesWhatJsonAsksFor) {
  const std::string text = std::string("\"\\\n\r\t\x01") + '\0' + "\x7f/";
  EXPECT_EQ(Writer("").document(Inner{text}), "{\"text\":\"\\\"\\\\\\n\\r\\t\\u0001\\u0000\x7f/\"}");
}

TEST(Writer, KeepsUtf8AndReplacesOtherBytes) {
  const std::string good = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  EXPECT_EQ(Writer("").document(Inner{good}), "{\"text\":\"" + good + "\"}");
  const std::string replaced = "\xef\xbf\xbd";
  EXPECT_EQ(Writer("").document(Inner{"a\xff"}), "{\"text\":\"a" + replaced + "\"}");
  EXPECT_EQ(Writer("").document(Inner{"\xe2\x82"}), "{\"text\":\"" + replaced + replaced + "\"}");
  EXPECT_EQ(Writer("").document(Inner{"\xed\xa0\x80"}), "{\"text\":\"" + replaced + replaced + replaced + "\"}");
}

}  // namespace

}  // namespace skiff::spec
