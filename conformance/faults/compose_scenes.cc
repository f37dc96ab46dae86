// skiff-compose's commands: a project of one service comes up and goes down, without a network and with one.
#include <fmt/format.h>

#include "conformance/faults/scene.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

enum class Network : std::uint8_t { none, of_its_own };

std::string file(const Site &site, Network network) {
  return site.path(network == Network::none ? "compose.yaml" : "network.yaml");
}

Words on_project(const Site &site, Network network, const Words &words) {
  Words all = {"-f", file(site, network), "-p", "one"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

// Once: the image in the store, and the project's file.
Status make_project(Site &site) {
  if (exists(file(site, Network::of_its_own))) return {};
  const Words import = {
      "--store", site.path("store"), "import", "--cmd", "/inside", "file:" + site.bundle() + "/rootfs", "one"};
  const Outcome made = TRY(site.call_beside("skiff-image", "imgtool", import));
  if (made.code != 0) return fail("skiff-image import: " + made.summary());
  const std::string project = fmt::format(
      "services:\n"
      "  a:\n"
      "    image: one\n"
      "    command: [/inside, wait]\n"
      "    stop_grace_period: 0s\n"
      "    cgroup_parent: {}\n",
      site.cgroup());
  TRY(write_file(file(site, Network::none), project + "    network_mode: none\n"));
  return write_file(file(site, Network::of_its_own), project + "    ports: ['127.0.0.1:8080:80']\n");
}

template <Network network>
Status project_up(Site &site) {
  TRY(make_project(site));
  return site.succeed(on_project(site, network, {"up", "-d"}));
}

template <Network network>
Words up_words(const Site &site) {
  return on_project(site, network, {"up", "-d"});
}

template <Network network>
Words down_words(const Site &site) {
  return on_project(site, network, {"down", "-t", "0"});
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
template <Network network>
Result<Outcome> remove_project(Site &site) {
  for (const Words &words : {Words{"down", "-v", "-t", "0"}, Words{"up", "-d"}, Words{"down", "-v", "-t", "0"}}) {
    Outcome outcome = TRY(site.call(on_project(site, network, words)));
    if (outcome.code != 0) return outcome;
  }
  return site.call_beside("skiff-image", "imgtool", {"--store", site.path("store"), "prune"});
}

template <Network network>
constexpr Scene up_scene(std::string_view name) {
  return {.name = name,
          .prepare = make_project,
          .words = up_words<network>,
          .effect = is_up,
          .remove = remove_project<network>};
}

template <Network network>
constexpr Scene down_scene(std::string_view name) {
  return {.name = name,
          .prepare = project_up<network>,
          .words = down_words<network>,
          .effect = is_down,
          .remove = remove_project<network>};
}

constexpr std::array<Scene, 4> scenes = {{
    up_scene<Network::none>("up"),
    down_scene<Network::none>("down"),
    up_scene<Network::of_its_own>("up-network"),
    down_scene<Network::of_its_own>("down-network"),
}};

}  // namespace

std::span<const Scene> compose_scenes() { return scenes; }

}  // namespace skiff::conformance
