#include "conformance/faults/scene.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conformance/leavings.h"

namespace skiff::conformance {
namespace {

using Words = std::vector<std::string>;

// ---- before ----

Status nothing_with(Site &site, const Words &program) { return site.configure(program); }
Status nothing(Site &site) { return nothing_with(site, {"observe"}); }

Status created_with(Site &site, const Words &program) {
  TRY(nothing_with(site, program));
  return site.succeed({"create", "--bundle", site.bundle(), site.id()});
}
Status created(Site &site) { return created_with(site, {"observe"}); }

Status running(Site &site) { return start_waiting(site); }

Status stopped(Site &site) {
  TRY(created_with(site, {"exit", "0"}));
  const int pid = TRY(site.pid());
  TRY(site.succeed({"start", site.id()}));
  return site.wait_for_end(pid);
}

Status paused(Site &site) {
  TRY(running(site));
  return site.succeed({"pause", site.id()});
}

// ---- afterwards ----

// What the program inside saw, without what time alone changes. Of a namespace, whether it is the host's: its number
// may or may not be one that was in use before.
Result<Facts> observed(Site &site) {
  Facts facts;
  add_facts(TRY(site.wait_for_line()), "", facts);
  for (const char *clock : {"/boottime", "/monotonic"}) facts.erase(clock);
  // What is masked is a bind of the container's /dev/null, and tells what is true of wherever that comes from.
  std::erase_if(facts, [](const auto &fact) {
    const std::string_view place = fact.first;
    const bool masked = place.starts_with("/mounts//proc/kcore/") || place.starts_with("/mounts//proc/keys/") ||
                        place.starts_with("/mounts//proc/timer_list/");
    return masked && !place.ends_with("/destination");
  });
  for (auto &[place, value] : facts) {
    // Beside hierarchies of v1 that of v2 limits nothing.
    if (value.starts_with("\"0::") && !is_unified()) value.clear();
    constexpr std::string_view namespaces = "/namespaces/";
    if (!place.starts_with(namespaces)) continue;
    const Result<std::string> own = namespace_of("self", place.substr(namespaces.size()));
    value = own && value.find(*own) != std::string::npos ? "the host's" : "its own";
  }
  return facts;
}

Result<Facts> whole_container(Site &site) {
  Facts facts = TRY(observed(site));
  facts["hooks"] = fmt::format("{}", fmt::join(site.hook_tags(), " "));
  return facts;
}

Result<Facts> created_whole(Site &site) {
  const Tree state = TRY(site.state());
  if (state.text("/status") != "created") return fail("the status is " + state.text("/status"));
  const std::string written = TRY(read_file(site.path("pid")));
  if (written != state.text("/pid")) return fail("the pid file has \"" + written + "\"");
  const Facts limits = site.cgroup_facts(site.cgroup());
  TRY(site.succeed({"start", site.id()}));
  Facts facts = TRY(whole_container(site));
  facts.insert(limits.begin(), limits.end());
  return facts;
}

Result<Facts> gone(Site &site) {
  if (const Outcome state = TRY(site.call({"state", site.id()})); state.code == 0) {
    return fail("there is still a container");
  }
  const Words left = site.remains();
  if (!left.empty()) return fail(fmt::format("there is still {}", fmt::join(left, ", ")));
  return Facts();
}

Result<Facts> ran_whole(Site &site) {
  Facts facts = TRY(whole_container(site));
  (void)TRY(gone(site));
  return facts;
}

Result<Facts> ran_detached(Site &site) {
  Facts facts = TRY(whole_container(site));
  facts["status"] = TRY(site.state()).text("/status");
  facts.merge(site.cgroup_facts(site.cgroup()));
  return facts;
}

Result<Facts> killed(Site &site) {
  // A pid is what a container that still runs has.
  const Result<int> pid = site.pid();
  if (pid) TRY(site.wait_for_end(*pid));
  return Facts();
}

Result<Facts> status(Site &site) { return Facts{{"status", TRY(site.state()).text("/status")}}; }

Result<Facts> limits(Site &site) { return site.cgroup_facts(site.cgroup()); }

// A program of its own has run in the container, which runs on.
Result<Facts> executed(Site &site) {
  Facts facts = TRY(observed(site));
  facts["status"] = TRY(site.state()).text("/status");
  return facts;
}

Result<Facts> printed_state(Site &site) {
  Facts facts;
  const std::string text = site.take_out();
  add_facts(TRY(in("the output: " + text, Tree::parse(text))), "", facts);
  // A number is as good, where the name cannot be read.
  std::erase_if(facts, [](const auto &fact) { return fact.first.ends_with("/owner"); });
  return facts;
}

Words one_word(const Site &site, const char *word) { return {word, site.id()}; }

constexpr std::array<Scene, 13> scenes = {{
    {"create", nothing,
     [](const Site &site) {
       return Words{"create", "--bundle", site.bundle(), "--pid-file", site.path("pid"), site.id()};
     },
     created_whole, false, true},
    {"start", created, [](const Site &site) { return one_word(site, "start"); }, whole_container, true},
    {"run", nothing, [](const Site &site) { return Words{"run", "--bundle", site.bundle(), site.id()}; }, ran_whole,
     false, true},
    {"run-detached", [](Site &site) { return nothing_with(site, {"wait"}); },
     [](const Site &site) { return Words{"run", "--detach", "--bundle", site.bundle(), site.id()}; }, ran_detached,
     false, true},
    {"exec", running, [](const Site &site) { return Words{"exec", site.id(), "/inside", "observe"}; }, executed},
    {"kill", running, [](const Site &site) { return Words{"kill", site.id(), "KILL"}; }, killed},
    {"delete", stopped, [](const Site &site) { return one_word(site, "delete"); }, gone},
    {"delete-force", running, [](const Site &site) { return Words{"delete", "--force", site.id()}; }, gone},
    {"pause", running, [](const Site &site) { return one_word(site, "pause"); }, status},
    {"resume", paused, [](const Site &site) { return one_word(site, "resume"); }, status},
    {"update", running, [](const Site &site) { return Words{"update", "--pids-limit", "77", site.id()}; }, limits,
     false, false, false, "pids"},
    {"state", running, [](const Site &site) { return one_word(site, "state"); }, printed_state},
    {"list", running, [](const Site & /*site*/) { return Words{"list", "--format", "json"}; }, printed_state, false,
     false, true},
}};

}  // namespace

void add_facts(const Tree &tree, const std::string &place, Facts &facts) {
  const std::vector<Tree::Member> members = tree.members();
  if (members.empty()) {
    facts[place] = tree.dump();
    return;
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    // A mount more, such as a device that is bound where none may be made, does not move the others.
    const std::string destination = members[i].value.text("/destination");
    const std::string step = !members[i].key.empty() ? std::string(members[i].key)
                             : destination.empty()   ? std::to_string(i)
                                                     : destination;
    add_facts(members[i].value, fmt::format("{}/{}", place, step), facts);
  }
}

Status start_waiting(Site &site) {
  TRY(created_with(site, {"wait"}));
  TRY(site.succeed({"start", site.id()}));
  (void)TRY(site.wait_for_line());
  return {};
}

std::vector<const Scene *> scenes_of(Family family) {
  std::vector<const Scene *> all;
  const auto add = [&](std::span<const Scene> some) {
    for (const Scene &scene : some) all.push_back(&scene);
  };
  if (family == Family::runtime) add(scenes);
  if (family == Family::runtime) add(checkpoint_scenes());
  if (family == Family::image) add(image_scenes());
  if (family == Family::compose) add(compose_scenes());
  return all;
}

}  // namespace skiff::conformance
