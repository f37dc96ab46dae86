// `run SERVICE`: one more container of a project's service, for one command.
#pragma once

#include "compose/cmd/project_scope.h"

namespace skiff::compose {

// With the flags of `run`, which count over what the service says.
[[nodiscard]] Result<int> run_service(const Context &context, const Project &project, const Service &service);

}  // namespace skiff::compose
