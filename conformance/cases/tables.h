// One table a topic, each in its own file.
#pragma once

#include <span>
#include <vector>

#include "conformance/case.h"

namespace skiff::conformance {

[[nodiscard]] std::span<const Case> annotation_cases();
[[nodiscard]] std::span<const Case> capability_cases();
[[nodiscard]] std::span<const Case> cgroup_cases();
[[nodiscard]] std::span<const Case> create_cases();
[[nodiscard]] std::span<const Case> device_cases();
[[nodiscard]] std::span<const Case> hook_cases();
[[nodiscard]] std::span<const Case> hook_failure_cases();
[[nodiscard]] std::span<const Case> idmap_cases();
[[nodiscard]] std::span<const Case> lifecycle_cases();
[[nodiscard]] std::span<const Case> linux_cases();
[[nodiscard]] std::span<const Case> listener_cases();
[[nodiscard]] std::span<const Case> mount_cases();
[[nodiscard]] std::span<const Case> mount_option_cases();
[[nodiscard]] std::span<const Case> namespace_cases();
[[nodiscard]] std::span<const Case> net_device_cases();
[[nodiscard]] std::span<const Case> path_cases();
[[nodiscard]] std::span<const Case> process_cases();
[[nodiscard]] std::span<const Case> resource_cases();
[[nodiscard]] std::span<const Case> rlimit_cases();
[[nodiscard]] std::span<const Case> root_cases();
[[nodiscard]] std::span<const Case> seccomp_cases();
[[nodiscard]] std::span<const Case> state_cases();
[[nodiscard]] std::span<const Case> terminal_cases();
[[nodiscard]] std::span<const Case> value_cases();

[[nodiscard]] std::vector<std::span<const Case>> case_tables();

}  // namespace skiff::conformance
