// The commands that faults are tried on: what must be there before, what is there afterwards.
#pragma once

#include <span>
#include <string_view>

#include "conformance/faults/site.h"

namespace skiff::conformance {

struct Scene {
  std::string_view name;
  Status (*prepare)(Site &site);
  std::vector<std::string> (*words)(const Site &site);
  // What there is once the command says that it succeeded; the container may be used up for it. An error: it lies.
  Result<Facts> (*effect)(Site &site);
  // The container's init goes on while the command runs, and is part of it.
  bool with_init = false;
  // A command that fails must leave the container that there was; one that makes a container none.
  bool makes = false;
  // It shows what it can, succeeds, and tells of the rest on stderr.
  bool warns = false;
  // The cgroup controller without which it can do nothing; empty: none.
  std::string_view controller = {};
  // What users do to be rid of it all; nothing: `delete --force`.
  Result<Outcome> (*remove)(Site &site) = nullptr;
  // Whoever executes another program is let go: CRIU traces processes itself, and nobody has two tracers.
  bool only_itself = false;
  // Why it cannot be tried on this host; nothing, or empty: it can.
  std::string (*missing)() = nullptr;
  // What a command that fails must have left as it was; an error tells what is not.
  Status (*unharmed)(Site &site) = nullptr;

  [[nodiscard]] Result<Outcome> clear(Site &site) const { return remove != nullptr ? remove(site) : site.remove(); }
};

[[nodiscard]] std::vector<const Scene *> scenes_of(Family family);
[[nodiscard]] std::span<const Scene> checkpoint_scenes();
[[nodiscard]] std::span<const Scene> image_scenes();
[[nodiscard]] std::span<const Scene> compose_scenes();

// "one" runs a program that answers to each signal but SIGKILL with a line.
[[nodiscard]] Status start_waiting(Site &site);

// A tree as facts: of each value, by its JSON pointer.
void add_facts(const Tree &tree, const std::string &place, Facts &facts);

}  // namespace skiff::conformance
