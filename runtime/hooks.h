// Hooks: programs of the engine that run at six points of a container's life (config.md, "POSIX-platform Hooks").
#pragma once

#include <string_view>
#include <vector>

#include "runtime/plan.h"
#include "spec/error.h"

namespace skiff {

// Their name in config.json: createRuntime.
[[nodiscard]] std::string_view hook_kind_name(RunHooks::Kind kind);

// Runs them in order in the namespaces of the caller, each with the state on its stdin. The first that fails ends the
// list: the error names the hook ("hooks.createRuntime[0] (/usr/bin/x)"), how it ended, and the last lines it wrote to
// stdout and stderr. A hook that outlives its timeout is killed.
[[nodiscard]] Status run_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks, std::string_view state);

// One Status a hook, none of which ends the list: poststop failures are warnings (runtime.md, "Lifecycle", step 13).
[[nodiscard]] std::vector<Error> run_all_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks,
                                               std::string_view state);

}  // namespace skiff
