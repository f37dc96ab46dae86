// `watch` of a project: what changes on the host comes into its containers, by the rules of develop.watch.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose/up.h"
#include "compose/watch_filter.h"

namespace skiff::compose {

struct WatchOptions {
  std::vector<std::string> services;  // empty: all that have rules
  UpOptions up;                       // how a service is made anew
  bool prune = true;                  // images that a rebuild leaves without a name
};

// What is to be done to the containers of one service, gathered of many changes.
struct WatchWork {
  bool rebuild = false;
  bool restart = false;
  std::map<std::string, std::string> copies;  // the place in the container, and the host's file
  std::vector<std::string> removals;          // places in the container
  std::vector<Hook> hooks;                    // each once
  std::size_t changes = 0;

  // `gone`: the file is not there any more.
  void add(const WatchRule &rule, const WatchFilter &filter, const std::string &path, bool gone);
};

// Until a signal comes: 128 and its number. The project is up. ENOENT where no service has rules, or one of the named
// has none. What fails is told on stderr, and the next change tries again.
[[nodiscard]] Result<int> watch_project(const Engine &engine, const Project &project, const WatchOptions &options,
                                        Progress &progress);

}  // namespace skiff::compose
