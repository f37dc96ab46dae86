// One batch of changes, done to the containers of its service.
#pragma once

#include "compose/watch.h"

namespace skiff::compose {

struct WatchRun {
  const Engine &engine;
  const Project &project;
  const WatchOptions &options;
  Progress &progress;
};

// An image first, then files, then a restart, then hooks. What goes wrong ends it for this service.
[[nodiscard]] Status do_watch_work(const WatchRun &run, const Service &service, const WatchWork &work);

}  // namespace skiff::compose
