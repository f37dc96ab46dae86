// config.md, Linux mount options: every option that a runtime MUST know, one case each.
#include <errno.h>
#include <fmt/format.h>
#include <sys/mount.h>

#include "conformance/cases/tables.h"
#include "conformance/leavings.h"
#include "conformance/stage.h"
#include "runtime/kernel/mount.h"

namespace skiff::conformance {
namespace {

struct Parts {
  std::vector<std::string> options;
  std::vector<std::string> signs;  // "noexec": the mount shows it; "!noexec": it does not
};

// "noexec,exec -> !noexec": the later of two options that contradict each other counts, as in mount(8).
Parts parse_variant(std::string_view text) {
  Parts parts;
  std::vector<std::string> *into = &parts.options;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find_first_of(", "));
    if (word == "->") {
      into = &parts.signs;
    } else if (!word.empty()) {
      into->emplace_back(word);
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return parts;
}

Tree make_mount(std::string_view destination, std::string_view type, const std::vector<std::string> &options) {
  Tree mount;
  mount.set("/destination", std::string(destination));
  mount.set("/type", std::string(type));
  mount.set("/source", "conformance");
  for (const std::string &option : options) mount.set("/options/-", option);
  return mount;
}

Verdict expect_signs(const Tree *mount, const std::vector<std::string> &signs) {
  if (mount == nullptr) return miss("the mount is not there");
  const std::string shown = mount->text("/options") + "," + mount->text("/super");
  for (std::string_view sign : signs) {
    const bool wanted = !sign.starts_with('!');
    if (!wanted) sign.remove_prefix(1);
    TRY(expect(has_option(shown, sign) == wanted, "the options of the mount",
               fmt::format("{} {}", wanted ? "with" : "without", sign), shown));
  }
  return {};
}

Verdict option(Stage &stage) {
  const auto [options, signs] = parse_variant(stage.variant());
  stage.config.set("/mounts/-", make_mount("/work", "tmpfs", options));
  return expect_signs(mount_at(TRY(stage.observed()), "/work"), signs);
}

Verdict remount(Stage &stage) {
  stage.config.set("/mounts/-", make_mount("/work", "tmpfs", {"nosuid"}));
  stage.config.set("/mounts/-", make_mount("/work", "tmpfs", {"remount", "nosuid", "ro"}));
  const Tree seen = TRY(stage.observed());
  TRY(expect_signs(mount_at(seen, "/work"), {"ro"}));
  int count = 0;
  for (const Tree::Member &mount : seen.find("/mounts")->members()) {
    count += mount.value.text("/destination") == "/work" ? 1 : 0;
  }
  return expect_number("the mounts on /work", count, 1);
}

// Binds a directory that has a mount below it.
Result<Tree> bind(Stage &stage, const std::vector<std::string> &options) {
  const std::string source = stage.path("source");
  TRY(make_directory(source));
  // A mount of its own: runtimes may make the one that the rootfs is on private before they bind.
  TRY(kernel::mount("source", source, "tmpfs", 0));
  TRY(make_directory(source + "/below"));
  TRY(kernel::mount("below", source + "/below", "tmpfs", 0));
  TRY(write_file(source + "/below/file", "below"));
  TRY(write_file(source + "/file", "source"));
  Tree mount = make_mount("/work", "bind", options);
  mount.set("/source", source);
  stage.config.set("/mounts/-", std::move(mount));
  stage.inside("observe", {"read:/work/file", "list:/work/below", "write:/work/file:x", "write:/work/below/file:x"});
  Tree seen = TRY(stage.observed());
  TRY(kernel::umount2(source, MNT_DETACH));
  return seen;
}

Verdict plain_bind(Stage &stage) {
  const Tree seen = TRY(bind(stage, {"bind"}));
  TRY(expect_same("a file of the source", probe_value(seen, 0)->text(), "source"));
  return expect_same("what is below", seen.texts("/probes/1/value"), {});
}

Verdict recursive_bind(Stage &stage) {
  const Tree seen = TRY(bind(stage, {"rbind"}));
  TRY(expect_same("a file of the source", probe_value(seen, 0)->text(), "source"));
  return expect_same("what is below", seen.texts("/probes/1/value"), {"file"});
}

Verdict readonly_bind(Stage &stage) {
  const Tree seen = TRY(bind(stage, {"bind", "ro"}));
  return expect_number("errno of a write to the bound file", probe_errno(seen, 2), EROFS);
}

// "rslave -> master !shared": what the mount shows of its propagation, and of a recursive option also the one below it.
Verdict propagation(Stage &stage) {
  const auto [options, signs] = parse_variant(stage.variant());
  const bool recursive = options.front().starts_with('r');
  const Tree seen = TRY(bind(stage, {recursive ? "rbind" : "bind", options.front()}));
  for (const std::string_view place : {"/work", "/work/below"}) {
    if (place != "/work" && !recursive) break;
    const Tree *mount = mount_at(seen, place);
    if (mount == nullptr) return miss(fmt::format("no mount on {}", place));
    const std::string shown = mount->text("/propagation");
    for (std::string_view sign : signs) {
      const bool wanted = !sign.starts_with('!');
      if (!wanted) sign.remove_prefix(1);
      TRY(expect((shown.find(sign) != std::string::npos) == wanted, fmt::format("the propagation of {}", place),
                 fmt::format("{} {}", wanted ? "with" : "without", sign), shown));
    }
  }
  return {};
}

Verdict noexec(Stage &stage) {
  TRY(make_directory(stage.path("source")));
  TRY(write_file(stage.path("source") + "/program", TRY(read_file(stage.program())), 0755));
  Tree mount = make_mount("/work", "bind", {"bind", "noexec"});
  mount.set("/source", stage.path("source"));
  stage.config.set("/mounts/-", std::move(mount));
  stage.inside("observe", {"exec:/work/program:exit:7"});
  return expect_same("the exit status of a program on it", probe_value(TRY(stage.observed()), 0)->text(), "126");
}

Verdict nodev(Stage &stage) {
  stage.config.set("/mounts/-", make_mount("/work", "tmpfs", {"nodev"}));
  stage.config.set("/linux/devices",
                   R"([{"path": "/work/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438}])"_json);
  stage.inside("observe", {"write:/work/null:x"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_signs(mount_at(seen, "/work"), {"nodev"}));
  return expect_number("errno of a write to a device on it", probe_errno(seen, 0), EACCES);
}

constexpr Case table[] = {
    {"mount-options/async", "config.mounts.option.async", option, "sync,async -> !sync"},
    {"mount-options/atime", "config.mounts.option.atime", option, "noatime,atime -> !noatime"},
    {"mount-options/bind", "config.mounts.option.bind", plain_bind},
    {"mount-options/bind-ro", "config.mounts.option.bind config.mounts.option.ro", readonly_bind},
    {"mount-options/defaults", "config.mounts.option.defaults", option, "defaults -> rw !nosuid !nodev !noexec"},
    {"mount-options/dev", "config.mounts.option.dev", option, "nodev,dev -> !nodev"},
    {"mount-options/diratime", "config.mounts.option.diratime", option, "nodiratime,diratime -> !nodiratime"},
    {"mount-options/dirsync", "config.mounts.option.dirsync", option, "dirsync -> dirsync"},
    {"mount-options/exec", "config.mounts.option.exec", option, "noexec,exec -> !noexec"},
    // The kernel shows neither the flag nor its absence.
    {"mount-options/iversion", "config.mounts.option.iversion", option, "iversion -> rw"},
    {"mount-options/lazytime", "config.mounts.option.lazytime", option, "lazytime -> lazytime"},
    {"mount-options/loud", "config.mounts.option.loud", option, "silent,loud -> rw"},
    {"mount-options/noatime", "config.mounts.option.noatime", option, "noatime -> noatime"},
    {"mount-options/nodev", "config.mounts.option.nodev", nodev},
    {"mount-options/nodiratime", "config.mounts.option.nodiratime", option, "nodiratime -> nodiratime"},
    {"mount-options/noexec", "config.mounts.option.noexec", noexec},
    {"mount-options/noiversion", "config.mounts.option.noiversion", option, "iversion,noiversion -> rw"},
    {"mount-options/nolazytime", "config.mounts.option.nolazytime", option, "lazytime,nolazytime -> !lazytime"},
    {"mount-options/norelatime", "config.mounts.option.norelatime", option, "relatime,norelatime -> !noatime"},
    {"mount-options/nostrictatime", "config.mounts.option.nostrictatime", option,
     "strictatime,nostrictatime -> relatime"},
    {"mount-options/nosuid", "config.mounts.option.nosuid", option, "nosuid -> nosuid"},
    {"mount-options/private", "config.mounts.option.private", propagation, "private -> !shared !master !unbindable"},
    {"mount-options/rbind", "config.mounts.option.rbind", recursive_bind},
    {"mount-options/relatime", "config.mounts.option.relatime", option, "relatime -> relatime"},
    {"mount-options/remount", "config.mounts.option.remount", remount},
    {"mount-options/ro", "config.mounts.option.ro", option, "ro -> ro"},
    {"mount-options/rprivate", "config.mounts.option.rprivate", propagation, "rprivate -> !shared !master !unbindable"},
    {"mount-options/rshared", "config.mounts.option.rshared", propagation, "rshared -> shared"},
    {"mount-options/rslave", "config.mounts.option.rslave", propagation, "rslave -> master !shared"},
    {"mount-options/runbindable", "config.mounts.option.runbindable", propagation, "runbindable -> unbindable"},
    {"mount-options/rw", "config.mounts.option.rw", option, "ro,rw -> rw !ro"},
    {"mount-options/shared", "config.mounts.option.shared", propagation, "shared -> shared"},
    {"mount-options/silent", "config.mounts.option.silent", option, "silent -> rw"},
    {"mount-options/slave", "config.mounts.option.slave", propagation, "slave -> master !shared"},
    {"mount-options/strictatime", "config.mounts.option.strictatime", option, "strictatime -> !relatime !noatime"},
    {"mount-options/suid", "config.mounts.option.suid", option, "nosuid,suid -> !nosuid"},
    {"mount-options/sync", "config.mounts.option.sync", option, "sync -> sync"},
    {"mount-options/unbindable", "config.mounts.option.unbindable", propagation, "unbindable -> unbindable"},
};

}  // namespace

std::span<const Case> mount_option_cases() { return table; }

}  // namespace skiff::conformance
