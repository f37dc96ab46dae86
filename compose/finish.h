// The second half of loading, the same for compose.yaml and for .ctst: a compose-shaped tree, merged and interpolated,
// becomes the canonical tree that `config` prints, and that becomes the typed Project.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compose/finding.h"
#include "compose/project.h"
#include "compose/value.h"

namespace skiff::compose {

// What a project is beside its tree.
struct ProjectFacts {
  std::string name;                   // valid already (project_name.h); the tree's `name:` is not looked at
  std::string directory;              // absolute; relative paths in the tree are relative to it
  std::vector<std::string> files;     // absolute
  std::vector<std::string> profiles;  // active ones; "*" stands for all
  std::vector<std::string> targets;   // services that a command names: their profiles are active as well
  std::string home;                   // what a leading ~ of a path stands for
  bool prepared = false;              // the tree has long forms and absolute paths, and its keys are checked (load.cc)
  // Fills in what files add to a service (env_file, label_file); empty: nothing.
  std::function<void(Value &service, Findings &findings)> read_environment;
  bool resolve_paths = true;  // config --no-path-resolution
  bool normalize = true;      // config --no-normalize: no default network, no names
  bool check = true;          // config --no-consistency: no check of references and cycles
  bool decode = true;         // config --no-interpolate: the canonical tree alone
};

// `model` has the top-level keys of the compose-spec (services, networks, volumes, secrets, configs), in short or long
// forms; every value may have a position. Beyond the compose-spec a service may have
//   x-skiff: {rootfs: DIR, seccomp: NAME, cpu_weight: N, drop_all_capabilities: true, uid_maps: [], gid_maps: [],
//             secret_references: []}
// All that is wrong goes into `findings`; the Project of a tree with errors is not to be used.
[[nodiscard]] Project finish_project(Value model, const ProjectFacts &facts, Findings &findings);

}  // namespace skiff::compose
