#include "compose/yaml.h"

#include <gtest/gtest.h>

#include "compose/value_text.h"

namespace skiff::compose {
namespace {

struct Parsed {
  std::unique_ptr<Source> source;
  std::vector<Value> documents;
  Findings findings;
};

Parsed parse(std::string text) {
  Parsed parsed;
  parsed.source = std::make_unique<Source>(Source{"compose.yaml", std::move(text)});
  parsed.documents = parse_yaml(*parsed.source, parsed.findings);
  return parsed;
}

std::string error_of(const std::string &text) {
  const Parsed parsed = parse(text);
  return parsed.findings.all().empty() ? std::string() : parsed.findings.all()[0].line();
}

std::string json_of(const std::string &text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.findings.all().empty()) << parsed.findings.all()[0].message();
  return parsed.documents.empty() ? std::string() : print_json(parsed.documents[0], 0);
}

TEST(Yaml, PlacesAreLinesAndBytesFromOne) {
  const Parsed parsed = parse("a: 1\n\xC3\xA4:   {b: x}\n");
  const Member &second = parsed.documents.at(0).members.at(1);
  EXPECT_EQ(second.at.line, 2U);
  EXPECT_EQ(second.at.column, 1U);
  EXPECT_EQ(second.value.at.column, 7U);
  EXPECT_EQ(second.value.members.at(0).value.at.column, 11U);
}

// YAML 1.2.2, 10.3.2
TEST(Yaml, PlainScalarsHaveTheKindsOfTheCoreSchema) {
  EXPECT_EQ(json_of("[1, -2.5, 1e3, true, False, null, ~, yes, no, 1.2.3, 12:30, 0x1F, \"1\", 'true']"),
            R"([1,-2.5,1e3,true,false,null,null,"yes","no","1.2.3","12:30","0x1F","1","true"])");
  EXPECT_EQ(kind_of_plain("0x1F"), Value::Kind::number);
  EXPECT_EQ(kind_of_plain(".inf"), Value::Kind::number);
  EXPECT_EQ(kind_of_plain("."), Value::Kind::string);
  EXPECT_EQ(kind_of_plain("-"), Value::Kind::string);
}

TEST(Yaml, JsonIsYaml) { EXPECT_EQ(json_of(R"({"a": ["b", 1, null]})"), R"({"a":["b",1,null]})"); }

// compose-spec, "Fragments"
TEST(Yaml, MergeKeysAddWhatIsMissing) {
  EXPECT_EQ(json_of("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {b: 0, <<: [*x, *y]}\n"),
            R"({"x":{"a":1,"b":2},"y":{"b":3,"c":4},"z":{"b":0,"a":1,"c":4}})");
}

TEST(Yaml, TagsOfTheMergeAreKept) {
  const Parsed parsed = parse("a: !reset []\nb: !override [1]\nc: !!str 1\n");
  const Value &map = parsed.documents.at(0);
  EXPECT_EQ(map.find("a")->tag, Tag::reset);
  EXPECT_EQ(map.find("b")->tag, Tag::override_);
  EXPECT_EQ(map.find("c")->kind, Value::Kind::string);
  EXPECT_TRUE(parsed.findings.all().empty());
}

TEST(Yaml, AKeyGivenTwiceIsToldEachTime) {
  const Parsed parsed = parse("a: 1\nb: 2\na: 3\nb: 4\n");
  ASSERT_EQ(parsed.findings.all().size(), 2U);
  EXPECT_EQ(parsed.findings.all()[0].line(), "compose.yaml:3:1: \"a\" stands here twice, first in line 1");
  EXPECT_EQ(parsed.findings.all()[1].at.line, 4U);
}

TEST(Yaml, ErrorsHaveLineAndColumn) {
  const std::string error = error_of("services:\n  web:\n    image: [a\n");
  EXPECT_TRUE(error.starts_with("compose.yaml:")) << error;
  EXPECT_NE(error_of("a: 'b\n"), "");
  EXPECT_NE(error_of("a: b: c\n"), "");
  EXPECT_NE(error_of("\ta: b\n"), "");
  EXPECT_EQ(error_of("a: *b\n"), "compose.yaml:1:4: *b: no anchor of this name stands before it");
  EXPECT_EQ(error_of("a: !x b\n"),
            "compose.yaml:1:4: !x: this tag means nothing here; compose files know !reset and !override");
}

TEST(Yaml, AFileOfAliasesIsRefusedBeforeItFillsMemory) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  EXPECT_NE(error_of(text).find("aliases make more than 100000 values"), std::string::npos);
}

TEST(Yaml, NestingHasALimit) {
  EXPECT_NE(error_of(std::string(5000, '[')), "");
  std::string blocks;
  for (int i = 0; i < 300; ++i) blocks += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_NE(error_of(blocks), "");
}

TEST(Yaml, DocumentsOfOneFileAreAllRead) { EXPECT_EQ(parse("a: 1\n---\nb: 2\n").documents.size(), 2U); }

// What print_yaml writes is read back as the same values.
TEST(PrintYaml, RoundTrips) {
  const std::vector<std::string> texts = {
      "",
      "a",
      "1",
      "1.5",
      "0x1",
      "true",
      "no",
      "null",
      "~",
      "a: b",
      "a #b",
      "#a",
      "- a",
      "-",
      "-a",
      "?",
      "? a",
      ":a",
      "a:",
      " a",
      "a ",
      "a\nb",
      "a\nb\n",
      "a\n\n\nb\n\n",
      "\n",
      "\na",
      " a\nb",
      "a\n  b\n",
      "a\tb",
      "\ta\nb",
      "a\r\nb",
      "'",
      "\"",
      "it's",
      "[a]",
      "{a}",
      "*a",
      "&a",
      "!a",
      "|",
      ">",
      "%a",
      "@a",
      "`a",
      "a,b",
      "\\",
      "\x01",
      "\x7f",
      "\xC3\xA4",
      "\xC2\x85",
      "\xE2\x80\xA8x",
      "\xEF\xBB\xBFx",
      "---",
      "--- a",
      "...",
      "=",
      "<<",
      "1_000",
      "12:30",
      "1.2.3.4",
      "$$a",
      "0b1",
      "+1",
      ".5",
      "a\n b\n\tc",
      "a \nb",
      "x\n\n",
      "\xF0\x9F\x98\x80",
  };
  Value list = Value::of_list();
  Value map = Value::of_map();
  for (const std::string &text : texts) {
    list.items.push_back(Value::of_string(text));
    map.members.push_back({.key = text, .at = {}, .value = Value::of_string(text)});
  }
  Value all = Value::of_map();
  all.get("deep") = Value::of_list();
  all.get("deep").items.push_back(map);
  all.get("deep").items.push_back(list);
  all.get("list") = list;
  all.get("map") = map;
  all.get("empty") = Value::of_map();
  all.get("none") = Value::of_list();
  const Parsed parsed = parse(print_yaml(all));
  ASSERT_TRUE(parsed.findings.all().empty()) << parsed.findings.all()[0].message();
  const Value &read = parsed.documents.at(0);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const Value *value :
         {&read.find("list")->items.at(i), &read.find("map")->members.at(i).value,
          &read.find("deep")->items.at(0).members.at(i).value, &read.find("deep")->items.at(1).items.at(i)}) {
      EXPECT_EQ(value->kind, Value::Kind::string) << texts[i];
      EXPECT_EQ(value->text, texts[i]);
    }
    EXPECT_EQ(read.find("map")->members[i].key, texts[i]);
  }
  EXPECT_EQ(read.find("empty")->kind, Value::Kind::map);
  EXPECT_EQ(read.find("none")->kind, Value::Kind::list);
}

// RFC 8259: JSON is YAML, so the same parser reads it.
TEST(PrintJson, RoundTrips) {
  const std::string text = "a: [1, .5, 0o17, \"x\\ty\\u0001\", true, null]\nb: {c: {}}\n";
  const Parsed parsed = parse(text);
  EXPECT_EQ(print_json(parsed.documents.at(0), 0),
            "{\"a\":[1,\".5\",\"0o17\",\"x\\ty\\u0001\",true,null],\"b\":{\"c\":{}}}");
  EXPECT_EQ(print_json(parsed.documents.at(0)).substr(0, 16), "{\n  \"a\": [\n    1");
}

}  // namespace
}  // namespace skiff::compose
