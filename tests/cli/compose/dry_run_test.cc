// --dry-run: what would be done is told, and nothing is done.
#include "tests/cli/compose/project_program.h"

namespace skiff::rig {
namespace {

class DryRunProgram : public ProjectProgram {};

TEST_F(DryRunProgram, EveryCommandThatChangesSomethingTellsItOrIsRefused) {
  EngineRig rig;
  make_image(rig);
  const std::string file = write_project(rig,
                                         "  a: {<<: *s, network_mode: none, command: [sleep, '1000']}\n"
                                         "  b: {image: example/made, network_mode: none, build: .}\n");
  const auto dry = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "--dry-run");
    return project(rig, file, words);
  };
  EXPECT_NE(dry({"up", "a"}).out.find("+ p-a-1"), std::string::npos);
  EXPECT_EQ(rig.compose({"ps", "-aq"}).out, "");
  ASSERT_EQ(project(rig, file, {"up", "-d", "a"}).code, 0);
  for (const char *verb : {"stop", "restart", "kill", "pause"}) {
    EXPECT_EQ(dry({verb}).out, std::string("~ p-a-1  ") + verb + " container\n") << verb;
  }
  EXPECT_EQ(dry({"down"}).out, "- p-a-1  remove container\n");
  EXPECT_EQ(dry({"rm", "-f"}).out, "- p-a-1  rm container\n");
  EXPECT_EQ(dry({"start"}).out, "Nothing to change.\n");
  EXPECT_NE(dry({"scale", "a=2"}).out.find("+ p-a-2"), std::string::npos);
  EXPECT_EQ(dry({"build"}).out, "~ example/made  build image\n");
  EXPECT_EQ(dry({"push"}).out, "~ example/made  push image\n");
  EXPECT_EQ(dry({"pull", "a"}).out, "~ example/busybox  pull image\n");
  EXPECT_EQ(rig.inspect("p-a-1")["State"]["Status"], "running");
  EXPECT_EQ(project(rig, file, {"ps", "-q"}).out.size(), 13U);
  EXPECT_EQ(rig.compose({"--dry-run", "--no-project", "rm", "-f", "p-a-1"}).out, "- p-a-1  rm container\n");
  EXPECT_EQ(rig.inspect("p-a-1")["State"]["Status"], "running");
  for (const auto &words :
       {std::vector<std::string>{"exec", "a", "true"}, {"run", "a", "true"}, {"rename", "a", "b"}}) {
    const Outcome refused = dry(words);
    EXPECT_EQ(refused.code, 2) << words[0];
    EXPECT_NE(refused.err.find("--dry-run: it cannot tell what it would change"), std::string::npos) << refused.err;
  }
}

}  // namespace
}  // namespace skiff::rig
