// runtime.md, Create and Lifecycle: the environment is made whole or not at all. bundle.md.
#include <fmt/format.h>

#include <array>

#include "conformance/cases/tables.h"
#include "conformance/leavings.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

// A create that fails must leave no container, no cgroup, and an id that can be used.
Verdict expect_nothing_left(Stage &stage) {
  TRY(expect_failure(stage, {"state", stage.id()}));
  return expect_same("cgroups after a create that failed", find_cgroups(stage.cgroup()), {});
}

Verdict failed_create(Stage &stage) {
  stage.config.set("/mounts/-", R"({"destination": "/work", "type": "bind", "source": "/no/such/directory",
                                    "options": ["bind"]})"_json);
  const Outcome outcome = TRY(stage.create());
  TRY(expect(outcome.code != 0, "create with a mount that cannot be made", "an error", "success"));
  TRY(expect_nothing_left(stage));
  stage.config.remove("/mounts/4");
  (void)TRY(stage.observed());
  return {};
}

Verdict failed_in_container(Stage &stage) {
  // Found out late, when the namespaces and the cgroup are made.
  stage.config.set("/linux/sysctl", R"({"kernel.no_such_parameter": "1"})"_json);
  const Outcome outcome = TRY(stage.create());
  TRY(expect(outcome.code != 0, "create with a sysctl that does not exist", "an error", "success"));
  return expect_nothing_left(stage);
}

Verdict no_such_program(Stage &stage) {
  stage.config.set("/process/args", R"(["/no/such/program"])"_json);
  return expect_refused(stage, "a program that does not exist");
}

Verdict environment_before_start(Stage &stage) {
  stage.config.set("/hostname", "early");
  TRY(stage.created());
  const std::string pid = std::to_string(TRY(stage.pid()));
  for (const char *name : {"ipc", "mnt", "net", "pid", "uts", "cgroup"}) {
    const std::string theirs = TRY(namespace_of(pid, name));
    const std::string ours = TRY(namespace_of("self", name));
    TRY(expect(theirs != ours, fmt::format("the {} namespace after create", name), "a new one", "the runtime's"));
  }
  TRY(expect(!find_cgroups(stage.cgroup()).empty(), "the cgroup after create", stage.cgroup(), "no such group"));
  const std::string mounts = TRY(read_file(fmt::format("/proc/{}/mountinfo", pid)));
  return expect(mounts.find(" /proc ") != std::string::npos, "the mounts after create", "one on /proc", mounts);
}

Verdict no_config(Stage &stage) { return expect_failure(stage, {"create", "--bundle", stage.bundle(), stage.id()}); }

Verdict config_of_another_name(Stage &stage) {
  TRY(write_file(stage.bundle() + "/runtime.json", stage.config.dump()));
  return expect_failure(stage, {"create", "--bundle", stage.bundle(), stage.id()});
}

Verdict config_in_another_place(Stage &stage) {
  TRY(write_file(stage.path("config.json"), stage.config.dump()));
  TRY(write_file(stage.rootfs() + "/config.json", stage.config.dump()));
  return expect_failure(stage, {"create", "--bundle", stage.bundle(), stage.id()});
}

Verdict config_is_no_json(Stage &stage) {
  TRY(write_file(stage.bundle() + "/config.json", R"({"ociVersion": "1.0.2",)"));
  return expect_failure(stage, {"create", "--bundle", stage.bundle(), stage.id()});
}

Verdict dev_links(Stage &stage) {
  stage.inside("observe", {"readlink:/dev/fd", "readlink:/dev/stdin", "readlink:/dev/stdout", "readlink:/dev/stderr"});
  const Tree seen = TRY(stage.observed());
  constexpr std::array<std::string_view, 4> targets = {"/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1",
                                                       "/proc/self/fd/2"};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    TRY(expect_same(seen.text(fmt::format("/probes/{}/probe", i)), probe_value(seen, i)->text(),
                    std::string(targets[i])));
  }
  return {};
}

Verdict warned_create(Stage &stage) {
  stage.config.set("/process/capabilities/bounding/-", "CAP_NO_SUCH_THING");
  stage.config.set("/hostname", "warned");
  const Tree seen = TRY(stage.observed());
  return expect_same("the host name of a container with a warning", seen.text("/hostname"), "warned");
}

constexpr Case table[] = {
    {"create/makes-the-environment-before-start",
     "runtime.lifecycle.environment runtime.lifecycle.resources runtime.create.properties", environment_before_start},
    {"create/leaves-nothing-when-it-fails",
     "runtime.create.error runtime.errors.unchanged runtime.lifecycle.environment.error", failed_create},
    {"create/leaves-nothing-when-it-fails-late", "runtime.create.error runtime.errors.unchanged", failed_in_container},
    {"create/goes-on-after-a-warning", "runtime.warnings.continue config.process.capabilities.unknown", warned_create},
    {"create/a-program-that-is-not-there-fails", "runtime.lifecycle.environment.error config.values", no_such_program},
    {"create/makes-the-links-in-dev", "runtime.linux.dev-links", dev_links},
    {"bundle/without-config-fails", "bundle.config.required", no_config},
    {"bundle/config-has-one-name", "bundle.config.name", config_of_another_name},
    {"bundle/config-has-one-place", "bundle.config.place", config_in_another_place},
    {"bundle/config-must-be-json", "bundle.config.required config.values", config_is_no_json},
};

}  // namespace

std::span<const Case> create_cases() { return table; }

}  // namespace skiff::conformance
