// `up`, `plan` and `down` of a project, below the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compose/changes.h"
#include "compose/engine.h"
#include "compose/progress.h"
#include "compose/project_images.h"
#include "compose/step_run.h"

namespace skiff::compose {

struct UpOptions {
  std::vector<std::string> services;  // empty: all
  bool force_recreate = false;
  bool no_recreate = false;
  bool renew_dependents = false;
  bool renew_volumes = false;
  bool no_deps = false;
  bool start = true;
  bool wait = false;
  bool remove_orphans = false;
  bool dry_run = false;
  std::optional<Duration> wait_timeout;
  std::optional<Duration> stop_timeout;
  ImagePolicy images;
  bool quiet_pull = false;
  std::size_t parallel = default_parallel;
};

// What `up` would change, for the images that are here.
[[nodiscard]] Result<Changes> plan_up(const Engine &engine, const Project &project, const UpOptions &options);

// The project's lock is the caller's. The ids of the containers that `up` is about.
[[nodiscard]] Result<std::vector<std::string>> bring_up(const Engine &engine, const Project &project,
                                                        const UpOptions &options, Progress &progress);

// One container of `run SERVICE`, which does not run yet. What the service depends on is brought up first.
struct OneOff {
  Service service;   // with what the command line changes
  std::string name;  // empty: PROJECT-SERVICE-run-ID
  bool use_aliases = false;
  bool no_deps = false;
  bool remove_orphans = false;
  ImagePolicy images = {};
  bool auto_remove = false;
  bool stdin_once = false;
};
[[nodiscard]] Result<ContainerRecord> create_one_off(const Engine &engine, const Project &project,
                                                     const OneOff &one_off, Progress &progress);

struct DownOptions {
  std::vector<std::string> services;  // empty: all, with networks
  bool volumes = false;
  bool remove_orphans = false;
  std::string images;  // --rmi: all, local, or empty
  std::optional<Duration> stop_timeout;
  std::size_t parallel = default_parallel;
};
// `project` may be null, without a file: then everything that has its name. The lock is the caller's.
[[nodiscard]] Status bring_down(const Engine &engine, const std::string &name, const Project *project,
                                const DownOptions &options, Progress &progress);

}  // namespace skiff::compose
