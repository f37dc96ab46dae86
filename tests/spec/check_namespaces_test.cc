#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> with_namespaces(std::string_view namespaces, std::string_view linux_members = "",
                                     std::string_view members = "") {
  return findings_of(config_with(
      join("\"linux\": {" + join("\"namespaces\": [" + std::string(namespaces) + "]", linux_members) + "}", members)));
}

constexpr std::string_view one_mapping = R"([{"containerID": 0, "hostID": 1000, "size": 1}])";

std::string mappings(std::string_view uids, std::string_view gids) {
  return "\"uidMappings\": " + std::string(uids) + ", \"gidMappings\": " + std::string(gids);
}

// config-linux.md, Namespaces
TEST(CheckNamespaces, EachTypeIsGivenOnce) {
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "pid"}, {"type": "mount"}, {"type": "pid"})"),
                           "/linux/namespaces/2/type", "pid is given twice"));
}

TEST(CheckNamespaces, APathIsAbsolute) {
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "pid", "path": ""})")));
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "pid", "path": "ns/pid"})"), "/linux/namespaces/0/path",
                           "relative path"));
}

TEST(CheckNamespaces, AnEntryHasAType) {
  EXPECT_TRUE(
      only_finding(with_namespaces(R"({"path": "/proc/1/ns/pid"})"), "/linux/namespaces/0/type", "is required"));
}

// config.md, Hostname and Domainname
TEST(CheckNamespaces, HostNamesNeedAUtsNamespace) {
  EXPECT_TRUE(only_finding(with_namespaces("", "", R"("hostname": "h")"), "/hostname", "without a uts namespace"));
  EXPECT_TRUE(only_finding(with_namespaces("", "", R"("domainname": "h")"), "/domainname", "without a uts namespace"));
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "uts", "path": "/x"})", "", R"("hostname": "h")")));
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "uts"})", "", "\"hostname\": \"" + std::string(65, 'h') + "\""),
                           "/hostname", "65 characters"));
}

TEST(CheckNamespaces, WhatHidesPartsOfTheHostNeedsAMountNamespaceAndWhatAUserNamespaceMounts) {
  const char *mounts = R"("mounts": [{"destination": "/a", "type": "tmpfs"}])";
  EXPECT_TRUE(no_finding(with_namespaces("", "", mounts)));
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "user", "path": "/x"})", "", mounts), "/mounts",
                           "without a mount namespace"));
  EXPECT_TRUE(only_finding(with_namespaces("", R"("maskedPaths": ["/a"])"), "/linux/maskedPaths", "mount namespace"));
  EXPECT_TRUE(
      only_finding(with_namespaces("", R"("readonlyPaths": ["/a"])"), "/linux/readonlyPaths", "mount namespace"));
}

// config-linux.md, User namespace mappings
TEST(CheckNamespaces, ANewUserNamespaceNeedsMappings) {
  const auto findings = with_namespaces(R"({"type": "user"})");
  ASSERT_EQ(findings.size(), 2U) << listing(findings);
  EXPECT_EQ(findings[0].pointer, "/linux/uidMappings");
  EXPECT_EQ(findings[1].pointer, "/linux/gidMappings");
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "user"})", mappings(one_mapping, one_mapping))));
}

// Engines write the mappings of the namespace that is joined beside its path.
TEST(CheckNamespaces, AJoinedUserNamespaceMayHaveMappings) {
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "user", "path": "/x"})")));
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "user", "path": "/x"})", mappings(one_mapping, one_mapping))));
}

TEST(CheckNamespaces, MappingsNeedAUserNamespace) {
  EXPECT_TRUE(only_finding(with_namespaces("", mappings(one_mapping, "[]")), "/linux/uidMappings", "user namespace"));
}

TEST(CheckNamespaces, AMappingMapsIdsThatExistAndNoneTwice) {
  const std::string_view user = R"({"type": "user"})";
  EXPECT_TRUE(
      only_finding(with_namespaces(user, mappings(R"([{"containerID": 0, "hostID": 0, "size": 0}])", one_mapping)),
                   "/linux/uidMappings/0/size", "maps nothing"));
  EXPECT_TRUE(only_finding(with_namespaces(user, mappings(R"([{"containerID": 1, "hostID": 0, "size": 4294967295},
                                          {"containerID": 0, "hostID": 4294967295, "size": 1}])",
                                                          R"([{"containerID": 2, "hostID": 0, "size": 4294967295}])")),
                           "/linux/gidMappings/0/size", "beyond 4294967295"));
  EXPECT_TRUE(only_finding(with_namespaces(user, mappings(R"([{"containerID": 5, "hostID": 100, "size": 10},
                                          {"containerID": 0, "hostID": 200, "size": 6}])",
                                                          one_mapping)),
                           "/linux/uidMappings/0/containerID", "overlaps with the range of entry 1"));
}

// config-linux.md, Offset for Time Namespace
TEST(CheckNamespaces, TimeOffsetsNeedANewTimeNamespaceAndAKnownClock) {
  const std::string_view offsets = R"("timeOffsets": {"monotonic": {"secs": 1}})";
  EXPECT_TRUE(no_finding(with_namespaces(R"({"type": "time"})", offsets)));
  EXPECT_TRUE(only_finding(with_namespaces("", offsets), "/linux/timeOffsets", "without a time namespace"));
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "time", "path": "/x"})", offsets), "/linux/timeOffsets",
                           "no longer be set"));
  EXPECT_TRUE(only_finding(with_namespaces(R"({"type": "time"})", R"("timeOffsets": {"realtime": {}})"),
                           "/linux/timeOffsets/realtime", "use one of boottime, monotonic"));
  EXPECT_TRUE(
      only_finding(with_namespaces(R"({"type": "time"})", R"("timeOffsets": {"boottime": {"nanosecs": 1000000000}})"),
                   "/linux/timeOffsets/boottime/nanosecs", "out of range"));
}

// config-linux.md, Network Devices
TEST(CheckNamespaces, NetworkDevicesNeedANetworkNamespace) {
  EXPECT_TRUE(only_finding(with_namespaces("", R"("netDevices": {"eth0": {}})"), "/linux/netDevices",
                           "without a network namespace"));
}

}  // namespace

}  // namespace skiff::spec
