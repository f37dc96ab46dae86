// A project as a .ctst file (CTST.md, "convert"). What .ctst cannot say becomes a comment and a warning with the place
// in the compose file, so that nothing is dropped in silence.
#pragma once

#include <map>
#include <string>

#include "compose/finding.h"
#include "compose/project.h"

namespace skiff::compose {

struct ConvertRequest {
  const Project &project;  // interpolated, of all profiles
  // The canonical tree of the same files without interpolation, or null: where a variable of the environment is
  // "${X}" alone it becomes ${env.X}.
  const Value *written = nullptr;
  std::string folder;  // absolute: of the .ctst file, to which paths below it are relative
};

// In the order of the services; the text ends in a newline. A warning each for what is only a comment in it.
[[nodiscard]] std::string convert_to_ctst(const ConvertRequest &request, Findings &findings);

// Names that fit the language, one a service: its own where it can be one.
[[nodiscard]] std::map<std::string, std::string> component_names(const Project &project);

}  // namespace skiff::compose
