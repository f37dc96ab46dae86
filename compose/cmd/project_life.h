// stop, start, restart, rm, kill, pause and unpause of a project's services, as the commands of those names call them.
#pragma once

#include <string>
#include <vector>

#include "compose/cmd/project_scope.h"

namespace skiff::compose {

// Each holds the project's lock, shows its progress and goes in the order of dependencies. No name: all services.
[[nodiscard]] Result<int> stop_project(const Context &context, const Scope &scope,
                                       const std::vector<std::string> &names);
[[nodiscard]] Result<int> start_project(const Context &context, const Scope &scope,
                                        const std::vector<std::string> &names);
[[nodiscard]] Result<int> restart_project(const Context &context, const Scope &scope,
                                          const std::vector<std::string> &names);
[[nodiscard]] Result<int> remove_project_containers(const Context &context, const Scope &scope,
                                                    const std::vector<std::string> &names);

}  // namespace skiff::compose
