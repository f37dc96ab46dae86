// skiff-compose's commands: a project of one service comes up and goes down.
#include <fmt/format.h>

#include "conformance/faults/scene.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

std::string file(const Site &site) { return site.path("compose.yaml"); }

Words on_project(const Site &site, const Words &words) {
  Words all = {"-f", file(site), "-p", "one"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

// Once: the image in the store, and the project's file.
Status make_project(Site &site) {
  if (exists(file(site))) return {};
  const Words import = {
      "--store", site.path("store"), "import", "--cmd", "/inside", "file:" + site.bundle() + "/rootfs", "one"};
  const Outcome made = TRY(site.call_beside("skiff-image", "imgtool", import));
  if (made.code != 0) return fail("skiff-image import: " + made.summary());
  return write_file(file(site), fmt::format("services:\n"
                                            "  a:\n"
                                            "    image: one\n"
                                            "    command: [/inside, wait]\n"
                                            "    network_mode: none\n"
                                            "    stop_grace_period: 0s\n"
                                            "    cgroup_parent: {}\n",
                                            site.cgroup()));
}

Status project_down(Site &site) { return make_project(site); }

Status project_up(Site &site) {
  TRY(make_project(site));
  return site.succeed(on_project(site, {"up", "-d"}));
}

Result<Facts> is_up(Site &site) {
  const Outcome seen = TRY(site.call({"inspect", "one-a-1"}));
  if (seen.code != 0) return fail("inspect: " + seen.summary());
  Facts facts;
  add_facts(TRY(in("inspect's output", Tree::parse(seen.out))), "", facts);
  return facts;
}

Result<Facts> is_down(Site &site) {
  const Outcome seen = TRY(site.call({"ps", "-aq"}));
  if (seen.code != 0) return fail("ps: " + seen.summary());
  if (!seen.out.empty()) return fail("there is still a container: " + seen.out);
  return Facts();
}

// What was half made or half removed the next create sweeps away; what a bundle of its layers needed the store forgets
// when it is pruned.
Result<Outcome> remove_project(Site &site) {
  for (const Words &words : {Words{"down", "-v", "-t", "0"}, Words{"up", "-d"}, Words{"down", "-v", "-t", "0"}}) {
    Outcome outcome = TRY(site.call(on_project(site, words)));
    if (outcome.code != 0) return outcome;
  }
  return site.call_beside("skiff-image", "imgtool", {"--store", site.path("store"), "prune"});
}

constexpr std::array<Scene, 2> scenes = {{
    {.name = "up",
     .prepare = project_down,
     .words = [](const Site &site) { return on_project(site, {"up", "-d"}); },
     .effect = is_up,
     .remove = remove_project},
    {.name = "down",
     .prepare = project_up,
     .words = [](const Site &site) { return on_project(site, {"down", "-t", "0"}); },
     .effect = is_down,
     .remove = remove_project},
}};

}  // namespace

std::span<const Scene> compose_scenes() { return scenes; }

}  // namespace skiff::conformance
