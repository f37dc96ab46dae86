// From what the command line says to a Project: finds the files, reads compose.yaml or .ctst, tells what is wrong.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compose/finding.h"
#include "compose/project.h"
#include "spec/error.h"

namespace skiff::compose {

struct LoadRequest {
  std::vector<std::string> files;         // -f; "-" is standard input. Empty: $COMPOSE_FILE, else looked for upward
  std::string project_name;               // -p
  std::string project_directory;          // --project-directory
  std::vector<std::string> env_files;     // --env-file
  std::vector<std::string> profiles;      // --profile
  std::vector<std::string> targets;       // the services that the command names
  std::vector<std::string> import_paths;  // --import-path, of .ctst
  bool offline = false;                   // .ctst imports nothing by https that is not in the cache
  std::map<std::string, std::string> environment;  // the shell's: process_environment()
  std::string working_directory;                   // absolute
  bool interpolate = true;
  bool resolve_paths = true;
  bool normalize = true;
  bool check = true;
  bool resolve_environment = true;  // env_file and label_file are read
  bool need_secrets = false;        // containers are made of it: where a secret of .ctst has no value, that is told
};

struct Loaded {
  Project project;
  Findings findings;                                   // with an error among them the project is not to be used
  std::vector<std::shared_ptr<const Source>> sources;  // what the positions point into
};

// An Error where nothing could be read: ENOENT where there is no file.
[[nodiscard]] Result<Loaded> load_project(const LoadRequest &request);

[[nodiscard]] std::map<std::string, std::string> process_environment();

}  // namespace skiff::compose
