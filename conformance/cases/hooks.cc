// config.md, POSIX-platform Hooks: when each kind runs, where, and what it is given.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "conformance/cases/hook_log.h"
#include "conformance/cases/tables.h"

namespace skiff::conformance {
namespace {

using Log = std::vector<Tree>;

Result<Tree> find(const Log &log, std::string_view tag) {
  const Tree *line = find_tag(log, tag);
  if (line == nullptr) return fail(fmt::format("the {} hook did not run", tag));
  return *line;
}

Status kill_and_delete(Stage &stage) {
  TRY(stage.succeed({"kill", stage.id(), "KILL"}));
  (void)TRY(stage.ended());
  return stage.succeed({"delete", stage.id()});
}

Verdict during_create(Stage &stage) {
  TRY(make_hook_log(stage));
  // Not in the order of their time.
  for (const char *kind : {"createContainer", "createRuntime", "prestart"}) add_hook(stage, kind, kind);
  TRY(stage.created());
  return expect_same("the hooks of create", tags_of(TRY(read_hook_log(stage))),
                     {"prestart", "createRuntime", "createContainer"});
}

Verdict before_program(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "startContainer", "startContainer");
  stage.inside("log", {"/log", "program", "then", "wait"});
  TRY(stage.created());
  TRY(expect_same("the hooks before start", tags_of(TRY(read_hook_log(stage))), {}));
  TRY(stage.succeed({"start", stage.id()}));
  (void)TRY(stage.line());
  return expect_same("the hook and the program", tags_of(TRY(read_hook_log(stage))), {"startContainer", "program"});
}

Verdict before_start_returns(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "poststart", "poststart");
  stage.inside("wait");
  TRY(stage.created());
  TRY(expect_same("the hooks before start", tags_of(TRY(read_hook_log(stage))), {}));
  TRY(stage.succeed({"start", stage.id()}));
  return expect_same("the hooks when start is done", tags_of(TRY(read_hook_log(stage))), {"poststart"});
}

Verdict before_delete_returns(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "poststop", "poststop");
  stage.inside("wait");
  (void)TRY(stage.observed());
  TRY(expect_same("the hooks of a running container", tags_of(TRY(read_hook_log(stage))), {}));
  TRY(kill_and_delete(stage));
  return expect_same("the hooks when delete is done", tags_of(TRY(read_hook_log(stage))), {"poststop"});
}

// In each kind: how the kinds follow each other is for the cases above.
Verdict listed_order(Stage &stage) {
  TRY(make_hook_log(stage));
  for (const std::string_view kind : hook_kinds) {
    for (const char *place : {"1", "2", "3"}) add_hook(stage, kind, fmt::format("{}-{}", kind, place));
  }
  TRY(stage.started());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  const std::vector<std::string> tags = tags_of(TRY(read_hook_log(stage)));
  for (const std::string_view kind : hook_kinds) {
    std::vector<std::string> own;
    std::ranges::copy_if(tags, std::back_inserter(own), [&](const std::string &tag) { return tag.starts_with(kind); });
    TRY(expect_same(fmt::format("the {} hooks", kind), own,
                    {fmt::format("{}-1", kind), fmt::format("{}-2", kind), fmt::format("{}-3", kind)}));
  }
  return {};
}

// The whole life of a container with a hook of the variant's kind, and that hook's line.
Result<Tree> run_hook(Stage &stage, Tree &seen) {
  TRY(make_hook_log(stage));
  add_hook(stage, stage.variant(), stage.variant());
  stage.config.set("/annotations", R"({"com.example.key": "value"})"_json);
  stage.inside("wait");
  seen = TRY(stage.observed());
  TRY(kill_and_delete(stage));
  return find(TRY(read_hook_log(stage)), stage.variant());
}

Verdict state_on_stdin(Stage &stage) {
  Tree seen;
  const Tree line = TRY(run_hook(stage, seen));
  const Tree state = TRY(in("the hook's stdin", Tree::parse(line.text("/input"))));
  TRY(expect_same("the id in the hook's state", state.text("/id"), stage.id()));
  TRY(expect_same("the bundle in the hook's state", state.text("/bundle"), stage.bundle()));
  TRY(expect_same("the annotations in the hook's state", state.text("/annotations/com.example.key"), "value"));
  TRY(expect(!state.text("/ociVersion").empty(), "the ociVersion in the hook's state", "one", "none"));
  const std::string_view kind = stage.variant();
  const std::string status = state.text("/status");
  const bool good = kind == "poststop"         ? status == "stopped"
                    : kind == "poststart"      ? status == "running"
                    : kind == "startContainer" ? status == "created" || status == "creating"
                                               : status == "creating" || status == "created";
  return expect(good, "the status in the hook's state", "that of its moment", status);
}

Verdict namespaces(Stage &stage) {
  Tree seen;
  const Tree line = TRY(run_hook(stage, seen));
  const bool within = stage.variant() == "createContainer" || stage.variant() == "startContainer";
  for (const char *name : {"mnt", "uts", "ipc", "net", "pid"}) {
    const std::string pointer = fmt::format("/namespaces/{}", name);
    const std::string expected = within ? seen.text(pointer) : TRY(namespace_of("self", name));
    TRY(expect_same(fmt::format("the {} namespace of the hook", name), line.text(pointer), expected));
  }
  return {};
}

Verdict words(Stage &stage) {
  Tree seen;
  const Tree line = TRY(run_hook(stage, seen));
  std::vector<std::string> argv = line.texts("/argv");
  TRY(expect(argv.size() == 4, "the number of the hook's arguments", "4", std::to_string(argv.size())));
  TRY(expect_same("the hook's first argument", argv[0], "inside"));
  TRY(expect_same("the hook's tag", argv[3], std::string(stage.variant())));
  return expect_same("the hook's environment", line.texts("/env"), {"HOOK=yes"});
}

// Before the root is changed the container's process still has ours; afterwards it has the rootfs, which holds /inside.
Verdict before_pivot(Stage &stage) {
  Tree seen;
  const Tree line = TRY(run_hook(stage, seen));
  return expect_same("the hook sees the container's root as /", line.text("/containerRoot"), "false");
}

Verdict in_environment(Stage &stage) {
  Tree seen;
  const Tree line = TRY(run_hook(stage, seen));
  const Tree state = TRY(Tree::parse(line.text("/input")));
  return expect(state.number("/pid").value_or(0) > 0, "the pid in the hook's state", "that of the container",
                state.text("/pid"));
}

Verdict gone_at_poststop(Stage &stage) {
  TRY(make_hook_log(stage));
  add_hook(stage, "poststop", "poststop");
  TRY(stage.started());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  const Log log = TRY(read_hook_log(stage));
  (void)TRY(find(log, "poststop"));
  return expect_failure(stage, {"state", stage.id()});
}

Verdict refused_hook(Stage &stage) {
  stage.config.set("/hooks/createRuntime", TRY(Tree::parse(stage.variant())));
  return expect_refused(stage, stage.variant());
}

constexpr Case table[] = {
    {"hooks/run-during-create",
     "config.hooks.prestart.when config.hooks.prestart.first config.hooks.createRuntime.when "
     "config.hooks.createContainer.when config.hooks.createContainer.later runtime.lifecycle.prestart "
     "runtime.lifecycle.createRuntime runtime.lifecycle.createContainer",
     during_create},
    {"hooks/startContainer-runs-before-the-program",
     "config.hooks.startContainer.when runtime.lifecycle.startContainer", before_program},
    {"hooks/poststart-runs-before-start-returns", "config.hooks.poststart.when runtime.lifecycle.poststart",
     before_start_returns},
    {"hooks/poststop-runs-before-delete-returns", "config.hooks.poststop.when runtime.lifecycle.poststop",
     before_delete_returns},
    {"hooks/run-in-the-listed-order", "config.hooks.order", listed_order},
    {"hooks/prestart-gets-the-state", "config.hooks.state", state_on_stdin, "prestart"},
    {"hooks/createRuntime-gets-the-state", "config.hooks.state", state_on_stdin, "createRuntime"},
    {"hooks/createContainer-gets-the-state", "config.hooks.state", state_on_stdin, "createContainer"},
    {"hooks/startContainer-gets-the-state", "config.hooks.state", state_on_stdin, "startContainer"},
    {"hooks/poststart-gets-the-state", "config.hooks.state", state_on_stdin, "poststart"},
    {"hooks/poststop-gets-the-state", "config.hooks.state", state_on_stdin, "poststop"},
    {"hooks/prestart-is-in-the-runtimes-namespaces", "config.hooks.prestart.namespace config.hooks.prestart.path",
     namespaces, "prestart"},
    {"hooks/createRuntime-is-in-the-runtimes-namespaces",
     "config.hooks.createRuntime.namespace config.hooks.createRuntime.path", namespaces, "createRuntime"},
    {"hooks/createContainer-is-in-the-containers-namespaces",
     "config.hooks.createContainer.namespace config.hooks.createContainer.path", namespaces, "createContainer"},
    {"hooks/startContainer-is-in-the-containers-namespaces",
     "config.hooks.startContainer.namespace config.hooks.startContainer.path", namespaces, "startContainer"},
    {"hooks/poststart-is-in-the-runtimes-namespaces", "config.hooks.poststart.namespace config.hooks.poststart.path",
     namespaces, "poststart"},
    {"hooks/poststop-is-in-the-runtimes-namespaces", "config.hooks.poststop.namespace config.hooks.poststop.path",
     namespaces, "poststop"},
    {"hooks/createContainer-runs-before-the-root-changes", "config.hooks.createContainer.when", before_pivot,
     "createContainer"},
    {"hooks/prestart-runs-in-a-made-environment", "config.hooks.prestart.when", in_environment, "prestart"},
    {"hooks/createRuntime-runs-in-a-made-environment", "config.hooks.createRuntime.when", in_environment,
     "createRuntime"},
    {"hooks/get-args-and-env", "config.hooks.createRuntime.path", words, "createRuntime"},
    {"hooks/startContainer-gets-args-and-env", "config.hooks.startContainer.path", words, "startContainer"},
    {"hooks/the-container-is-gone-at-poststop", "config.hooks.poststop.when", gone_at_poststop},
    {"hooks/path-is-required", "config.hooks.path.required config.values", refused_hook, R"([{"args": ["true"]}])"},
    {"hooks/path-must-be-absolute", "config.hooks.path.absolute config.values", refused_hook, R"([{"path": "true"}])"},
    {"hooks/timeout-must-not-be-zero", "config.hooks.timeout.positive config.values", refused_hook,
     R"([{"path": "/bin/true", "timeout": 0}])"},
    {"hooks/timeout-must-not-be-negative", "config.hooks.timeout.positive config.values", refused_hook,
     R"([{"path": "/bin/true", "timeout": -1}])"},
};

}  // namespace

std::span<const Case> hook_cases() { return table; }

}  // namespace skiff::conformance
