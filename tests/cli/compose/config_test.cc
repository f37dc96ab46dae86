// `config`: what the files come to, and each of its answers alone.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

class ConfigProgram : public ::testing::Test {
 protected:
  ConfigProgram() {
    std::filesystem::create_directory(rig_.path("shop"));
    write_file(rig_.path("shop/compose.yaml"), R"(
services:
  web:
    image: "example/web:${TAG:-1}"
    environment: {NAME: "${NAME}"}
    depends_on: [db]
    volumes: [data:/data]
  db: {image: example/db, networks: [back]}
  debug: {build: ., profiles: [tools]}
volumes: {data: {}, spare: {}}
networks: {back: {}}
)");
    write_file(rig_.path("shop/.env"), "NAME=of .env\n");
  }

  Outcome config(std::vector<std::string> words) {
    words.insert(words.begin(), {"-f", rig_.path("shop/compose.yaml"), "config"});
    return run_program([&] {
      std::vector<std::string> all = {SKIFF_COMPOSE_PROGRAM, "--state", rig_.path("state")};
      all.insert(all.end(), words.begin(), words.end());
      return all;
    }());
  }

  Rig rig_;
};

TEST_F(ConfigProgram, NamesOfOneKindStandALineEach) {
  EXPECT_EQ(config({"--services"}).out, "db\nweb\n");
  EXPECT_EQ(config({"--volumes"}).out, "data\n");
  EXPECT_EQ(config({"--networks"}).out, "back\ndefault\n");
  EXPECT_EQ(config({"--images"}).out, "example/db\nexample/web:1\n");
  EXPECT_EQ(config({"--profiles"}).out, "tools\n");
}

TEST_F(ConfigProgram, FormatJsonIsWhatYamlSays) {
  const Json json = Json::parse(config({"--format", "json"}).out);
  EXPECT_EQ(json["name"], "shop");
  EXPECT_EQ(json["services"]["web"]["environment"]["NAME"], "of .env");
  EXPECT_EQ(json["services"]["web"]["volumes"][0]["target"], "/data");
  EXPECT_FALSE(json["services"].contains("debug"));
  const std::string yaml = config({}).out;
  EXPECT_NE(yaml.find("NAME: of .env"), std::string::npos) << yaml;
  // What it printed it reads, and prints the same.
  write_file(rig_.path("shop/compose.yaml"), yaml);
  EXPECT_EQ(config({}).out, yaml);
}

TEST_F(ConfigProgram, HashChangesWithWhatAContainerWouldShow) {
  const std::string all = config({"--hash", "*"}).out;
  EXPECT_EQ(all.size(), 2 * 65U + 3U + 4U) << all;
  EXPECT_EQ(config({"--hash", "db"}).out, all.substr(0, all.find('\n') + 1));
  const std::string file = read_file(rig_.path("shop/compose.yaml"));
  write_file(rig_.path("shop/compose.yaml"), file + "x-note: of nothing\n");
  EXPECT_EQ(config({"--hash", "*"}).out, all);
  write_file(rig_.path("shop/.env"), "NAME=another\n");
  const std::string other = config({"--hash", "*"}).out;
  EXPECT_EQ(other.substr(0, other.find('\n')), all.substr(0, all.find('\n')));
  EXPECT_NE(other, all);
  EXPECT_EQ(config({"--hash", "none"}).code, 2);
}

TEST_F(ConfigProgram, QuietOnlyChecks) {
  const Outcome good = config({"--quiet"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(good.out + good.err, "");
  write_file(rig_.path("shop/compose.yaml"), "services:\n  web:\n    imag: x\n");
  const Outcome bad = config({"-q"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_NE(bad.err.find("compose.yaml:3:5"), std::string::npos) << bad.err;
}

TEST_F(ConfigProgram, VariablesStayWhereTheyAreNotFilledIn) {
  const std::string text = config({"--no-interpolate"}).out;
  EXPECT_NE(text.find("example/web:${TAG:-1}"), std::string::npos) << text;
  EXPECT_NE(text.find("NAME: ${NAME}"), std::string::npos) << text;
  EXPECT_NE(config({"--environment"}).out.find("NAME=of .env\n"), std::string::npos);
  const std::string variables = config({"--variables"}).out;
  EXPECT_NE(variables.find("TAG"), std::string::npos) << variables;
}

TEST_F(ConfigProgram, ProfilesAndNamesChooseServices) {
  EXPECT_EQ(config({"--services", "db"}).code, 0);
  const Json json = Json::parse(config({"--format", "json", "db"}).out);
  EXPECT_EQ(json["services"].size(), 1U);
  EXPECT_EQ(run_program({SKIFF_COMPOSE_PROGRAM, "-f", rig_.path("shop/compose.yaml"), "--profile", "tools", "config",
                         "--services"})
                .out,
            "db\ndebug\nweb\n");
  EXPECT_EQ(config({"--output", rig_.path("written")}).out, "");
  EXPECT_EQ(read_file(rig_.path("written")), config({}).out);
}

}  // namespace
}  // namespace skiff::rig
