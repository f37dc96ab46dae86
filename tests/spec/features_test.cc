#include "spec/features.h"

#include <gtest/gtest.h>

namespace skiff::spec {

namespace {

// features.md and features-linux.md
TEST(Features, PrintsEverySwitchUnderItsName) {
  Features features;
  features.oci_version_min = "1.0.0";
  features.oci_version_max = "1.3.0";
  features.hooks = {"prestart"};
  features.mount_options = {"rro"};
  features.namespaces = {"user"};
  features.capabilities = {"CAP_CHOWN"};
  features.cgroup.systemd_user = true;
  features.seccomp.enabled = true;
  features.seccomp.known_flags = {"SECCOMP_FILTER_FLAG_LOG"};
  features.memory_policy.modes = {"MPOL_BIND"};
  features.idmap = true;
  features.annotations = {{"a", "b"}};
  features.potentially_unsafe_config_annotations = {"bundle"};
  EXPECT_EQ(print_features(features), R"({
    "ociVersionMin": "1.0.0",
    "ociVersionMax": "1.3.0",
    "hooks": [
        "prestart"
    ],
    "mountOptions": [
        "rro"
    ],
    "linux": {
        "namespaces": [
            "user"
        ],
        "capabilities": [
            "CAP_CHOWN"
        ],
        "cgroup": {
            "v1": false,
            "v2": false,
            "systemd": false,
            "systemdUser": true,
            "rdma": false
        },
        "seccomp": {
            "enabled": true,
            "knownFlags": [
                "SECCOMP_FILTER_FLAG_LOG"
            ]
        },
        "apparmor": {
            "enabled": false
        },
        "selinux": {
            "enabled": false
        },
        "intelRdt": {
            "enabled": false,
            "schemata": false,
            "monitoring": false
        },
        "memoryPolicy": {
            "modes": [
                "MPOL_BIND"
            ]
        },
        "mountExtensions": {
            "idmap": {
                "enabled": true
            }
        },
        "netDevices": {
            "enabled": false
        }
    },
    "annotations": {
        "a": "b"
    },
    "potentiallyUnsafeConfigAnnotations": [
        "bundle"
    ]
}
)");
}

}  // namespace

}  // namespace skiff::spec
