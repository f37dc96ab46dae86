// A folder with compose files, and what loading them gives.
#pragma once

#include <map>
#include <string>

#include "compose/load.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {

class ProjectRig {
 public:
  // Folders on the way are made.
  void write(const std::string &name, const std::string &text);
  [[nodiscard]] std::string path(const std::string &name = {}) const;

  LoadRequest request;  // what load takes, with the rig's folder as the working directory

  [[nodiscard]] Loaded load();
  // The canonical tree as YAML, with the rig's folder as "@DIR@"; the errors where there are any.
  [[nodiscard]] std::string config();
  // The errors alone, a line each, "" for none; files are named by their last part.
  [[nodiscard]] std::string errors();
  [[nodiscard]] std::string warnings();

 private:
  [[nodiscard]] std::string lines(Finding::Level level);

  TemporaryDirectory folder_;
};

}  // namespace skiff::compose
