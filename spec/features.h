// runtime-spec 1.3.0, features.md: what this runtime supports, for `skiff features`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "spec/config.h"

namespace skiff::spec {

struct Features {
  std::string oci_version_min;
  std::string oci_version_max;
  std::vector<std::string> hooks;
  std::vector<std::string> mount_options;
  std::vector<std::string> namespaces;
  std::vector<std::string> capabilities;
  struct Cgroup {
    bool v1 = false, v2 = false, systemd = false, systemd_user = false, rdma = false;
  } cgroup;
  struct Seccomp {
    bool enabled = false;
    std::vector<std::string> actions, operators, archs, known_flags, supported_flags;
  } seccomp;
  bool apparmor = false;
  bool selinux = false;
  struct IntelRdt {
    bool enabled = false, schemata = false, monitoring = false;
  } intel_rdt;
  struct MemoryPolicy {
    std::vector<std::string> modes, flags;
  } memory_policy;
  bool idmap = false;        // linux.mountExtensions.idmap.enabled
  bool net_devices = false;  // linux.netDevices.enabled
  StringMap annotations;
  std::vector<std::string> potentially_unsafe_config_annotations;
};
[[nodiscard]] std::string print_features(const Features &features);  // indented by four spaces, ends with a newline

}  // namespace skiff::spec
