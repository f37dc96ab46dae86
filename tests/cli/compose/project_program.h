// Projects of busybox services, as their users bring them up and down.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/compose/engine_rig.h"

namespace skiff::rig {

class ProjectProgram : public ::testing::Test {
 protected:
  void SetUp() override;

  // "example/busybox" in the rig's store: what all services are made of.
  static void make_image(EngineRig &rig);
  // skiff-compose -f FILE -p p WORDS...
  static Outcome project(EngineRig &rig, const std::string &file, std::vector<std::string> words);
  // A file of these services, which may take `<<: *s`: that image, and killed at once when they are stopped; its path.
  static std::string write_project(EngineRig &rig, const std::string &services, const std::string &rest = "");
  static std::string id_of(EngineRig &rig, const std::string &container) { return rig.inspect(container)["Id"]; }
  static void expect_nothing_left(const EngineRig &rig);
};

}  // namespace skiff::rig
