#include "runtime/features.h"

#include <fmt/format.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <ranges>

#include "runtime/kernel/capability.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/plan_mounts.h"
#include "runtime/version.h"

namespace skiff {
namespace {

template <class Names>
std::vector<std::string> strings(const Names &names) {
  return {std::ranges::begin(names), std::ranges::end(names)};
}

// The flags of seccomp(2) that this kernel takes, of those that the runtime knows.
std::vector<std::string> supported_seccomp_flags() {
  std::vector<std::string> names;
  for (const auto &[name, flag] :
       {std::pair{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
        std::pair{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
        std::pair{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
        std::pair{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV}}) {
    const unsigned asked = flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
                               ? static_cast<unsigned>(flag | SECCOMP_FILTER_FLAG_NEW_LISTENER)
                               : static_cast<unsigned>(flag);
    if (kernel::seccomp_has_flags(asked)) names.emplace_back(name);
  }
  return names;
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
  for (int number = 0;
       number <= kernel::last_capability() && number < static_cast<int>(kernel::capability_names.size()); ++number) {
    features.capabilities.emplace_back(kernel::capability_names[static_cast<std::size_t>(number)]);
  }
  features.cgroup = {.v1 = true, .v2 = true, .systemd = false, .systemd_user = false, .rdma = true};
  features.seccomp.enabled = true;
  features.seccomp.actions = strings(spec::seccomp_action_names);
  features.seccomp.operators = strings(spec::seccomp_operator_names);
  features.seccomp.archs = strings(spec::seccomp_architecture_names);
  features.seccomp.known_flags = strings(spec::seccomp_flag_names);
  features.seccomp.supported_flags = supported_seccomp_flags();
  features.apparmor = true;
  features.selinux = true;
  features.memory_policy.modes = strings(spec::memory_policy_mode_names);
  features.memory_policy.flags = strings(spec::memory_policy_flag_names);
  features.idmap = true;
  features.net_devices = true;
  const scmp_version *library = seccomp_version();
  features.annotations = {
      {"io.github.seccomp.libseccomp.version",
       library == nullptr ? "" : fmt::format("{}.{}.{}", library->major, library->minor, library->micro)},
      {"org.opencontainers.skiff.commit", SKIFF_COMMIT},
      {"org.opencontainers.skiff.version", SKIFF_VERSION}};
  return features;
}

}  // namespace skiff
