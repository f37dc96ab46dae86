// CTST.md, "IMPORT and FROM".
#include <gtest/gtest.h>

#include "spec/sha256.h"
#include "tests/compose/ctst_rig.h"

namespace skiff::compose {
namespace {

constexpr const char *database = "COMPONENT postgres { image = \"postgres:16\" port = 5432 }\n";

// CTST.md: the importing file's folder, the entry file's folder, --import-path.
TEST(CtstImport, IsLookedForInThreePlaces) {
  CtstRig rig;
  rig.write("lib/near.ctst",
            "IMPORT \"deep.ctst\" IMPORT \"entry.ctst\" IMPORT \"far.ctst\"\n"
            "COMPONENT a FROM deep {} COMPONENT b FROM entry {} COMPONENT c FROM far {}\n");
  rig.write("lib/deep.ctst", "COMPONENT x { image = \"deep\" }");
  rig.write("deep.ctst", "COMPONENT x { image = \"wrong\" }");
  rig.write("entry.ctst", "COMPONENT x { image = \"entry\" }");
  rig.write("path/far.ctst", "COMPONENT x { image = \"far\" }");
  rig.write("path/entry.ctst", "COMPONENT x { image = \"wrong\" }");
  rig.request.import_paths = {rig.folder() + "/path"};
  rig.load(
      "IMPORT \"lib/near.ctst\" COMPONENT a FROM near.a {} COMPONENT b FROM near.b {} COMPONENT c FROM near.c {}\n"
      "CONNECT a -> b CONNECT b -> c");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.image") + rig.at("services.b.image") + rig.at("services.c.image"), "deepentryfar");
}

TEST(CtstImport, WhatIsNowhereIsToldWithThePlaces) {
  CtstRig rig;
  rig.request.import_paths = {"/nowhere"};
  rig.load("IMPORT \"db.ctst\"\nCOMPONENT a FROM db { image = \"a\" }\n");
  EXPECT_EQ(rig.told(),
            "DIR/main.ctst:1:8: there is no db.ctst; looked in DIR, /nowhere; --import-path adds a folder\n"
            "  IMPORT \"db.ctst\"\n"
            "         ^\n");
}

// CTST.md: relative to the file's folder, also where the file is imported.
TEST(CtstImport, RelativePathsAreThoseOfTheFileTheyStandIn) {
  CtstRig rig;
  rig.write("lib/db.ctst", "COMPONENT db { image = \"tar://db.tar\" volume = \"data:/data\" }");
  rig.load("IMPORT \"lib/db.ctst\" COMPONENT a FROM db {}");
  EXPECT_EQ(rig.at("services.a.image") + " " + rig.at("services.a.volumes"),
            "tar://DIR/lib/db.tar [{type: bind, source: DIR/lib/data, target: /data, bind: {create_host_path: true}}]");
}

// CTST.md: a cycle is an error that prints the path.
TEST(CtstImport, ACycleIsPrinted) {
  CtstRig rig;
  rig.write("b.ctst", "IMPORT \"c.ctst\"\nCOMPONENT b { image = \"b\" }");
  rig.write("c.ctst", "IMPORT \"./b.ctst\"\nCOMPONENT c { image = \"c\" }");
  rig.load("IMPORT \"b.ctst\"\nCOMPONENT a FROM b {}");
  EXPECT_EQ(rig.told(),
            "DIR/c.ctst:1:8: a cycle of imports: DIR/b.ctst -> DIR/c.ctst -> DIR/b.ctst\n"
            "  IMPORT \"./b.ctst\"\n"
            "         ^\n");
}

TEST(CtstImport, AFileImportedTwiceIsReadOnce) {
  CtstRig rig;
  rig.write("b.ctst", "IMPORT \"d.ctst\"\nCOMPONENT b FROM d {}");
  rig.write("d.ctst", "COMPONENT d { imag = \"d\" image = \"d\" }");
  rig.load("IMPORT \"b.ctst\" IMPORT \"d.ctst\"\nCOMPONENT a FROM b {} COMPONENT e FROM d {} CONNECT a -> e");
  EXPECT_EQ(rig.codes(), "unknown-property");
}

// CTST.md: http is refused, https needs a pin and is refused offline unless cached.
TEST(CtstImport, OnlyPinnedHttpsIsFetched) {
  CtstRig rig;
  const std::string url = "https://host.example/db.ctst";
  const std::string pinned =
      "IMPORT \"" + url + "#sha256=" + spec::sha256_hex(database) + "\" AS db COMPONENT a FROM db {}";
  std::vector<std::string> fetched;
  rig.request.fetch = [&](const std::string &from) -> Result<std::string> {
    fetched.push_back(from);
    return database;
  };
  rig.request.offline = true;
  rig.load(pinned);
  EXPECT_EQ(rig.codes(), "offline-import missing-image");
  EXPECT_TRUE(fetched.empty());
  rig.request.offline = false;
  rig.load(pinned);
  EXPECT_EQ(rig.told(), "");
  rig.request.offline = true;
  rig.load(pinned);
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.image"), "postgres:16");
  EXPECT_EQ(fetched, std::vector<std::string>{url});
  // What somebody changed in the cache counts for nothing.
  rig.write("cache/" + spec::sha256_hex(database), "COMPONENT evil { image = \"evil\" }");
  rig.load(pinned);
  EXPECT_EQ(rig.codes(), "offline-import missing-image");
}

TEST(CtstImport, WhatHasAnotherDigestIsRefused) {
  CtstRig rig;
  rig.request.fetch = [](const std::string &) -> Result<std::string> { return "// other\n"; };
  rig.load("IMPORT \"https://host.example/db.ctst#sha256=" + spec::sha256_hex(database) + "\"");
  EXPECT_EQ(rig.codes(), "missing-import");
  EXPECT_NE(rig.told().find("has sha256 " + spec::sha256_hex("// other\n") + ", not " + spec::sha256_hex(database) +
                            "; it has changed: read it, then change the pin"),
            std::string::npos)
      << rig.told();
}

struct Case {
  const char *text;
  const char *told;
};
class CtstImportErrors : public testing::TestWithParam<Case> {};
TEST_P(CtstImportErrors, AreToldWithTheirPlace) {
  CtstRig rig;
  rig.write("two.ctst", "COMPONENT one { image = \"1\" } COMPONENT two { image = \"2\" }");
  rig.load(GetParam().text);
  EXPECT_EQ(rig.told(), GetParam().told);
}
INSTANTIATE_TEST_SUITE_P(
    All, CtstImportErrors,
    testing::Values(
        Case{"IMPORT \"http://h/a.ctst\"",
             "DIR/main.ctst:1:8: http is not safe from change on its way; use https with #sha256=, or a file\n"
             "  IMPORT \"http://h/a.ctst\"\n"
             "         ^\n"},
        Case{"IMPORT \"https://h/a.ctst\"",
             "DIR/main.ctst:1:8: https://h/a.ctst has no digest that it must have; add #sha256= and 64 hexadecimal "
             "digits\n"
             "  IMPORT \"https://h/a.ctst\"\n"
             "         ^\n"},
        Case{"IMPORT \"${env.X}.ctst\"",
             "DIR/main.ctst:1:8: a path to import is written out: it has no ${}\n"
             "  IMPORT \"${env.X}.ctst\"\n"
             "         ^\n"},
        Case{"IMPORT \"two.ctst\"",
             "DIR/main.ctst:1:8: nothing is made FROM two\n"
             "  IMPORT \"two.ctst\"\n"
             "         ^\n"},
        Case{"IMPORT \"two.ctst\" AS t\nIMPORT \"two.ctst\" AS t\nCOMPONENT a FROM t.one {}",
             "DIR/main.ctst:2:22: t is the import of line 1 already; give it another name with AS\n"
             "  IMPORT \"two.ctst\" AS t\n"
             "                       ^\n"},
        Case{"IMPORT \"two.ctst\"\nCOMPONENT a FROM two { image = \"a\" }",
             "DIR/main.ctst:2:18: two has 2 components, of which FROM takes one; there is two.one, two.two\n"
             "  COMPONENT a FROM two { image = \"a\" }\n"
             "                   ^\n"},
        Case{"IMPORT \"two.ctst\"\nCOMPONENT a FROM two.tow { image = \"a\" }",
             "DIR/main.ctst:2:22: two has no tow; did you mean two?\n"
             "  COMPONENT a FROM two.tow { image = \"a\" }\n"
             "                       ^\n"},
        Case{"COMPONENT base { image = \"a\" template = true }\nCOMPONENT a FROM bsae { image = \"a\" }",
             "DIR/main.ctst:2:18: there is no component or import bsae; did you mean base?\n"
             "  COMPONENT a FROM bsae { image = \"a\" }\n"
             "                   ^\n"},
        Case{"COMPONENT a FROM a { image = \"a\" }",
             "DIR/main.ctst:1:18: a cycle of templates: a -> a\n"
             "  COMPONENT a FROM a { image = \"a\" }\n"
             "                   ^\n"},
        Case{"COMPONENT a FROM b { image = \"a\" }\nCOMPONENT b FROM c { template = true }\nCOMPONENT c FROM b { "
             "template = "
             "true }",
             "DIR/main.ctst:2:18: a cycle of templates: b -> c -> b\n"
             "  COMPONENT b FROM c { template = true }\n"
             "                   ^\n"}));

// CTST.md: FROM A is the component A of this file, else the alias A.
TEST(CtstFrom, TheFilesOwnComponentComesFirst) {
  CtstRig rig;
  rig.write("db.ctst", database);
  rig.load(
      "IMPORT \"db.ctst\" COMPONENT db { image = \"own\" template = true } COMPONENT a FROM db {} COMPONENT b FROM "
      "db.postgres {} CONNECT a -> b");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.image") + " " + rig.at("services.b.image"), "own postgres:16");
  EXPECT_EQ(rig.at("services.db"), "-");
}

// CTST.md: the child wins; env merges by key, lists replace, healthcheck replaces; chains allowed.
TEST(CtstFrom, TheChildWins) {
  CtstRig rig;
  rig.load(
      "COMPONENT root { template = true image = \"i\" port = 1 memory = \"1KB\" env = { A = \"1\" B = \"1\" port = "
      "\"p\" }\n"
      "  command = [\"a\" \"b\"] healthcheck = { command = [\"x\"] retries = 9 } volume = \"/a:/a\" }\n"
      "COMPONENT middle FROM root { template = true env = { B = \"2\" C = \"2\" ports = \"q\" } user = \"1\" }\n"
      "COMPONENT leaf FROM middle { env = { C = \"3\" } command = [\"c\"] healthcheck = { command = [\"y\"] } ports = "
      "[2]\n"
      "  volumes = [\"/b:/b\"] }\n");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.leaf.environment"), "{A: 1, B: 2, port: p, C: 3, ports: q}");
  EXPECT_EQ(rig.at("services.leaf.command"), "[c]");
  EXPECT_EQ(rig.at("services.leaf.healthcheck"),
            "{test: [CMD, y], interval: 30s, timeout: 5s, start_period: 0s, retries: 3}");
  EXPECT_EQ(rig.at("services.leaf.expose") + rig.at("services.leaf.ports"),
            "-[{target: 2, published: 2, protocol: tcp}]");
  EXPECT_EQ(rig.at("services.leaf.volumes"), "[{type: bind, source: /b, target: /b, bind: {create_host_path: true}}]");
  EXPECT_EQ(rig.at("services.leaf.user") + rig.at("services.leaf.mem_limit"), "11000");
}

// CTST.md: param NAME [= "default"]; one without a value at use is an error, which a template that nobody uses is not.
TEST(CtstFrom, ParametersComeFromTheChild) {
  CtstRig rig;
  rig.load(
      "COMPONENT db { template = true param version param user = \"app\" image = \"postgres:${param.version}\" env = { "
      "U = "
      "\"${param.user}\" } }\n"
      "COMPONENT a FROM db { param version = \"16\" }\n"
      "COMPONENT b FROM db { param version = \"15\" param user = \"b-${param.version}\" } CONNECT a -> b\n");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(rig.at("services.a.image") + " " + rig.at("services.a.environment.U"), "postgres:16 app");
  EXPECT_EQ(rig.at("services.b.image") + " " + rig.at("services.b.environment.U"), "postgres:15 b-15");
}

// CTST.md: CONNECT and EXPOSE of an imported file are not imported, nor are its components started.
TEST(CtstImport, BringsTemplatesAlone) {
  CtstRig rig;
  rig.write("lib.ctst",
            "COMPONENT a { image = \"a\" port = 1 } COMPONENT b { image = \"b\" } CONNECT a -> b EXPOSE 9:1");
  rig.load("IMPORT \"lib.ctst\" COMPONENT mine FROM lib.a {}");
  EXPECT_EQ(rig.told(), "");
  EXPECT_EQ(shown(rig.loaded.model),
            "{services: {mine: {image: a, hostname: mine, read_only: true, cap_drop: [ALL], expose: [1]}}}");
}

}  // namespace
}  // namespace skiff::compose
