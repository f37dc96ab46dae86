// runtime.md, Lifecycle and Operations: what each operation does, and when it must refuse.
#include <fmt/format.h>
#include <signal.h>

#include "conformance/cases/tables.h"
#include "conformance/leavings.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

// create, start, and the line that says the program runs; it waits for signals.
Verdict start_waiting(Stage &stage) {
  stage.inside("wait");
  (void)TRY(stage.observed());
  return {};
}

Status send(Stage &stage, std::string_view signal) { return stage.succeed({"kill", stage.id(), std::string(signal)}); }

Verdict whole_life(Stage &stage) {
  TRY(start_waiting(stage));
  (void)TRY(stage.state());
  TRY(send(stage, "TERM"));
  (void)TRY(stage.ended());
  TRY(expect_status(stage, "stopped"));
  TRY(stage.succeed({"delete", stage.id()}));
  return {};
}

Verdict create_runs_nothing(Stage &stage) {
  TRY(write_file(stage.rootfs() + "/log", ""));
  stage.inside("log", {"/log", "program", "then", "wait"});
  TRY(stage.created());
  TRY(expect_status(stage, "created"));
  TRY(expect_same("what the program has written before start", TRY(read_file(stage.rootfs() + "/log")), ""));
  TRY(stage.succeed({"start", stage.id()}));
  (void)TRY(stage.line());
  TRY(expect_status(stage, "running"));
  return expect(!TRY(read_file(stage.rootfs() + "/log")).empty(), "the program after start", "a line of it", "none");
}

Verdict later_edits_change_nothing(Stage &stage) {
  stage.config.set("/hostname", "first");
  TRY(stage.created());
  stage.config.set("/hostname", "second");
  stage.config.set("/process/cwd", "/work");
  stage.inside("observe", {"--", "edited"});
  TRY(stage.save());
  TRY(stage.succeed({"start", stage.id()}));
  const Tree seen = TRY(stage.line());
  TRY(expect_same("the host name", seen.text("/hostname"), "first"));
  TRY(expect_same("the working directory", seen.text("/cwd"), "/"));
  return expect_same("the arguments", seen.texts("/argv"), {"/inside", "observe"});
}

Verdict operation_needs_id(Stage &stage) { return expect_failure(stage, {std::string(stage.variant())}); }

Verdict operation_needs_known_id(Stage &stage) {
  std::vector<std::string> words = {std::string(stage.variant()), "nobody"};
  if (stage.variant() == "kill") words.emplace_back("TERM");
  return expect_failure(stage, words);
}

Verdict create_needs_id(Stage &stage) {
  TRY(stage.save());
  return expect_failure(stage, {"create", "--bundle", stage.bundle()});
}

Verdict create_needs_bundle(Stage &stage) {
  // The working directory is the bundle by custom: only one without config.json is no bundle.
  return expect_failure(stage, {"create", "--bundle", stage.rootfs() + "/work", stage.id()});
}

Verdict second_create_fails(Stage &stage) {
  TRY(start_waiting(stage));
  const int first = TRY(stage.pid());
  TRY(expect_failure(stage, {"create", "--bundle", stage.bundle(), stage.id()}));
  TRY(expect_number("the first container's pid", TRY(stage.pid()), first));
  TRY(expect_status(stage, "running"));
  TRY(send(stage, "TERM"));
  (void)TRY(stage.ended());
  return {};
}

Verdict invalid_id_fails(Stage &stage) {
  TRY(stage.save());
  TRY(expect_failure(stage, {"create", "--bundle", stage.bundle(), std::string(stage.variant())}));
  return expect(!exists(stage.path("one")), "the directory beside the runtime's root", "nothing new", "a container");
}

Verdict start_twice_fails(Stage &stage) {
  TRY(start_waiting(stage));
  TRY(expect_failure(stage, {"start", stage.id()}));
  return expect_status(stage, "running");
}

Verdict start_of_stopped_fails(Stage &stage) {
  TRY(stage.started());
  (void)TRY(stage.ended());
  TRY(expect_failure(stage, {"start", stage.id()}));
  return expect_status(stage, "stopped");
}

Verdict start_needs_process(Stage &stage) {
  stage.config.remove("/process");
  return expect_refused(stage, "a config without process");
}

Verdict kill_sends_signal(Stage &stage) {
  TRY(start_waiting(stage));
  TRY(send(stage, stage.variant()));
  const Tree line = TRY(stage.line());
  return expect_number("the signal that the program got", line.number("/signal"), SIGUSR1);
}

Verdict kill_ends_created(Stage &stage) {
  TRY(stage.created());
  TRY(send(stage, "KILL"));
  (void)TRY(stage.ended());
  return expect_status(stage, "stopped");
}

Verdict kill_of_stopped_fails(Stage &stage) {
  TRY(stage.started());
  (void)TRY(stage.ended());
  TRY(expect_failure(stage, {"kill", stage.id(), "TERM"}));
  return expect_status(stage, "stopped");
}

Verdict delete_of_created_fails(Stage &stage) {
  TRY(stage.created());
  TRY(expect_failure(stage, {"delete", stage.id()}));
  TRY(expect_status(stage, "created"));
  TRY(stage.succeed({"start", stage.id()}));
  (void)TRY(stage.line());
  return {};
}

Verdict delete_of_running_fails(Stage &stage) {
  TRY(start_waiting(stage));
  TRY(expect_failure(stage, {"delete", stage.id()}));
  TRY(expect_status(stage, "running"));
  TRY(send(stage, "USR1"));
  return expect_number("the signal to the survivor", TRY(stage.line()).number("/signal"), SIGUSR1);
}

Verdict delete_removes_all(Stage &stage) {
  TRY(stage.started());
  const bool made = !find_cgroups(stage.cgroup()).empty();
  TRY(expect(made, "the cgroup of a running container", stage.cgroup(), "no such group"));
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  TRY(expect_same("cgroups after delete", find_cgroups(stage.cgroup()), {}));
  return expect_failure(stage, {"state", stage.id()});
}

Verdict delete_keeps_foreign(Stage &stage) {
  TRY(write_file(stage.rootfs() + "/kept", "kept"));
  TRY(write_file(stage.path("outside"), "kept"));
  stage.config.set("/mounts/-", R"({"destination": "/tmp/file", "type": "bind", "options": ["bind"]})"_json);
  stage.config.set("/mounts/4/source", stage.path("outside"));
  (void)TRY(stage.observed());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  TRY(expect_same("a file in the rootfs", TRY(read_file(stage.rootfs() + "/kept")), "kept"));
  TRY(expect_same("the source of a mount", TRY(read_file(stage.path("outside"))), "kept"));
  return expect(exists(stage.bundle() + "/config.json"), "config.json", "kept", "gone");
}

Verdict id_is_free_again(Stage &stage) {
  for (int round = 0; round < 2; ++round) {
    (void)TRY(stage.observed());
    (void)TRY(stage.ended());
    TRY(stage.succeed({"delete", stage.id()}));
  }
  return {};
}

Verdict two_at_once(Stage &stage) {
  TRY(start_waiting(stage));
  const int first = TRY(stage.pid());
  stage.config.set("/linux/cgroupsPath", stage.cgroup() + "/second");
  TRY(stage.save());
  TRY(stage.succeed({"create", "--bundle", stage.bundle(), "two"}));
  const Outcome outcome = TRY(stage.call({"state", "two"}));
  const Tree state = TRY(Tree::parse(outcome.out));
  TRY(expect_same("the second container's id", state.text("/id"), "two"));
  TRY(expect(state.number("/pid") != first, "the second container's pid", "another than the first's",
             state.text("/pid")));
  TRY(stage.succeed({"kill", "two", "KILL"}));
  return expect_status(stage, "running");
}

Verdict exit_status_is_kept(Stage &stage) {
  stage.inside("exit", {"42"});
  TRY(stage.started());
  const Ending ending = TRY(stage.ended());
  if (!ending) return skip("the container's process is not left to the caller of create, which alone could ask");
  return expect_number("the exit status of the program", ending->code, 42);
}

constexpr Case table[] = {
    {"lifecycle/every-operation-works", "runtime.operations.supported runtime.scope.operations runtime.create.creates",
     whole_life},
    {"lifecycle/create-runs-nothing",
     "runtime.lifecycle.program-waits runtime.create.args runtime.start.runs runtime.lifecycle.program",
     create_runs_nothing},
    {"lifecycle/later-edits-change-nothing", "runtime.lifecycle.updates", later_edits_change_nothing},
    {"lifecycle/exit-status-is-the-programs", "runtime.lifecycle.program", exit_status_is_kept},
    {"lifecycle/state-needs-an-id", "runtime.state.needs-id", operation_needs_id, "state"},
    {"lifecycle/start-needs-an-id", "runtime.start.needs-id", operation_needs_id, "start"},
    {"lifecycle/kill-needs-an-id", "runtime.kill.needs-id", operation_needs_id, "kill"},
    {"lifecycle/delete-needs-an-id", "runtime.delete.needs-id", operation_needs_id, "delete"},
    {"lifecycle/state-of-nobody-fails", "runtime.state.missing", operation_needs_known_id, "state"},
    {"lifecycle/start-of-nobody-fails", "runtime.start.created-only", operation_needs_known_id, "start"},
    {"lifecycle/kill-of-nobody-fails", "runtime.kill.living-only", operation_needs_known_id, "kill"},
    {"lifecycle/delete-of-nobody-fails", "runtime.delete.stopped-only", operation_needs_known_id, "delete"},
    {"lifecycle/create-needs-an-id", "runtime.create.needs-both", create_needs_id},
    {"lifecycle/create-needs-a-bundle", "runtime.create.needs-both", create_needs_bundle},
    {"lifecycle/create-with-an-id-in-use-fails",
     "runtime.create.id.unique runtime.state.id.unique runtime.errors.unchanged", second_create_fails},
    {"lifecycle/create-with-a-path-for-an-id-fails", "runtime.create.id.valid", invalid_id_fails, "../one"},
    {"lifecycle/create-with-an-empty-id-fails", "runtime.create.id.valid", invalid_id_fails, ""},
    {"lifecycle/two-containers-at-once", "runtime.state.id.unique runtime.create.creates", two_at_once},
    {"lifecycle/start-twice-fails", "runtime.start.created-only runtime.errors.unchanged", start_twice_fails},
    {"lifecycle/start-of-stopped-fails", "runtime.start.created-only", start_of_stopped_fails},
    {"lifecycle/start-needs-process", "runtime.start.process config.process.required", start_needs_process},
    {"lifecycle/kill-sends-a-signal-by-name", "runtime.kill.sends", kill_sends_signal, "USR1"},
    {"lifecycle/kill-sends-a-signal-by-number", "runtime.kill.sends", kill_sends_signal, "10"},
    {"lifecycle/kill-ends-a-created-container", "runtime.kill.sends", kill_ends_created},
    {"lifecycle/kill-of-stopped-fails", "runtime.kill.living-only", kill_of_stopped_fails},
    {"lifecycle/delete-of-created-fails", "runtime.delete.stopped-only runtime.errors.unchanged",
     delete_of_created_fails, "",
     "runc and crun delete it; the clause says \"not stopped\" of every container, and those engines that want it gone "
     "say --force"},
    {"lifecycle/delete-of-running-fails", "runtime.delete.stopped-only runtime.errors.unchanged",
     delete_of_running_fails},
    {"lifecycle/delete-removes-everything", "runtime.delete.resources runtime.lifecycle.destroy", delete_removes_all},
    {"lifecycle/delete-keeps-what-is-not-its-own", "runtime.delete.foreign", delete_keeps_foreign},
    {"lifecycle/an-id-is-free-after-delete", "runtime.delete.resources runtime.create.creates", id_is_free_again},
};

}  // namespace

std::span<const Case> lifecycle_cases() { return table; }

}  // namespace skiff::conformance
