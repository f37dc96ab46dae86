#include "spec/features.h"

#include "spec/reader.h"
#include "spec/writer.h"

namespace skiff::spec {

namespace {

// features-linux.md keeps most switches one level down: {"enabled": true}.
struct Enabled {
  bool enabled;
};
struct MountExtensions {
  Enabled idmap;
};
struct LinuxFeatures {
  const Features *features;
};

void fields(Writer &v, const Enabled &value) { v.always("enabled", value.enabled); }

void fields(Writer &v, const MountExtensions &value) { v.always("idmap", value.idmap); }

void fields(Writer &v, const LinuxFeatures &value) {
  const Features &features = *value.features;
  v.optional("namespaces", features.namespaces);
  v.optional("capabilities", features.capabilities);
  v.always("cgroup", features.cgroup);
  v.always("seccomp", features.seccomp);
  v.always("apparmor", Enabled{features.apparmor});
  v.always("selinux", Enabled{features.selinux});
  v.always("intelRdt", features.intel_rdt);
  v.optional("memoryPolicy", features.memory_policy);
  v.always("mountExtensions", MountExtensions{{features.idmap}});
  v.always("netDevices", Enabled{features.net_devices});
}

}  // namespace

static void fields(Writer &v, const Features::Cgroup &cgroup) {
  v.always("v1", cgroup.v1);
  v.always("v2", cgroup.v2);
  v.always("systemd", cgroup.systemd);
  v.always("systemdUser", cgroup.systemd_user);
  v.always("rdma", cgroup.rdma);
}

static void fields(Writer &v, const Features::Seccomp &seccomp) {
  v.always("enabled", seccomp.enabled);
  v.optional("actions", seccomp.actions);
  v.optional("operators", seccomp.operators);
  v.optional("archs", seccomp.archs);
  v.optional("knownFlags", seccomp.known_flags);
  v.optional("supportedFlags", seccomp.supported_flags);
}

static void fields(Writer &v, const Features::IntelRdt &rdt) {
  v.always("enabled", rdt.enabled);
  v.always("schemata", rdt.schemata);
  v.always("monitoring", rdt.monitoring);
}

static void fields(Writer &v, const Features::MemoryPolicy &policy) {
  v.optional("modes", policy.modes);
  v.optional("flags", policy.flags);
}

static void fields(Writer &v, const Features &features) {
  v.always("ociVersionMin", features.oci_version_min);
  v.always("ociVersionMax", features.oci_version_max);
  v.optional("hooks", features.hooks);
  v.optional("mountOptions", features.mount_options);
  v.always("linux", LinuxFeatures{&features});
  v.optional("annotations", features.annotations);
  v.optional("potentiallyUnsafeConfigAnnotations", features.potentially_unsafe_config_annotations);
}

std::string print_features(const Features &features) { return Writer("    ").document(features) + "\n"; }

}  // namespace skiff::spec
