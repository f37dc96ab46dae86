#include "runtime/features.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <ranges>

#include "runtime/bpf.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/plan_annotations.h"
#include "runtime/plan_mounts.h"
#include "runtime/plan_process.h"
#include "runtime/version.h"

namespace skiff {
namespace {

template <class Names>
std::vector<std::string> strings(const Names &names) {
  return {std::ranges::begin(names), std::ranges::end(names)};
}

// Of the flags that the runtime knows those that this kernel takes.
std::vector<std::string> supported_seccomp_flags() {
  std::vector<std::string> names;
  for (const std::string_view name : spec::seccomp_flag_names) {
    const std::uint32_t flag = seccomp_flag(name).value_or(0);
    // This one the kernel takes with a listener only (Linux 5.19).
    const bool with_listener = flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    if (kernel::seccomp_has_flags(flag | (with_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U))) {
      names.emplace_back(name);
    }
  }
  return names;
}

spec::Features::Seccomp make_seccomp_features() {
  return {.enabled = true,
          .actions = strings(spec::seccomp_action_names),
          .operators = strings(spec::seccomp_operator_names),
          .archs = strings(spec::seccomp_architecture_names),
          .known_flags = strings(spec::seccomp_flag_names),
          .supported_flags = supported_seccomp_flags()};
}

// Engines look for runc's keys; the versions under them are what they would compare with runc's, so only the switch.
spec::StringMap make_annotations() {
  spec::StringMap annotations = {{"org.opencontainers.runc.checkpoint.enabled", "true"},
                                 {"org.opencontainers.skiff.commit", SKIFF_COMMIT},
                                 {"org.opencontainers.skiff.version", SKIFF_VERSION}};
  if (const scmp_version *library = seccomp_version()) {
    annotations["io.github.seccomp.libseccomp.version"] =
        fmt::format("{}.{}.{}", library->major, library->minor, library->micro);
  }
  return annotations;
}

}  // namespace

spec::Features make_features() {
  spec::Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = SKIFF_SPEC_VERSION;
  features.hooks = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
  features.mount_options = strings(known_mount_options());
  features.namespaces = strings(spec::namespace_type_names);
  std::ranges::sort(features.namespaces);
  features.capabilities = strings(known_capabilities());
  features.cgroup = {.v1 = true, .v2 = true, .systemd = true, .systemd_user = true, .rdma = true};
  features.seccomp = make_seccomp_features();
  features.apparmor = true;
  features.selinux = true;
  features.intel_rdt = {.enabled = true, .schemata = true, .monitoring = true};
  features.memory_policy.modes = strings(spec::memory_policy_mode_names);
  features.memory_policy.flags = strings(spec::memory_policy_flag_names);
  features.idmap = true;
  features.net_devices = true;
  features.annotations = make_annotations();
  features.potentially_unsafe_config_annotations = strings(annotation::honoured);
  return features;
}

}  // namespace skiff
