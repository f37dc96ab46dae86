// What `features` claims is what the parser takes: features.md, features-linux.md.
#include "runtime/features.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/bpf.h"
#include "runtime/plan_annotations.h"
#include "runtime/plan_mounts.h"
#include "runtime/plan_process.h"

namespace skiff {
namespace {

using Strings = std::vector<std::string>;

// The findings on a member of `linux` beside a time and a user namespace.
Strings findings_on_linux(const std::string &member) {
  const spec::Parsed parsed =
      spec::parse_config(R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": ["a"]},
      "linux": {)" + member +
                         "}}");
  Strings texts;
  for (const spec::Finding &finding : spec::check(parsed)) texts.push_back(finding.message());
  return texts;
}

Strings with_seccomp(const std::string &members) {
  return findings_on_linux(R"("seccomp": {"defaultAction": "SCMP_ACT_ALLOW", )" + members + "}");
}

TEST(Features, MinAndMaxAreAcceptedAsOciVersion) {
  const spec::Features features = make_features();
  for (const std::string &version : {features.oci_version_min, features.oci_version_max}) {
    spec::Config config = spec::make_default_config();
    config.oci_version = version;
    EXPECT_TRUE(spec::check(config).empty()) << version;
  }
}

TEST(Features, EveryMountOptionIsTheRuntimesOwn) {
  for (const std::string &option : make_features().mount_options) {
    const spec::Mount mount{.destination = "/a",
                            .type = "bind",
                            .source = "/b",
                            .options = {option},
                            .uid_mappings = {{0, 0, 1}},
                            .gid_mappings = {{0, 0, 1}}};
    const spec::Linux linux_;
    const Result<MountStep> bind = make_mount_step(mount, {.bundle = "/", .user_namespace = false, .linux_ = &linux_});
    ASSERT_TRUE(bind) << option << bind.error().message();
    spec::Mount tmpfs = mount;
    tmpfs.type = "tmpfs";
    const Result<MountStep> made = make_mount_step(tmpfs, {.bundle = "/", .user_namespace = false, .linux_ = &linux_});
    ASSERT_TRUE(made) << option << made.error().message();
    EXPECT_TRUE(made->options.empty()) << option << " went to the filesystem";
  }
}

TEST(Features, NamesOfNamespacesHooksAndCapabilitiesAreParsed) {
  const spec::Features features = make_features();
  EXPECT_EQ(features.namespaces.size(), 8U);
  EXPECT_TRUE(std::ranges::is_sorted(features.namespaces));
  for (const std::string &name : features.namespaces) {
    EXPECT_TRUE(findings_on_linux(fmt::format(R"("namespaces": [{{"type": "{}"}}])", name)).empty() || name == "user");
  }
  EXPECT_EQ(features.hooks.size(), 6U);
  for (const std::string &name : features.hooks) {
    const std::string json = fmt::format(R"({{"ociVersion": "1.3.0", "hooks": {{"{}": [{{"path": 1}}]}}}})", name);
    EXPECT_FALSE(spec::parse_config(json).findings.empty()) << name << " is not read";
  }
  EXPECT_EQ(features.capabilities.size(), 41U);
  for (const std::string &name : features.capabilities) EXPECT_NE(parse_capability_bit(name), 0U) << name;
}

TEST(Features, EverythingOfSeccompIsParsed) {
  const spec::Features::Seccomp seccomp = make_features().seccomp;
  EXPECT_TRUE(seccomp.enabled);
  EXPECT_EQ(seccomp.actions.size(), spec::seccomp_action_names.size());
  for (const std::string &action : seccomp.actions) {
    const std::string listener = action == "SCMP_ACT_NOTIFY" ? R"("listenerPath": "/a", )" : "";
    const std::string rule =
        fmt::format(R"({}"syscalls": [{{"names": ["getsid"], "action": "{}"}}])", listener, action);
    EXPECT_EQ(with_seccomp(rule), Strings{});
  }
  for (const std::string &op : seccomp.operators) {
    EXPECT_EQ(with_seccomp(fmt::format(R"("syscalls": [{{"names": ["getsid"], "action": "SCMP_ACT_KILL",
                                          "args": [{{"index": 0, "value": 1, "op": "{}"}}]}}])",
                                       op)),
              Strings{});
  }
  for (const std::string &arch : seccomp.archs) {
    spec::Seccomp profile;
    profile.default_action = spec::SeccompAction::errno_;
    profile.architectures = {arch};
    EXPECT_EQ(with_seccomp(fmt::format(R"("architectures": ["{}"])", arch)), Strings{});
    EXPECT_TRUE(make_seccomp_program(profile)) << arch;
  }
}

TEST(Features, SupportedSeccompFlagsAreAmongTheKnownOnesWhichAreParsed) {
  const spec::Features::Seccomp seccomp = make_features().seccomp;
  for (const std::string &flag : seccomp.known_flags) {
    EXPECT_EQ(with_seccomp(fmt::format(R"("flags": ["{}"])", flag)), Strings{});
    EXPECT_TRUE(seccomp_flag(flag)) << flag;
  }
  for (const std::string &flag : seccomp.supported_flags) {
    EXPECT_NE(std::ranges::find(seccomp.known_flags, flag), seccomp.known_flags.end()) << flag;
  }
  // Linux 4.17, older than any that this runs on.
  EXPECT_NE(std::ranges::find(seccomp.supported_flags, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"),
            seccomp.supported_flags.end());
}

TEST(Features, MemoryPolicyNamesAreParsed) {
  const spec::Features::MemoryPolicy policy = make_features().memory_policy;
  EXPECT_EQ(policy.modes.size(), 7U);
  for (const std::string &mode : policy.modes) {
    const bool nodes = mode != "MPOL_DEFAULT" && mode != "MPOL_LOCAL";
    EXPECT_EQ(
        findings_on_linux(fmt::format(R"("memoryPolicy": {{"mode": "{}", "nodes": "{}"}})", mode, nodes ? "0" : "")),
        Strings{});
  }
  EXPECT_EQ(policy.flags.size(), 3U);
  for (const std::string &flag : policy.flags) {
    EXPECT_EQ(findings_on_linux(
                  fmt::format(R"("memoryPolicy": {{"mode": "MPOL_BIND", "nodes": "0", "flags": ["{}"]}})", flag)),
              Strings{});
  }
}

// features.md, "Unsafe annotations in config.json"
TEST(Features, UnsafeAnnotationsAreThoseThatAreHonoured) {
  const Strings unsafe = make_features().potentially_unsafe_config_annotations;
  EXPECT_EQ(unsafe, Strings(annotation::honoured.begin(), annotation::honoured.end()));
}

TEST(Features, AnnotationsNameTheVersionAtRunTime) {
  const spec::StringMap annotations = make_features().annotations;
  for (const char *name : {"io.github.seccomp.libseccomp.version", "org.opencontainers.skiff.version",
                           "org.opencontainers.runc.checkpoint.enabled"}) {
    ASSERT_TRUE(annotations.contains(name)) << name;
    EXPECT_FALSE(annotations.at(name).empty()) << name;
  }
  EXPECT_EQ(annotations.at("org.opencontainers.runc.checkpoint.enabled"), "true");
}

}  // namespace
}  // namespace skiff
