#include "conformance/cases/tables.h"

namespace skiff::conformance {

std::vector<std::span<const Case>> case_tables() {
  return {lifecycle_cases(), state_cases(),      create_cases(),       root_cases(),       process_cases(),
          rlimit_cases(),    capability_cases(), terminal_cases(),     mount_cases(),      mount_option_cases(),
          idmap_cases(),     hook_cases(),       hook_failure_cases(), annotation_cases(), value_cases(),
          namespace_cases(), device_cases(),     net_device_cases(),   cgroup_cases(),     resource_cases(),
          linux_cases(),     path_cases(),       seccomp_cases(),      listener_cases()};
}

}  // namespace skiff::conformance
