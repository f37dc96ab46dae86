// runtime.md, Lifecycle: what a hook that fails does to the container.
#include <fmt/format.h>
#include <signal.h>

#include "conformance/cases/hook_log.h"
#include "conformance/cases/tables.h"
#include "conformance/leavings.h"

namespace skiff::conformance {
namespace {

Verdict expect_destroyed(Stage &stage) {
  const Outcome outcome = TRY(stage.call({"state", stage.id()}));
  if (outcome.code == 0) {
    // It may be there to be deleted, but not alive.
    const Tree state = TRY(Tree::parse(outcome.out));
    return expect_same("the status after the hook failed", state.text("/status"), "stopped");
  }
  return expect_same("cgroups after the hook failed", find_cgroups(stage.cgroup()), {});
}

Verdict fails_create(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, stage.variant(), "failing", {"exit", "1"});
  add_hook(stage, stage.variant(), "second");
  add_hook(stage, "startContainer", "later");
  const Outcome outcome = TRY(stage.create());
  TRY(expect(outcome.code != 0, fmt::format("create with a failing {} hook", stage.variant()), "an error", "success"));
  TRY(expect_same("the hooks that ran", tags_of(TRY(read_hook_log(stage))), {"failing"}));
  return expect_destroyed(stage);
}

Verdict fails_start(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, stage.variant(), "failing", {"exit", "1"});
  stage.inside("wait");
  TRY(stage.created());
  TRY(expect_failure(stage, {"start", stage.id()}));
  (void)TRY(stage.ended());
  return expect_destroyed(stage);
}

Verdict program_does_not_run(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "startContainer", "failing", {"exit", "1"});
  stage.inside("log", {"/log", "program"});
  TRY(stage.created());
  (void)TRY(stage.call({"start", stage.id()}));
  (void)TRY(stage.ended());
  return expect_same("the lines of hooks and program", tags_of(TRY(read_hook_log(stage))), {"failing"});
}

Verdict goes_on_at_poststop(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "poststop", "failing", {"exit", "1"});
  add_hook(stage, "poststop", "second");
  TRY(stage.started());
  (void)TRY(stage.ended());
  // Whether delete says so with its exit status is not for the specification to say.
  (void)TRY(stage.call({"delete", stage.id()}));
  TRY(expect_same("the poststop hooks", tags_of(TRY(read_hook_log(stage))), {"failing", "second"}));
  TRY(expect_failure(stage, {"state", stage.id()}));
  return expect_same("cgroups after delete", find_cgroups(stage.cgroup()), {});
}

Verdict times_out(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "createRuntime", "hanging", {"hang"});
  stage.config.set("/hooks/createRuntime/0/timeout", 1);
  const Outcome outcome = TRY(stage.create());
  TRY(expect(outcome.code != 0, "create with a hook that outlives its timeout", "an error", "success"));
  return expect_destroyed(stage);
}

Verdict missing_hook(Stage &stage) {
  stage.config.set("/hooks/createRuntime", R"([{"path": "/no/such/hook"}])"_json);
  const Outcome outcome = TRY(stage.create());
  TRY(expect(outcome.code != 0, "create with a hook that is not there", "an error", "success"));
  return expect_destroyed(stage);
}

constexpr Case table[] = {
    {"hook-failures/prestart-fails-create", "runtime.lifecycle.prestart.failure", fails_create, "prestart"},
    {"hook-failures/createRuntime-fails-create", "runtime.lifecycle.createRuntime.failure", fails_create,
     "createRuntime"},
    {"hook-failures/createContainer-fails-create", "runtime.lifecycle.createContainer.failure", fails_create,
     "createContainer"},
    {"hook-failures/startContainer-fails-start", "runtime.lifecycle.startContainer.failure", fails_start,
     "startContainer",
     "runc and crun end start as soon as they have let the container go, before the hook runs; the lifecycle has the "
     "hook within start, whose failure is an error"},
    {"hook-failures/startContainer-keeps-the-program-from-running", "runtime.lifecycle.startContainer.failure",
     program_does_not_run},
    {"hook-failures/poststart-fails-start", "runtime.lifecycle.poststart.failure", fails_start, "poststart"},
    {"hook-failures/poststop-does-not-stop-delete", "runtime.lifecycle.poststop.failure runtime.warnings.continue",
     goes_on_at_poststop},
    {"hook-failures/timeout-fails-create", "runtime.lifecycle.createRuntime.failure", times_out},
    {"hook-failures/a-missing-hook-fails-create", "runtime.lifecycle.createRuntime.failure", missing_hook},
};

}  // namespace

std::span<const Case> hook_failure_cases() { return table; }

}  // namespace skiff::conformance
