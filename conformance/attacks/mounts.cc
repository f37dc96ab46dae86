// Attacks by links in a rootfs at the places where something is mounted, and by paths that overflow.
#include <fmt/format.h>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

Verdict absolute_link_at_target(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_link(victim.directory(), stage.rootfs() + "/link"));
  TRY(write_file(stage.path("data"), "data"));
  add_mount(stage, "/link/directory", "tmpfs", "tmpfs");
  add_mount(stage, "/link/data", "bind", stage.path("data"), {"bind"});
  (void)TRY(attempt(stage));
  return victim.untouched();
}

Verdict climbing_link_at_target(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  std::string up;
  for (int i = 0; i < 40; ++i) up += "../";
  TRY(make_link(up + victim.directory().substr(1), stage.rootfs() + "/work/link"));
  TRY(write_file(stage.path("data"), "data"));
  add_mount(stage, "/work/link/directory", "tmpfs", "tmpfs");
  add_mount(stage, "/work/link/file", "bind", stage.path("data"), {"bind"});
  (void)TRY(attempt(stage));
  return victim.untouched();
}

// A volume that is mounted first brings the link along.
Verdict link_in_a_volume(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_directory(stage.path("volume")));
  TRY(make_link(victim.directory(), stage.path("volume") + "/link"));
  add_mount(stage, "/work", "bind", stage.path("volume"), {"bind"});
  add_mount(stage, "/work/link/directory", "tmpfs", "tmpfs");
  (void)TRY(attempt(stage));
  return victim.untouched();
}

// The place of a file that does not exist yet is a dangling link.
Verdict dangling_link_at_file(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_link(victim.directory() + "/planted", stage.rootfs() + "/work/planted"));
  TRY(write_file(stage.path("data"), "data"));
  add_mount(stage, "/work/planted", "bind", stage.path("data"), {"bind"});
  (void)TRY(attempt(stage));
  return victim.untouched();
}

Verdict overflowing_namespace_path(Stage &stage) {
  constexpr std::size_t longer_than_an_attribute = 70000;
  Tree namespaces = "[]"_json;
  for (const char *type : {"pid", "mount", "ipc", "uts", "cgroup"}) {
    Tree one = "{}"_json;
    one.set("/type", type);
    namespaces.set("/-", std::move(one));
  }
  Tree network = R"({"type": "network"})"_json;
  network.set("/path", "/" + std::string(longer_than_an_attribute, 'n'));
  namespaces.set("/-", std::move(network));
  stage.config.set("/linux/namespaces", std::move(namespaces));
  if (TRY(attempt(stage))) return miss("a container runs whose network namespace has no path");
  return {};
}

// A mount destination that leads through each link to a place of the host, by its name or by climbing.
Verdict links_to_the_host(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(write_file(stage.path("data"), "data"));
  std::string up;
  for (int i = 0; i < 40; ++i) up += "../";
  int number = 0;
  // Where the first of them succeeds, no other is tried on the host.
  const std::vector<std::string> all = {
      victim.directory(), "/", "/proc", "/dev", "/sys", "/etc", "/proc/self/root", "/proc/self/cwd", "/proc/1/root"};
  for (const std::string &place : all) {
    for (const std::string &target : {place, up + place.substr(1)}) {
      const std::string link = fmt::format("link{}", number++);
      TRY(make_link(target, fmt::format("{}/{}", stage.rootfs(), link)));
      // Made by the path of the stage, so that a runtime which takes the host's root puts it among the victim's.
      const std::string below = place == victim.directory() ? "/planted" : victim.directory() + "/planted";
      const Tree mounts = *stage.config.find("/mounts");
      add_mount(stage, fmt::format("/{}{}", link, below), "bind", stage.path("data"), {"bind"});
      (void)TRY(attempt(stage));
      TRY(end_attempt(stage));
      stage.config.set("/mounts", mounts);
      TRY(victim.untouched());
    }
  }
  return {};
}

constexpr Case table[] = {
    {"mounts/an-absolute-link-at-the-target", "CVE-2019-18837 CVE-2024-45310", absolute_link_at_target},
    {"mounts/a-link-that-climbs-at-the-target", "CVE-2019-18837 CVE-2024-45310", climbing_link_at_target},
    {"mounts/a-link-in-a-volume", "CVE-2021-30465", link_in_a_volume},
    {"mounts/a-dangling-link-for-a-file", "CVE-2024-45310", dangling_link_at_file},
    {"mounts/links-to-every-place-of-the-host", "hostile-rootfs", links_to_the_host},
    {"namespaces/a-path-that-overflows", "CVE-2021-43784", overflowing_namespace_path},
};

}  // namespace

std::span<const Case> mount_attacks() { return table; }

}  // namespace skiff::conformance
