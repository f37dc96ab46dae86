// The containers that are started: each config is skiff spec's default without a terminal, and one thing more.
#pragma once

#include <string>
#include <string_view>

#include "spec/config.h"

namespace skiff::bench {

enum class Bundle : std::uint8_t {
  passing,         // /bin/true
  resident,        // sleeps
  seccomp,         // /bin/true, as are all below, with an engine's default seccomp profile
  user_namespace,  // of its own, with 65536 ids
  bind_mounts,     // forty, read-only
  joining,         // the network, IPC and UTS namespaces of a resident, as the second container of a pod does
};

inline constexpr int bind_mount_count = 40;

// Where a container is to find things.
struct Surroundings {
  std::string rootfs;
  std::string volumes;             // a directory with the sources of the bind mounts: 0, 1...
  std::string cgroup;              // linux.cgroupsPath
  int resident = 0;                // the process whose namespaces are joined
  std::uint64_t memory_limit = 0;  // bytes; 0: none
};

// Also the bundle's directory.
[[nodiscard]] std::string_view name_of(Bundle bundle);

[[nodiscard]] spec::Config make_config(Bundle bundle, const Surroundings &where);

}  // namespace skiff::bench
