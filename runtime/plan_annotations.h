// The annotations of config.json that change what the runtime does. Engines warn of them, or refuse them from users
// they do not trust: `features` lists them as potentiallyUnsafeConfigAnnotations (features.md).
#pragma once

#include <array>
#include <string_view>

#include "spec/config.h"

namespace skiff::annotation {

// The process keeps the supplementary groups of the runtime's caller (Podman's --group-add keep-groups).
inline constexpr std::string_view keep_original_groups = "run.oci.keep_original_groups";

// Which mount option carries linux.mountLabel: "context" by default, or fscontext, defcontext, rootcontext (mount(8)).
inline constexpr std::string_view mount_context_type = "run.oci.mount_context_type";

// Files that the hooks' output is appended to, on the host whatever namespace a hook runs in (Podman's hooks_stdout).
inline constexpr std::string_view hooks_stdout = "run.oci.hooks.stdout";
inline constexpr std::string_view hooks_stderr = "run.oci.hooks.stderr";

// A property of the container's scope, with systemd's driver: its name follows.
inline constexpr std::string_view systemd_property = "org.systemd.property.";

// A file of settings for CRIU, which count more than what is asked of checkpoint and restore.
inline constexpr std::string_view criu_config = "org.criu.config";

// Each of the above, for `features`. One that ends in a dot stands for every annotation that begins with it.
inline constexpr std::array honoured = {criu_config,  systemd_property,     hooks_stderr,
                                        hooks_stdout, keep_original_groups, mount_context_type};

// Whether an annotation that is a switch is on: there, and neither "0" nor "false".
[[nodiscard]] inline bool is_on(const spec::StringMap &annotations, std::string_view name) {
  const auto found = annotations.find(std::string(name));
  return found != annotations.end() && found->second != "0" && found->second != "false";
}

}  // namespace skiff::annotation
