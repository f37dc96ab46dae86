// skiff-compose with a .ctst file, as a user has it: config, convert, plan and their exit codes.
#include <gtest/gtest.h>

#include "tests/cli/rig.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::rig {
namespace {

class CtstProgram : public testing::Test {
 protected:
  // In the folder, with a state of its own.
  Outcome compose(const std::vector<std::string> &words) {
    std::vector<std::string> all = {"/usr/bin/env",
                                    "--chdir=" + directory_.path(),
                                    "TOKEN=t",
                                    "SKIFF_SECRET_DB=hunter2",
                                    "SKIFF_COMPOSE_STATE=" + directory_.path() + "/state",
                                    SKIFF_COMPOSE_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    return run_program(all);
  }
  void write(const std::string &name, const std::string &text) { write_file(directory_.path() + "/" + name, text); }
  [[nodiscard]] std::string read(const std::string &name) const { return read_file(directory_.path() + "/" + name); }

  TemporaryDirectory directory_;
};

constexpr const char *shop =
    "COMPONENT web {\n"
    "  image = \"web:1\"\n"
    "  port = 80\n"
    "  env = { URL = \"${db.connection_string}\" PASSWORD = \"${secret.db}\" }\n"
    "}\n"
    "COMPONENT db { image = \"postgres:16\" port = 5432 }\n"
    "CONNECT web -> db\n"
    "EXPOSE 8080:80\n";

TEST_F(CtstProgram, ConfigPrintsACompleteComposeFile) {
  write("shop.ctst", shop);
  const Outcome out = compose({"-f", "shop.ctst", "config"});
  EXPECT_EQ(out.code, 0) << out.err;
  EXPECT_NE(out.out.find("URL: postgres://db:5432\n"), std::string::npos) << out.out;
  EXPECT_NE(out.out.find("published: \"8080\"\n"), std::string::npos) << out.out;
  EXPECT_NE(out.out.find("condition: service_started\n"), std::string::npos) << out.out;
  // CTST.md, "Secrets": the reference, never the value.
  EXPECT_EQ(out.out.find("hunter2"), std::string::npos) << out.out;
  EXPECT_NE(out.out.find("secret.db"), std::string::npos) << out.out;
}

// Only what makes a container needs a secret's value.
TEST_F(CtstProgram, ASecretWithoutAValueIsToldByWhatMakesContainersAlone) {
  write("s.ctst", "COMPONENT a { image = \"tar:///none.tar\" env = { P = \"${secret.nowhere}\" } }\n");
  for (const std::vector<std::string> &words :
       {std::vector<std::string>{"ps", "-a"}, {"logs"}, {"images"}, {"stop"}, {"config", "-q"}, {"down", "-v"}}) {
    std::vector<std::string> all = {"-f", "s.ctst"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome out = compose(all);
    EXPECT_EQ(out.code, 0) << words.front() << ": " << out.err;
  }
  for (const std::vector<std::string> &words :
       {std::vector<std::string>{"up", "-d"}, {"run", "a"}, {"scale", "a=2"}, {"watch"}}) {
    std::vector<std::string> all = {"-f", "s.ctst"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome out = compose(all);
    EXPECT_EQ(out.code, 2) << words.front();
    EXPECT_NE(out.err.find("s.ctst:1:"), std::string::npos) << out.err;
    EXPECT_NE(out.err.find("there is neither $SKIFF_SECRET_NOWHERE nor the file"), std::string::npos) << out.err;
  }
}

TEST_F(CtstProgram, FindingsEndWithTwoAndAllAreTold) {
  write("shop.ctst",
        "COMPONENT web {\n  image = \"web\"\n  prot = 80\n}\nCONNECT web -> bd\nCOMPONENT db { image = \"d\" }\n");
  const Outcome out = compose({"-f", "shop.ctst", "config"});
  EXPECT_EQ(out.code, 2);
  EXPECT_EQ(out.out, "");
  EXPECT_NE(out.err.find("shop.ctst:3:3: web: there is no property prot; did you mean port?\n    prot = 80\n    ^\n"),
            std::string::npos)
      << out.err;
  EXPECT_NE(out.err.find("shop.ctst:5:16: there is no component bd; did you mean db?\n"), std::string::npos) << out.err;
}

TEST_F(CtstProgram, AMissingFileEndsWithFour) { EXPECT_EQ(compose({"-f", "none.ctst", "config"}).code, 4); }

TEST_F(CtstProgram, ImportsComeFromTheImportPath) {
  ASSERT_EQ(run_program({"/bin/mkdir", directory_.path() + "/lib"}).code, 0);
  write("lib/base.ctst", "COMPONENT base { image = \"base\" }");
  write("shop.ctst", "IMPORT \"base.ctst\"\nCOMPONENT a FROM base {}\n");
  EXPECT_EQ(compose({"-f", "shop.ctst", "config", "-q"}).code, 2);
  const Outcome out = compose({"-f", "shop.ctst", "--import-path", "lib", "config"});
  EXPECT_EQ(out.code, 0) << out.err;
  EXPECT_NE(out.out.find("image: base\n"), std::string::npos) << out.out;
}

TEST_F(CtstProgram, ConvertWritesWhatCanBeLoaded) {
  write("compose.yaml",
        "services:\n  web:\n    image: nginx\n    ports: [\"8080:80\"]\n    environment: {TOKEN: \"${TOKEN}\"}\n"
        "    ulimits: {nofile: 5}\n");
  const Outcome out = compose({"convert", "-o", "shop.ctst"});
  EXPECT_EQ(out.code, 0) << out.err;
  EXPECT_NE(out.err.find("services.web.ulimits: .ctst cannot say it"), std::string::npos) << out.err;
  EXPECT_NE(read("shop.ctst").find("TOKEN = \"${env.TOKEN}\""), std::string::npos) << read("shop.ctst");
  EXPECT_NE(read("shop.ctst").find("EXPOSE web 8080:80\n"), std::string::npos);
  const Outcome back = compose({"-f", "shop.ctst", "config"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_NE(back.out.find("TOKEN: t\n"), std::string::npos) << back.out;
}

TEST_F(CtstProgram, PlanShowsWhatUpWouldDo) {
  write("shop.ctst", shop);
  const Outcome out = compose({"-p", "shop", "-f", "shop.ctst", "plan"});
  EXPECT_EQ(out.code, 0) << out.err;
  EXPECT_EQ(out.out,
            "+ shop_default  create network\n"
            "+ shop-db-1     create container\n"
            "+ shop-web-1    create container\n"
            "3 to create, 0 to recreate, 0 to start, 0 to remove, 0 as they are.\n");
  EXPECT_EQ(compose({"-p", "shop", "-f", "shop.ctst", "plan", "wbe"}).code, 4);
  const Outcome json = compose({"-p", "shop", "-f", "shop.ctst", "plan", "--format", "json", "db"});
  EXPECT_EQ(json.out,
            "{\"action\":\"create\",\"kind\":\"network\",\"name\":\"shop_default\"}\n"
            "{\"action\":\"create\",\"kind\":\"container\",\"name\":\"shop-db-1\",\"service\":\"db\",\"number\":1}\n");
}

}  // namespace
}  // namespace skiff::rig
