#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "spec/check.h"

namespace skiff::spec {

namespace {

constexpr std::array<std::string_view, 8> propagation_options = {"private", "rprivate", "shared",     "rshared",
                                                                 "slave",   "rslave",   "unbindable", "runbindable"};

bool has_option(const Mount &mount, std::string_view option) {
  return std::ranges::find(mount.options, option) != mount.options.end();
}

bool is_bind(const Mount &mount) { return has_option(mount, "bind") || has_option(mount, "rbind"); }

// A remount and a change of propagation act on what is there already.
bool changes_only(const Mount &mount) {
  return has_option(mount, "remount") || std::ranges::any_of(mount.options, [](const std::string &o) {
           return find_name(propagation_options, o).has_value();
         });
}

void check_mount_mappings(Checker &c, const Place &at, const Mount &mount, const Linux &linux_) {
  const bool uids = !mount.uid_mappings.empty();
  const bool gids = !mount.gid_mappings.empty();
  if (uids && !gids) c.add(at / "gidMappings", "is required beside uidMappings");
  if (gids && !uids) c.add(at / "uidMappings", "is required beside gidMappings");
  check_id_mappings(c, at / "uidMappings", mount.uid_mappings);
  check_id_mappings(c, at / "gidMappings", mount.gid_mappings);
  c.clause("config.md, Linux mount options");
  if (uids || gids || linux_.find(NamespaceType::user) != nullptr || c.doubtful(Place("/linux/namespaces"))) return;
  for (std::size_t i = 0; i < mount.options.size(); ++i) {
    if (mount.options[i] != "idmap" && mount.options[i] != "ridmap") continue;
    c.add(at / "options" / i,
          fmt::format("{} without mappings: there is no user namespace to take them from", mount.options[i]),
          "add uidMappings and gidMappings to the mount");
  }
}

// config.md, Mounts: a relative destination is deprecated and means relative to "/", so it is no finding.
void check_mount(Checker &c, const Place &at, const Mount &mount, const Linux &linux_) {
  c.clause("config.md, Mounts");
  c.present(at / "destination", mount.destination);
  if (is_bind(mount) || mount.type == "bind") {
    if (mount.source.empty() && !changes_only(mount)) {
      c.add(at / "source", "is required by a bind mount", "name the file or directory on the host");
    }
  } else if (mount.type.empty() && !changes_only(mount) && !c.doubtful(at / "options")) {
    c.add(at / "type", "is required where neither bind nor rbind is among the options",
          mount.source.starts_with('/') ? "add the option rbind" : "name the filesystem, as in \"tmpfs\"");
  }
  c.clause("config.md, POSIX-platform Mounts");
  check_mount_mappings(c, at, mount, linux_);
}

void check_hook_list(Checker &c, const Place &at, const std::vector<Hook> &hooks) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const Place here = at / i;
    c.absolute(here / "path", hooks[i].path);
    check_environment(c, here / "env", hooks[i].env);
    if (hooks[i].timeout && *hooks[i].timeout <= 0) {
      c.add(here / "timeout", fmt::format("{} is not greater than zero", *hooks[i].timeout),
            "leave it out for no timeout");
    }
  }
}

}  // namespace

void check_mounts(Checker &c, const Place &at, const Config &config) {
  for (std::size_t i = 0; i < config.mounts.size(); ++i) check_mount(c, at / i, config.mounts[i], config.linux_);
}

void check_hooks(Checker &c, const Place &at, const Hooks &hooks) {
  c.clause("config.md, POSIX-platform Hooks");
  check_hook_list(c, at / "prestart", hooks.prestart);
  check_hook_list(c, at / "createRuntime", hooks.create_runtime);
  check_hook_list(c, at / "createContainer", hooks.create_container);
  check_hook_list(c, at / "startContainer", hooks.start_container);
  check_hook_list(c, at / "poststart", hooks.poststart);
  check_hook_list(c, at / "poststop", hooks.poststop);
}

}  // namespace skiff::spec
