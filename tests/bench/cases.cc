#include "tests/bench/cases.h"

#include <fmt/format.h>

#include <array>

namespace skiff::bench {
namespace {

Steps run(const Stage &stage, const Contestant &contestant) {
  return {{.words = stage.command(contestant, {"run", "--bundle", stage.passing_bundle(contestant), passing_id})}};
}

// From create to the end of the container's program.
Steps create_and_start(const Stage &stage, const Contestant &contestant, bool measured) {
  const std::string pid_file = stage.pid_file(contestant);
  return {{.words = stage.command(contestant, {"create", "--bundle", stage.passing_bundle(contestant), "--pid-file",
                                               pid_file, passing_id}),
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
Words process(const Stage & /*stage*/, int resident) { return {"--exec", std::to_string(resident), "/bin/true"}; }
Words nothing(const Stage & /*stage*/, int /*resident*/) { return {}; }

constexpr std::string_view a_container = "a container";
constexpr std::string_view a_process = "a process in a container";
constexpr std::string_view an_end = "a program that ends at once";

constexpr std::array<Case, 7> cases = {{
    {"run", a_container, run, container},
    {"create+start+delete", a_container, create_start_delete, container},
    {"exec", a_process, exec, process},
    {"state", an_end, state, nothing},
    {"kill", an_end, kill, nothing},
    {"delete", an_end, delete_, nothing},
    {"list", an_end, list, nothing},
}};

}  // namespace

std::span<const Case> all_cases() { return cases; }

Steps make_steps(const Case &which, const Stage &stage, const Contestant &contestant, int resident) {
  if (!contestant.is_floor) return which.steps(stage, contestant);
  Words words = which.floor_words(stage, resident);
  words.insert(words.begin(), contestant.program);
  return {{.words = std::move(words)}};
}

Steps start_resident(const Stage &stage, const Contestant &contestant, const std::string &pid_file) {
  return {{.words = stage.command(contestant, {"run", "--detach", "--bundle", stage.resident_bundle(contestant),
                                               "--pid-file", pid_file, resident_id})}};
}

}  // namespace skiff::bench
