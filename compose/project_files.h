// Which files make the project, where it is, what its variables are: from flags, environment and folders.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compose/finding.h"
#include "compose/load.h"
#include "compose/value.h"

namespace skiff::compose {

// The texts that were read. Positions point into them.
class SourceFiles {
 public:
  // `path` "-" is standard input. At most 8 MiB.
  [[nodiscard]] Result<const Source *> read(const std::string &path);
  [[nodiscard]] const std::vector<std::shared_ptr<const Source>> &all() const { return sources_; }
  void add(const std::vector<std::shared_ptr<const Source>> &more);

 private:
  std::vector<std::shared_ptr<const Source>> sources_;
};

struct ProjectFiles {
  std::vector<std::string> files;                  // absolute, or "-"
  std::string directory;                           // absolute
  std::map<std::string, std::string> environment;  // the shell's over .env's
  std::vector<std::string> profiles;
};

// $COMPOSE_FILE, $COMPOSE_PATH_SEPARATOR, $COMPOSE_ENV_FILES, $COMPOSE_PROFILES and $COMPOSE_DISABLE_ENV_FILE count,
// from the shell or from .env. Without any file named, compose.yaml, compose.yml, docker-compose.yaml,
// docker-compose.yml and compose.ctst are looked for in the working directory and above it, with their .override.
// ENOENT where there is none.
[[nodiscard]] Result<ProjectFiles> find_project_files(const LoadRequest &request, SourceFiles &sources,
                                                      Findings &findings);

// The variables of a file of NAME=VALUE lines, where `environment` does not have them yet.
Status read_env_file(const std::string &path, SourceFiles &sources, std::map<std::string, std::string> &environment,
                     Findings &findings);

}  // namespace skiff::compose
