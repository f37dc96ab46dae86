#include "spec/json.h"

#include <gtest/gtest.h>

namespace skiff::spec::json {

namespace {

Finding failure_of(std::string_view text) {
  const auto document = Document::parse(text);
  EXPECT_FALSE(document) << text;
  return document ? Finding{} : document.error();
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(Json, FindsMembersByNameAndPlacesByPointer) {
  const auto document = Document::parse(R"({"a": [1, {"b/c~d": "x"}], "n": null})");
  ASSERT_TRUE(document);
  const Value root = document->root();
  EXPECT_EQ(root.pointer(), "");
  EXPECT_FALSE(root.member("n")) << "null is as absent";
  EXPECT_FALSE(root.member("none"));
  std::vector<Value> elements;
  root.member("a").each([&](Value value) { elements.push_back(value); });
  ASSERT_EQ(elements.size(), 2U);
  EXPECT_EQ(elements[0].number(), 1U);
  const Value inner = elements[1].member("b/c~d");
  EXPECT_EQ(inner.text(), "x");
  EXPECT_EQ(inner.pointer(), "/a/1/b~1c~0d");
}

TEST(Json, TakesTheLastOfTwoMembersOfOneName) {
  const auto document = Document::parse(R"({"a": {"deep": [1, 2]}, "a": 2})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().member("a").number(), 2U);
}

TEST(Json, TakesAMemberInOtherLettersWhereThereIsNoExactOne) {  // as runc's parser does
  const auto document = Document::parse(R"({"pagesize": 1, "Limit": 2, "limit": 3, "LIMIT": 4})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().member("pageSize").number(), 1U);
  EXPECT_EQ(document->root().member("limit").number(), 3U);
  EXPECT_FALSE(document->root().member("pageSizes"));
}

TEST(Json, TellsIntegersFromOtherNumbers) {
  const auto document = Document::parse(R"([0, -1, 18446744073709551615, 1.0, 1e3, 18446744073709551616])");
  ASSERT_TRUE(document);
  std::vector<Kind> kinds;
  document->root().each([&](Value value) { kinds.push_back(value.kind()); });
  EXPECT_EQ(kinds, (std::vector{Kind::natural, Kind::negative, Kind::natural, Kind::fraction, Kind::fraction,
                                Kind::fraction}));
}

TEST(Json, DecodesEscapesOfStrings) {
  const auto document = Document::parse(R"(["\u00e9\n\ud83d\ude00"])");
  ASSERT_TRUE(document);
  document->root().each([](Value value) { EXPECT_EQ(value.text(), "\xc3\xa9\n\xf0\x9f\x98\x80"); });
}

TEST(Json, SaysThatADocumentIsEmpty) {
  EXPECT_EQ(failure_of("").text, "the document is empty");
  EXPECT_EQ(failure_of(" \n\t").text, "the document is empty");
}

TEST(Json, NamesLineColumnAndExpectationOfASyntaxError) {
  const Finding finding = failure_of("{\n  \"a\": 1\n  \"b\": 2\n}");
  EXPECT_TRUE(finding.text.starts_with("line 3, column ")) << finding.text;
  EXPECT_NE(finding.text.find("expected '}'"), std::string::npos) << finding.text;
  EXPECT_EQ(finding.remedy, "put a comma before it");
  EXPECT_EQ(finding.clause, "");
}

TEST(Json, NamesThePlaceOfASyntaxError) {
  EXPECT_EQ(failure_of(R"({"linux": {"namespaces": [{"type": pid}]}})").pointer, "/linux/namespaces/0/type");
}

TEST(Json, NamesAStrayComma) {
  EXPECT_EQ(failure_of(R"({"a": 1,})").remedy, "remove the comma before it");
  EXPECT_EQ(failure_of(R"({"a": [1,]})").remedy, "remove the comma before it");
}

TEST(Json, RefusesWhatIsNotUtf8) {
  EXPECT_NE(failure_of("[\"\xff\"]").text.find("UTF-8"), std::string::npos);
  EXPECT_NE(failure_of("[\"\xc0\x80\"]").text.find("UTF-8"), std::string::npos);
}

TEST(Json, RefusesMoreThan64Levels) {
  EXPECT_TRUE(Document::parse(nested(depth_limit)));
  EXPECT_EQ(failure_of(nested(depth_limit + 1)).text, "nested deeper than 64 levels");
  EXPECT_EQ(failure_of(std::string(100'000, '[')).text, "nested deeper than 64 levels");
}

TEST(Json, RefusesTextAfterTheDocument) { EXPECT_NE(failure_of("{} {}").text, ""); }

TEST(Json, RefusesANumberThatNoDoubleHolds) { EXPECT_NE(failure_of("[1e999]").text.find("1e999"), std::string::npos); }

TEST(Json, EveryPrefixOfADocumentIsAFindingAndNeverAnAbort) {
  const std::string text = R"({"a": [1, -2, 3.5e1, true, false, null], "b\u00e9": {"c": "\ud83d\ude00"}})";
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_NE(failure_of(text.substr(0, size)).text, "");
  EXPECT_TRUE(Document::parse(text));
}

TEST(Json, EveryChangedByteIsADocumentOrAFinding) {
  const std::string text = R"({"a": [1, -2, 3.5e1, true, null], "b": {"c": "\u00e9"}})";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      const auto document = Document::parse(changed);
      EXPECT_TRUE(document || !document.error().text.empty());
    }
  }
}

}  // namespace

}  // namespace skiff::spec::json
