#include "tests/bench/cases.h"

#include <fmt/format.h>

#include <array>

namespace skiff::bench {
namespace {

template <Bundle bundle>
Steps run(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"run", "--bundle", stage.bundle(contestant, bundle), passing_id})}};
}

// Where runtimes keep compiled filters below their state directory.
Steps run_cold(const Stage &stage, const Contestant &contestant) {
  Steps steps = run<Bundle::seccomp>(stage, contestant);
  for (const char *cache : {"/@seccomp", "/.cache/seccomp"}) steps[0].removes.push_back(stage.root(contestant) + cache);
  return steps;
}

// From create to the end of the container's program.
Steps create_and_start(const Stage &stage, const Contestant &contestant, bool measured) {
  const std::string pid_file = stage.pid_file(contestant);
  return {{.words = stage.command(contestant, {"create", "--bundle", stage.bundle(contestant, Bundle::passing),
                                               "--pid-file", pid_file, passing_id}),
           .measured = measured},
          {.words = stage.command(contestant, {"start", passing_id}), .measured = measured, .ends = pid_file}};
}

Steps create_start_delete(const Stage &stage, const Contestant &contestant) {
  Steps steps = create_and_start(stage, contestant, true);
  steps.push_back({.words = stage.command(contestant, {"delete", passing_id})});
  return steps;
}

Steps delete_(const Stage &stage, const Contestant &contestant) {
  Steps steps = create_and_start(stage, contestant, false);
  steps.push_back({.words = stage.command(contestant, {"delete", passing_id})});
  return steps;
}

Steps exec(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"exec", resident_id, "/bin/true"})}};
}

Steps state(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"state", resident_id})}};
}

Steps kill(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"kill", resident_id, "0"})}};
}

Steps list(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"list"})}};
}

Words container(const Stage &stage, int /*resident*/) { return {stage.rootfs(), "/bin/true"}; }
Words filtered(const Stage &stage, int /*resident*/) {
  return {"--seccomp", stage.filter(), stage.rootfs(), "/bin/true"};
}
Words mapped(const Stage &stage, int /*resident*/) { return {"--user", stage.rootfs(), "/bin/true"}; }
Words mounted(const Stage &stage, int /*resident*/) {
  return {"--binds", stage.volumes(), stage.rootfs(), "/bin/true"};
}
Words joined(const Stage &stage, int resident) {
  return {"--join", std::to_string(resident), stage.rootfs(), "/bin/true"};
}
Words process(const Stage & /*stage*/, int resident) { return {"--exec", std::to_string(resident), "/bin/true"}; }
Words nothing(const Stage & /*stage*/, int /*resident*/) { return {}; }

constexpr std::string_view a_container = "a container";
constexpr std::string_view a_process = "a process in a container";
constexpr std::string_view an_end = "a program that ends at once";

constexpr std::array<Case, 12> cases = {{
    {"run", a_container, run<Bundle::passing>, container, true},
    {"create+start+delete", a_container, create_start_delete, container, true},
    {"exec", a_process, exec, process, false},
    {"state", an_end, state, nothing, false},
    {"kill", an_end, kill, nothing, false},
    {"delete", an_end, delete_, nothing, false},
    {"list", an_end, list, nothing, false},
    {"run+seccomp", "a container with a filter that is compiled", run<Bundle::seccomp>, filtered, true},
    {"run+seccomp-cold", "a container with a filter that is compiled", run_cold, filtered, true},
    {"run+user-namespace", "a container in a user namespace", run<Bundle::user_namespace>, mapped, true},
    {"run+40-binds", "a container with as many mounts", run<Bundle::bind_mounts>, mounted, true},
    {"run+joining", "a container in such namespaces", run<Bundle::joining>, joined, true},
}};

}  // namespace

std::span<const Case> all_cases() { return cases; }

Steps make_steps(const Case &which, const Stage &stage, const Contestant &contestant, int resident) {
  if (!contestant.is_floor) return which.steps(stage, contestant);
  Words words = which.floor_words(stage, resident);
  if (which.is_container) words.insert(words.begin(), contestant.options.begin(), contestant.options.end());
  words.insert(words.begin(), contestant.program);
  return {{.words = std::move(words)}};
}

Steps start_resident(const Stage &stage, const Contestant &contestant, const std::string &pid_file) {
  return {
      {.words = stage.command(contestant, {"run", "--detach", "--bundle", stage.bundle(contestant, Bundle::resident),
                                           "--pid-file", pid_file, resident_id})}};
}

}  // namespace skiff::bench
