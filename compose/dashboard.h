// The dashboard on a terminal: what happens to containers and what is typed becomes a picture, and wishes become
// processes of their own, so that the screen never waits for one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compose/container.h"
#include "compose/engine.h"
#include "compose/terminal_screen.h"

namespace skiff::compose {

struct DashboardOptions {
  std::string title;
  bool short_names = false;  // they are all of one project
  // Those that it is about, whenever it is asked.
  std::function<Result<std::vector<Container>>()> list;
  ScreenOptions screen;
};

// Until the user ends it, or a signal does: 0, or 128 and the signal's number.
[[nodiscard]] Result<int> run_dashboard(const Engine &engine, const DashboardOptions &options);

}  // namespace skiff::compose
