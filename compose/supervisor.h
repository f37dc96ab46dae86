// The process that keeps a project's containers as they are meant to be: it starts those that end again, as their
// restart policy says, and runs their health checks on time. There is one for each project, and for each container of
// none, where a container needs it; it ends when none does. It sleeps until something happens.
//
// RUN/supervisors/GROUP is locked by it as long as it lives. A file that nobody holds was left by one that was killed:
// every command starts it again. Whoever has started a container writes into the file, which wakes it.
#pragma once

#include <string>

#include "compose/container.h"
#include "compose/engine.h"

namespace skiff::compose {

[[nodiscard]] bool needs_supervisor(const ContainerRecord &record);
// The name of the group: a project's, or of one container.
[[nodiscard]] std::string supervisor_group(const ContainerRecord &record);

// The name of a project's group.
[[nodiscard]] std::string project_group(const std::string &project);
// A pidfd of a project's; invalid where there is none.
[[nodiscard]] Result<kernel::Fd> find_supervisor(const Places &places, const std::string &project);

// After a container was started: wakes its supervisor, or starts one where it needs one.
[[nodiscard]] Status ensure_supervisor(const Engine &engine, const ContainerRecord &record);
// Starts those again that were killed. Where there is none it costs one look at a directory.
[[nodiscard]] Status revive_supervisors(const Engine &engine);

// Is it, until nothing needs it; returns at once where there is one already.
[[nodiscard]] Result<int> run_supervisor(const Engine &engine, const std::string &group);

}  // namespace skiff::compose
