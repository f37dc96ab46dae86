#include "tests/cli/compose/project_program.h"

#include <unistd.h>

#include <filesystem>

namespace skiff::rig {

void ProjectProgram::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
}

void ProjectProgram::make_image(EngineRig &rig) {
  const Outcome made = run_program(
      {SKIFF_IMAGE_PROGRAM, "--store", rig.path("store"), "-q", "minimal", "-t", "example/busybox", "/bin/busybox"});
  ASSERT_EQ(made.code, 0) << made.err;
}

Outcome ProjectProgram::project(EngineRig &rig, const std::string &file, std::vector<std::string> words) {
  words.insert(words.begin(), {"--progress", "plain", "-f", file, "-p", "p"});
  return rig.compose(words);
}

std::string ProjectProgram::write_project(EngineRig &rig, const std::string &services, const std::string &rest) {
  write_file(rig.path("compose.yaml"),
             "x-s: &s\n  image: example/busybox\n  stop_grace_period: 0s\nservices:\n" + services + rest);
  return rig.path("compose.yaml");
}

void ProjectProgram::expect_nothing_left(const EngineRig &rig) {
  for (const char *folder : {"containers", "names", "networks", "volumes", "projects", "half-made", "run/projects"}) {
    const std::string path = rig.state() + "/" + folder;
    EXPECT_TRUE(!std::filesystem::exists(path) || std::filesystem::is_empty(path)) << path;
  }
}

}  // namespace skiff::rig
