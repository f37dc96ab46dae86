// Who makes the cgroup: runc's --systemd-cgroup, and crun's --cgroup-manager, which says more and so counts more.
#pragma once

#include "runtime/cli/flags.h"

namespace skiff {

[[nodiscard]] inline bool wants_systemd_cgroup(const cli::Flags &global) {
  const std::string_view driver = global.string("cgroup-manager");
  return driver.empty() ? global.boolean("systemd-cgroup") : driver == "systemd";
}

}  // namespace skiff
