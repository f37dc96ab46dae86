// The log that containerd, Podman and BuildKit read back.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "tests/cli/rig.h"

namespace skiff::rig {
namespace {

Json only_line(const std::string &text) {
  return Json::accept(text) ? Json::parse(text) : Json{{"not one object", text}};
}

TEST(Logging, AnErrorIsOneJsonObjectInTheLogAndOnStderrToo) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"absent"};
  const Outcome outcome = rig.skiff({"--log", rig.path("log"), "--log-format", "json", "create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  const Json line = only_line(read_file(rig.path("log")));  // Podman parses the whole file as one object
  ASSERT_EQ(line.size(), 3U) << line;
  EXPECT_EQ(line["level"], "error");
  EXPECT_TRUE(std::regex_match(line["time"].get<std::string>(),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))")));
  const auto message = line["msg"].get<std::string>();
  EXPECT_NE(message.find("executable file not found in $PATH"), std::string::npos) << message;
  EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
}

TEST(Logging, TheLogIsAppendedTo) {
  Rig rig;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        run_program({program(), "--root", rig.root(), "--log", rig.path("log"), "--log-format=json", "state", "x"})
            .code,
        1);
  }
  std::istringstream lines(read_file(rig.path("log")));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(Json::accept(line)) << line;
  EXPECT_EQ(count, 2);
}

TEST(Logging, ASuccessWritesNothingToTheLog) {
  REQUIRE_ROOT();
  Rig rig;
  EXPECT_EQ(rig.skiff({"--log", rig.path("log"), "--log-format", "json", "run", rig.id()}).code, 0);
  EXPECT_EQ(read_file(rig.path("log")), "");
}

TEST(Logging, DebugLinesAreJsonTooAndTellOfTheSteps) {
  REQUIRE_ROOT();
  Rig rig;
  ASSERT_EQ(rig.skiff({"--debug", "--log", rig.path("log"), "--log-format", "json", "run", rig.id()}).code, 0);
  std::istringstream lines(read_file(rig.path("log")));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_TRUE(Json::accept(line)) << line;
    EXPECT_EQ(Json::parse(line)["level"], "debug") << line;
  }
  EXPECT_GT(count, 5);
}

TEST(Logging, TextWithControlCharactersCannotForgeALine) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["args"] = {"/a\n{\"level\":\"error\",\"msg\":\"forged\"}"};
  EXPECT_EQ(rig.skiff({"--log", rig.path("log"), "--log-format", "json", "create", rig.id()}).code, 1);
  EXPECT_EQ(only_line(read_file(rig.path("log")))["level"], "error");
}

TEST(Logging, AWarningBeforeAnErrorGoesToStderrSoThatTheLogStaysOneObject) {  // Podman parses the whole file as one
  REQUIRE_ROOT();
  Rig rig;
  rig.config["process"]["capabilities"]["bounding"] = {"CAP_OF_TOMORROW"};
  EXPECT_EQ(rig.skiff({"--log", rig.path("log"), "--log-format", "json", "run", rig.id()}).code, 0);
  EXPECT_EQ(only_line(read_file(rig.path("log")))["level"], "warning");
  std::filesystem::remove(rig.path("log"));
  rig.config["process"]["args"] = {"absent"};
  const Outcome outcome = rig.skiff({"--log", rig.path("log"), "--log-format", "json", "create", rig.id()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(only_line(read_file(rig.path("log")))["level"], "error");
  EXPECT_NE(outcome.err.find("CAP_OF_TOMORROW"), std::string::npos) << outcome.err;
}

TEST(Logging, TheErrorOfAnExecIsInTheLogWithCode255) {
  REQUIRE_ROOT();
  Rig rig;
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"--log", rig.path("log"), "--log-format", "json", "exec", rig.id(), "absent"});
  EXPECT_EQ(outcome.code, 255);
  EXPECT_EQ(only_line(read_file(rig.path("log")))["level"], "error");
  EXPECT_NE(outcome.err.find("executable file not found in $PATH"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace skiff::rig
