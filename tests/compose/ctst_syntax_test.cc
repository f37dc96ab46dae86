#include "compose/ctst_syntax.h"

#include <gtest/gtest.h>

#include "compose/ctst_lexer.h"

namespace skiff::compose::ctst {
namespace {

struct Parsed {
  Source source;
  Findings findings;
  Tree tree;

  explicit Parsed(std::string text) : source{.path = "a.ctst", .text = std::move(text)} {
    tree = parse(source, findings);
  }
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const Finding &one : findings.all()) out += one.message() + "\n";
    return out;
  }
  [[nodiscard]] std::string codes() const {
    std::string out;
    for (const Finding &one : findings.all()) out += (out.empty() ? "" : " ") + one.code;
    return out;
  }
};

// CTST.md, "Lexical": comments, commas anywhere, `a->b` without spaces.
TEST(CtstSyntax, ReadsEveryStatement) {
  const Parsed parsed(
      "// a shop\n"
      "IMPORT \"lib/db.ctst\" AS db, IMPORT \"x.ctst\"\n"
      "EXPOSE 80 EXPOSE web 8080:80\n"
      "CONNECT web->db-1, CONNECT web -> cache\n"
      "COMPONENT web FROM db.base { param v, param w = \"1\" template = true, port = 80 }\n"
      "COMPONENT cache FROM web {}\n");
  ASSERT_EQ(parsed.told(), "");
  const Tree &tree = parsed.tree;
  ASSERT_EQ(tree.imports.size(), 2U);
  EXPECT_EQ(tree.imports[0].path.shown(), "lib/db.ctst");
  EXPECT_EQ(tree.imports[0].alias->text, "db");
  EXPECT_FALSE(tree.imports[1].alias);
  ASSERT_EQ(tree.exposes.size(), 2U);
  EXPECT_EQ(tree.exposes[0].host.digits, "80");
  EXPECT_EQ(tree.exposes[0].container.digits, "80");
  EXPECT_EQ(tree.exposes[1].component->text, "web");
  EXPECT_EQ(tree.exposes[1].host.digits, "8080");
  ASSERT_EQ(tree.connects.size(), 2U);
  EXPECT_EQ(tree.connects[0].to.text, "db-1");
  ASSERT_EQ(tree.components.size(), 2U);
  EXPECT_EQ(tree.components[0].from_member->text, "base");
  EXPECT_TRUE(tree.components[0].is_template);
  EXPECT_EQ(tree.components[0].parameters[1].initial->shown(), "1");
  EXPECT_EQ(tree.components[0].find("port")->word, "80");
  EXPECT_EQ(tree.components[1].from->text, "web");
  EXPECT_FALSE(tree.components[1].from_member);
}

// CTST.md, "Grammar": list, map and their items.
TEST(CtstSyntax, ReadsEveryKindOfValue) {
  const Parsed parsed(
      "COMPONENT a {\n"
      "  command = [\"x\" 1, \"y\",]\n"
      "  env = { A = \"1\", B = 2 SECRET = \"s\" }\n"
      "  healthcheck = { command = [\"true\"] retries = 3 }\n"
      "  readonly = false\n"
      "  empty = []\n"
      "}\n");
  ASSERT_EQ(parsed.told(), "");
  const Component &a = parsed.tree.components[0];
  EXPECT_EQ(a.find("command")->items.size(), 3U);
  EXPECT_EQ(a.find("command")->items[1].word, "1");
  EXPECT_EQ(a.find("env")->entries[2].key.text, "SECRET");
  EXPECT_EQ(a.find("healthcheck")->entries[0].value.kind, Node::Kind::list);
  EXPECT_EQ(a.find("readonly")->kind, Node::Kind::boolean);
  EXPECT_EQ(a.find("readonly")->at.line, 5U);
  EXPECT_EQ(a.find("readonly")->at.column, 14U);
}

// CTST.md, "Lexical": escapes, `$${`; "Grammar": interp.
TEST(CtstText, TellsLettersFromReferences) {
  const Parsed parsed(
      R"(COMPONENT a { image = "q\" b\\ n\n t\t $${env.X} $ ${env.X:-d e} ${b-1.host} ${secret.a.b}" })");
  ASSERT_EQ(parsed.told(), "");
  const Text &text = parsed.tree.components[0].find("image")->text;
  ASSERT_EQ(text.pieces.size(), 6U);
  EXPECT_EQ(std::get<std::string>(text.pieces[0]), "q\" b\\ n\n t\t ${env.X} $ ");
  const auto &variable = std::get<Reference>(text.pieces[1]);
  EXPECT_EQ(variable.kind, Reference::Kind::environment);
  EXPECT_EQ(variable.fallback, "d e");
  EXPECT_EQ(variable.at.column, 52U);
  EXPECT_EQ(std::get<Reference>(text.pieces[3]).name, "b-1");
  EXPECT_EQ(std::get<Reference>(text.pieces[5]).name, "a.b");
}

TEST(CtstText, IsWrittenAsItIsRead) {
  Findings findings;
  const std::string letters = "q\" b\\ n\n t\t ${env.X} $${ $";
  const std::string written = quote_text(letters);
  const std::vector<Piece> pieces = parse_pieces(written.substr(1, written.size() - 2), {}, findings);
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(std::get<std::string>(pieces[0]), letters);
}

// CTST.md, "Lexical": UTF-8, the byte order mark skipped, NUL refused.
TEST(CtstLexer, RefusesWhatIsNoText) {
  EXPECT_EQ(Parsed(std::string("// a\n\0", 6)).told(),
            "a.ctst:2:1: a NUL byte; is this a text file?\n  " + std::string(1, '\0') + "\n  ^\n");
  EXPECT_EQ(Parsed("// \xC0\xAF").codes(), "not-text");
  EXPECT_EQ(Parsed("// \xED\xA0\x80").codes(), "not-text");
  EXPECT_EQ(Parsed("// \xF4\x90\x80\x80").codes(), "not-text");
  EXPECT_EQ(Parsed("// \xF0\x9F\x9A\xA2 \xE2\x82\xAC \xC3\xA4").codes(), "");
  EXPECT_EQ(without_mark("\xEF\xBB\xBFx"), "x");
}

struct Case {
  const char *text;
  const char *told;
};

class CtstErrors : public testing::TestWithParam<Case> {};

TEST_P(CtstErrors, AreToldWithTheirPlace) { EXPECT_EQ(Parsed(GetParam().text).told(), GetParam().told); }

INSTANTIATE_TEST_SUITE_P(
    Lexical, CtstErrors,
    testing::Values(Case{"COMPONENT a { image = \"x\\q\" }",
                         "a.ctst:1:25: \\q is no escape; write one of \\\" \\\\ \\n \\t\n"
                         "  COMPONENT a { image = \"x\\q\" }\n"
                         "                          ^\n"},
                    Case{"COMPONENT a {\n  image = \"x\n}",
                         "a.ctst:2:11: the string has no end on its line; close it with \"\n"
                         "    image = \"x\n"
                         "            ^\n"},
                    Case{"COMPONENT a { memory = 64m }",
                         "a.ctst:1:24: 64m is neither a number nor a name; write \"64m\" if it is meant as text\n"
                         "  COMPONENT a { memory = 64m }\n"
                         "                         ^\n"},
                    Case{"# shop\n",
                         "a.ctst:1:1: # means nothing here; write // in front of a comment\n"
                         "  # shop\n"
                         "  ^\n"},
                    Case{"COMPONENT a { image = \"${HOME}\" }",
                         "a.ctst:1:24: ${HOME} says neither whose nor what; write ${env.HOME} or ${param.HOME}\n"
                         "  COMPONENT a { image = \"${HOME}\" }\n"
                         "                         ^\n"},
                    Case{
                        "COMPONENT a { image = \"${b.hots}\" }",
                        "a.ctst:1:24: ${b.hots}: a component has host, port and connection_string; did you mean host?\n"
                        "  COMPONENT a { image = \"${b.hots}\" }\n"
                        "                         ^\n"},
                    Case{"COMPONENT a { image = \"${b.host\" }",
                         "a.ctst:1:24: ${ without its }; write $${ for the two letters themselves\n"
                         "  COMPONENT a { image = \"${b.host\" }\n"
                         "                         ^\n"}));

INSTANTIATE_TEST_SUITE_P(
    Grammar, CtstErrors,
    testing::Values(
        Case{"Component a {}",
             "a.ctst:1:1: Component in place of IMPORT, COMPONENT, CONNECT or EXPOSE; did you mean COMPONENT?\n"
             "  Component a {}\n"
             "  ^\n"},
        Case{"COMPONENT SECRET {}",
             "a.ctst:1:11: SECRET is a word of the language; choose another name for the component\n"
             "  COMPONENT SECRET {}\n"
             "            ^\n"},
        Case{"COMPONENT a { restart = always }",
             "a.ctst:1:25: always in place of the value of restart; strings stand in quotes: \"always\"\n"
             "  COMPONENT a { restart = always }\n"
             "                          ^\n"},
        Case{"COMPONENT a { readonly = True }",
             "a.ctst:1:26: True in place of the value of readonly; did you mean true?\n"
             "  COMPONENT a { readonly = True }\n"
             "                           ^\n"},
        Case{"COMPONENT a {\n  port = 1\n  port = 2\n}",
             "a.ctst:3:3: port stands in line 2 already\n"
             "    port = 2\n"
             "    ^\n"},
        Case{"COMPONENT a {\n  port = 1\nCOMPONENT b {}",
             "a.ctst:3:1: component a of line 1 has no }\n"
             "  COMPONENT b {}\n"
             "  ^\n"},
        Case{"COMPONENT a { image: \"x\" }",
             "a.ctst:1:15: image in place of a property; write image = ...\n"
             "  COMPONENT a { image: \"x\" }\n"
             "                ^\n"},
        Case{"COMPONENT a { env = { A = true } }",
             "a.ctst:1:27: true in place of the value of A; write \"true\"\n"
             "  COMPONENT a { env = { A = true } }\n"
             "                            ^\n"},
        Case{"CONNECT a b",
             "a.ctst:1:11: b in place of ->; write CONNECT a -> b, where a needs b\n"
             "  CONNECT a b\n"
             "            ^\n"},
        Case{"EXPOSE web \"80\"",
             "a.ctst:1:12: \"80\" in place of a port; ports stand without quotes\n"
             "  EXPOSE web \"80\"\n"
             "             ^\n"}));

// CTST.md, "Checks": what is wrong in several places is told in one go.
TEST(CtstSyntax, GoesOnAfterAnError) {
  const Parsed parsed(
      "IMPORT lib\n"
      "COMPONENT a {\n"
      "  image \"x\"\n"
      "  port =\n"
      "  env = { A \"1\", B = \"2\" }\n"
      "  command = [\"x\", { A } ]\n"
      "  param\n"
      "COMPONENT b {\n"
      "  image = \"y\"\n"
      "}\n"
      "CONNECT a ->\n"
      "EXPOSE 80\n");
  EXPECT_EQ(parsed.codes(),
            "unexpected unexpected unexpected unexpected unexpected unexpected missing-brace unexpected");
  ASSERT_EQ(parsed.tree.components.size(), 2U);
  EXPECT_EQ(parsed.tree.components[0].find("env")->entries.size(), 1U);
  EXPECT_EQ(parsed.tree.components[1].find("image")->text.shown(), "y");
  EXPECT_EQ(parsed.tree.exposes.size(), 1U);
}

}  // namespace
}  // namespace skiff::compose::ctst
