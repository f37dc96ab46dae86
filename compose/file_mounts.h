// Secrets and configs as files of a service's containers: RUN/projects/PROJECT/SERVICE/NUMBER, on the tmpfs that /run
// is, for root alone to enter. They are gone after a reboot, and written again before a container is started.
#pragma once

#include <string>
#include <vector>

#include "compose/lower.h"
#include "compose/project.h"
#include "compose/state.h"

namespace skiff::compose {

// Writes them, each with the owner and the mode that the service says; a file that is there keeps its inode, which a
// running container has mounted. ENOENT names the secret and where its value should be.
[[nodiscard]] Result<std::vector<SourcePath>> make_file_mounts(const Places &places, const Project &project,
                                                               const Service &service);
// Of all services, with `down`.
[[nodiscard]] Status remove_file_mounts(const Places &places, const std::string &project);

}  // namespace skiff::compose
