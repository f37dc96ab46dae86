// Attacks by another container that shares a volume with the one that is made: it exchanges a file or directory for a
// link, as often as it can, while the runtime works.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>

#include "conformance/attacks/attack.h"
#include "runtime/kernel/path.h"

namespace skiff::conformance {
namespace {

constexpr unsigned places = 20;  // in one container

// A file at the victim's path in the rootfs is as it was.
Verdict mirror_untouched(const Stage &stage, const Victim &victim) {
  const std::string path = stage.rootfs() + victim.file();
  if (TRY(read_file(path)) == Victim::text) return {};
  return miss("the runtime wrote to what a link leads to");
}

// What came of containers that were made again and again. One that comes to nothing in the middle of it is no answer,
// as long as another one is.
struct Rounds {
  unsigned ran = 0;
  unsigned refused = 0;
  std::optional<Error> broken = {};

  // What the container has shown, where it ran.
  const Tree *count(const Result<std::optional<Tree>> &seen) {
    if (!seen) broken = seen.error();
    if (!seen || !*seen) {
      refused += seen ? 1 : 0;
      return nullptr;
    }
    ++ran;
    return &**seen;
  }
  [[nodiscard]] Verdict verdict(Stage &stage) const {
    if (broken && ran + refused == 0) return std::unexpected(Miss(*broken));
    stage.note(fmt::format("{} tries: {} containers ran, {} were refused", stage.tries(), ran, refused));
    return {};
  }
};

// The same container with `tries` places, again and again. What it shows is judged by `look`, and what it leaves on the
// host by `victim`.
template <class Look>
Verdict repeat(Stage &stage, const Victim &victim, unsigned tries, Look look) {
  Rounds rounds;
  const bool mirrored = exists(stage.rootfs() + victim.file());
  while (stage.tries() < stage.wanted_tries()) {
    const Result<std::optional<Tree>> result = attempt_by_run(stage);
    const Tree *seen = rounds.count(result);
    // One that is refused has come to one place.
    stage.count_tries(seen != nullptr ? tries : 1);
    if (seen != nullptr) TRY(look(*seen));
    if (!result) TRY(end_attempt(stage));
    TRY(victim.untouched());
    if (mirrored) TRY(mirror_untouched(stage, victim));
  }
  return rounds.verdict(stage);
}

Verdict nothing_more(const Tree &) { return {}; }

struct Shared {
  std::string path;
  Victim victim;
};
// A volume at /work whose directory `one` can be exchanged for a link to the victim.
Result<Shared> share(Stage &stage, const std::string &one) {
  Shared shared{stage.path("shared"), TRY(Victim::make(stage))};
  TRY(make_directory(shared.path));
  TRY(make_directory(shared.path + "/" + one));
  TRY(make_link(shared.victim.directory(), shared.path + "/link"));
  TRY(shared.victim.mirror_in(stage));
  add_mount(stage, "/work", "bind", shared.path, {"bind"});
  return shared;
}

// What lands on the victim's directory is seen by the next mount, whose source that directory is.
Verdict target(Stage &stage) {
  const Shared shared = TRY(share(stage, "target"));
  TRY(make_directory(stage.path("evil")));
  TRY(write_file(stage.path("evil") + "/landed", ""));
  std::vector<std::string> probes;
  for (unsigned i = 0; i < places; ++i) {
    add_mount(stage, "/work/target", "bind", stage.path("evil"), {"bind"});
    add_mount(stage, fmt::format("/tmp/loot{}", i), "bind", shared.victim.directory(), {"rbind"});
    probes.push_back(fmt::format("stat:/tmp/loot{}/landed", i));
  }
  stage.inside("observe", probes);
  const Exchanger exchanger = TRY(Exchanger::start({{shared.path + "/target", shared.path + "/link"}}));
  return repeat(stage, shared.victim, places, [](const Tree &seen) -> Verdict {
    for (unsigned i = 0; i < places; ++i) {
      if (probe_errno(seen, i) == 0) return miss("a mount landed on a directory of the host");
    }
    return {};
  });
}

Verdict missing_target(Stage &stage) {
  const Shared shared = TRY(share(stage, "parent"));
  TRY(write_file(stage.path("data"), "data"));
  for (unsigned i = 0; i < places / 2; ++i) {
    add_mount(stage, fmt::format("/work/parent/a{}/b", i), "tmpfs", "tmpfs");
    add_mount(stage, fmt::format("/work/parent/file{}", i), "bind", stage.path("data"), {"bind"});
  }
  const Exchanger exchanger = TRY(Exchanger::start({{shared.path + "/parent", shared.path + "/link"}}));
  return repeat(stage, shared.victim, places, nothing_more);
}

// A component in the middle of the path, in the rootfs itself.
Verdict component(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(victim.mirror_in(stage));
  TRY(make_directory(stage.rootfs() + "/work/a"));
  TRY(make_directory(stage.rootfs() + "/work/a/b"));
  TRY(make_link(victim.directory(), stage.rootfs() + "/work/link"));
  for (unsigned i = 0; i < places; ++i) add_mount(stage, fmt::format("/work/a/b/../c{}", i), "tmpfs", "tmpfs");
  const Exchanger exchanger = TRY(Exchanger::start({{stage.rootfs() + "/work/a", stage.rootfs() + "/work/link"}}));
  return repeat(stage, victim, places, nothing_more);
}

Verdict device(Stage &stage) {
  const Shared shared = TRY(share(stage, "parent"));
  for (unsigned i = 0; i < places; ++i) {
    Tree node = R"({"type": "c", "major": 1, "minor": 3})"_json;
    node.set("/path", fmt::format("/work/parent/node{}", i));
    stage.config.set("/linux/devices/-", std::move(node));
  }
  const Exchanger exchanger = TRY(Exchanger::start({{shared.path + "/parent", shared.path + "/link"}}));
  return repeat(stage, shared.victim, places, nothing_more);
}

Status make_null(const std::string &path) { return kernel::mknodat(kernel::cwd, path, S_IFCHR | 0666, makedev(1, 3)); }

// The null device of a shared /dev is exchanged for a link, while it is what masks are made of.
Verdict mask(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  leave_dev_to_the_image(stage);
  TRY(make_directory(stage.path("dev")));
  TRY(make_null(stage.path("dev") + "/null"));
  TRY(victim.mirror_in(stage));
  TRY(write_file(stage.rootfs() + victim.file(), Victim::text));
  TRY(make_link(victim.file(), stage.path("dev") + "/link"));
  add_mount(stage, "/dev", "bind", stage.path("dev"), {"rbind"});
  std::vector<std::string> probes;
  for (unsigned i = 0; i < places; ++i) {
    const std::string name = fmt::format("/work/secret{}", i);
    TRY(write_file(stage.rootfs() + name, "secret\n"));
    stage.config.set("/linux/maskedPaths/-", name);
    probes.push_back("read:" + name);
  }
  stage.inside("observe", probes);
  const Exchanger exchanger = TRY(Exchanger::start({{stage.path("dev") + "/null", stage.path("dev") + "/link"}}));
  return repeat(stage, victim, places, [](const Tree &seen) -> Verdict {
    for (unsigned i = 0; i < places; ++i) {
      if (probe_errno(seen, i) != 0 || probe_value(seen, i)->text().empty()) continue;
      return miss(fmt::format("a masked path shows \"{}\"", probe_value(seen, i)->text()));
    }
    return {};
  });
}

struct NodeNumber {
  std::string_view name;
  unsigned major;
  unsigned minor;
};

// The nodes of the image's own /dev, without a mount there, each exchanged for a link to a file of the host.
Verdict node(Stage &stage) {
  constexpr std::array<NodeNumber, 6> nodes = {
      {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}};
  const Victim victim = TRY(Victim::make(stage));
  leave_dev_to_the_image(stage);
  std::vector<NamePair> pairs;
  for (const NodeNumber &node : nodes) {
    const std::string path = fmt::format("{}/dev/{}", stage.rootfs(), node.name);
    TRY(kernel::mknodat(kernel::cwd, path, S_IFCHR | 0666, makedev(node.major, node.minor)));
    TRY(make_link(victim.file(), path + "-link"));
    pairs.push_back({path, path + "-link"});
  }
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1000})"_json);
  const Exchanger exchanger = TRY(Exchanger::start(pairs));
  return repeat(stage, victim, nodes.size(), nothing_more);
}

Verdict console(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(make_directory(stage.path("dev")));
  TRY(write_file(stage.path("dev") + "/console", ""));
  TRY(make_link(victim.file(), stage.path("dev") + "/link"));
  leave_dev_to_the_image(stage);
  add_mount(stage, "/dev", "bind", stage.path("dev"), {"rbind"});
  add_mount(stage, "/dev/pts", "devpts", "devpts", {"newinstance", "ptmxmode=0666"});
  stage.config.set("/process/user", R"({"uid": 1000, "gid": 1000})"_json);
  stage.inside("observe", {"create:/dev/console: "});
  const Exchanger exchanger = TRY(Exchanger::start({{stage.path("dev") + "/console", stage.path("dev") + "/link"}}));
  while (stage.tries() < stage.wanted_tries()) {
    // A runtime may refuse before or after the terminal is sent: only the victim counts.
    const Result<std::optional<Tree>> seen = attempt_on_terminal(stage);
    stage.count_tries(1);
    TRY(end_attempt(stage));
    TRY(victim.untouched());
    if (seen) stage.note(fmt::format("{} tries", stage.tries()));
  }
  return {};
}

// Of the procfs that is mounted on what /proc is at that instant, the masks must be on the same.
Verdict proc(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  TRY(victim.mirror_in(stage));
  TRY(make_link(victim.directory(), stage.rootfs() + "/link"));
  stage.config.set("/linux/readonlyPaths", R"(["/proc/sys"])"_json);
  const Exchanger exchanger = TRY(Exchanger::start({{stage.rootfs() + "/proc", stage.rootfs() + "/link"}}));
  return repeat(stage, victim, 1, [](const Tree &seen) -> Verdict {
    // By what they show: their places change from one line of mountinfo to the next.
    bool mounted = false;
    bool covered = false;
    for (const Tree::Member &mount : seen.find("/mounts")->members()) {
      if (mount.value.text("/type") != "proc") continue;
      mounted = mounted || mount.value.text("/root") == "/";
      covered = covered || (mount.value.text("/root") == "/sys" && has_option(mount.value.text("/options"), "ro"));
    }
    if (mounted && !covered) return miss("the procfs of the container has a writable sys");
    return {};
  });
}

Verdict expect_not_in_victim(const Tree &seen) {
  if (probe_errno(seen, 0) == 0) return miss("the program works in a directory of the host");
  return {};
}

// One container, and what is executed in it: each enters the directory once.
Verdict enter_again_and_again(Stage &stage, Rounds &rounds) {
  const std::vector<std::string> words = {"exec", "--cwd", "/work/here", stage.id(), "/inside", "observe", "read:file"};
  const Result<std::optional<Tree>> result = attempt(stage);
  stage.count_tries(1);
  if (const Tree *seen = rounds.count(result)) {
    TRY(expect_not_in_victim(*seen));
    for (unsigned i = 1; i < places; ++i) {
      const Outcome outcome = TRY(stage.call(words));
      if (outcome.code == 0) TRY(expect_not_in_victim(TRY(Tree::parse(outcome.out))));
      stage.count_tries(1);
    }
  }
  TRY(end_attempt(stage));
  return {};
}

// The working directory is a directory of the rootfs, or a link to what the runtime's caller has leaked.
Verdict cwd(Stage &stage) {
  const Victim victim = TRY(Victim::make(stage));
  const int leaked = TRY(leak_directory(victim.directory()));
  TRY(make_directory(stage.rootfs() + "/work/here"));
  TRY(make_link(fmt::format("/proc/self/fd/{}", leaked), stage.rootfs() + "/work/link"));
  stage.config.set("/process/cwd", "/work/here");
  stage.inside("wait", {"read:file"});
  const Exchanger exchanger = TRY(Exchanger::start({{stage.rootfs() + "/work/here", stage.rootfs() + "/work/link"}}));
  Rounds rounds;
  while (stage.tries() < stage.wanted_tries()) TRY(enter_again_and_again(stage, rounds));
  return rounds.verdict(stage);
}

constexpr Case table[] = {
    {"race/a-mount-target", "CVE-2021-30465", target},
    {"race/a-parent-of-missing-targets", "CVE-2024-45310", missing_target},
    {"race/a-directory-of-the-rootfs", "CVE-2021-30465 CVE-2024-45310", component},
    {"race/a-parent-of-devices", "CVE-2026-47766", device},
    {"race/the-null-device-of-masks", "CVE-2025-31133", mask},
    {"race/a-device-of-the-image", "CVE-2026-88265", node},
    {"race/the-console", "CVE-2025-52565 CVE-2026-88264", console},
    {"race/proc", "CVE-2019-19921 CVE-2023-27561", proc},
    {"race/the-working-directory", "CVE-2024-21626", cwd},
};

}  // namespace

std::span<const Case> race_attacks() { return table; }

}  // namespace skiff::conformance
