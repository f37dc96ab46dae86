// Hooks: programs of the engine that run at six points of a container's life (config.md, "POSIX-platform Hooks").
#pragma once

#include <string_view>
#include <vector>

#include "runtime/kernel/fd.h"
#include "runtime/plan.h"
#include "spec/error.h"

namespace skiff {

// Their name in config.json: createRuntime.
[[nodiscard]] std::string_view hook_kind_name(RunHooks::Kind kind);

// Where the hooks' output goes instead of into the error of one that fails: descriptors of files, or invalid ones.
struct HookFiles {
  kernel::Fd out;
  kernel::Fd err;
};
// The files that the annotations name (plan_annotations.h), appended to and made where they are missing (0600).
[[nodiscard]] Result<HookFiles> open_hook_files(const spec::StringMap &annotations);

// Runs them in order in the namespaces of the caller, each with the state on its stdin. The first that fails ends the
// list: the error names the hook ("hooks.createRuntime[0] (/usr/bin/x)"), how it ended, and the last lines it wrote to
// stdout and stderr. A hook that outlives its timeout is killed.
[[nodiscard]] Status run_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks, std::string_view state,
                               const HookFiles &files = {});

// One Status a hook, none of which ends the list: poststop failures are warnings (runtime.md, "Lifecycle", step 13).
[[nodiscard]] std::vector<Error> run_all_hooks(RunHooks::Kind kind, const std::vector<spec::Hook> &hooks,
                                               std::string_view state, const HookFiles &files = {});

}  // namespace skiff
