#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> mount_findings(std::string_view mount) {
  return findings_of(config_with("\"mounts\": [{" + std::string(mount) + "}]"));
}

std::vector<Finding> hook_findings(std::string_view hook) {
  return findings_of(config_with("\"hooks\": {\"startContainer\": [{" + std::string(hook) + "}]}"));
}

// config.md, Mounts: relative is deprecated and means relative to "/".
TEST(CheckMounts, ADestinationIsRequiredAndMayBeRelative) {
  EXPECT_TRUE(no_finding(mount_findings(R"("destination": "proc", "type": "proc")")));
  EXPECT_TRUE(only_finding(mount_findings(R"("type": "proc")"), "/mounts/0/destination", "is required"));
}

TEST(CheckMounts, ABindMountHasASourceAndOthersAType) {
  EXPECT_TRUE(no_finding(mount_findings(R"("destination": "/a", "source": "b", "options": ["rbind"])")));
  EXPECT_TRUE(no_finding(mount_findings(R"("destination": "/a", "options": ["remount", "ro"])")));
  EXPECT_TRUE(no_finding(mount_findings(R"("destination": "/", "options": ["rshared"])")));
  EXPECT_TRUE(only_finding(mount_findings(R"("destination": "/a", "type": "bind")"), "/mounts/0/source",
                           "required by a bind mount"));
  EXPECT_TRUE(only_finding(mount_findings(R"("destination": "/a", "source": "/b", "options": ["ro"])"),
                           "/mounts/0/type", "add the option rbind"));
}

// config.md, POSIX-platform Mounts
TEST(CheckMounts, MappingsComeInPairs) {
  EXPECT_TRUE(only_finding(mount_findings(R"("destination": "/a", "source": "/b", "options": ["bind", "idmap"],
                             "uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}])"),
                           "/mounts/0/gidMappings", "is required beside uidMappings"));
}

// config.md, Linux mount options: idmap
TEST(CheckMounts, IdmapNeedsMappingsFromSomewhere) {
  const std::string mount = R"("mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}])";
  EXPECT_TRUE(only_finding(findings_of(config_with(mount)), "/mounts/0/options/1", "without mappings"));
  EXPECT_TRUE(no_finding(findings_of(config_with(
      mount + R"(, "linux": {"namespaces": [{"type": "mount"}, {"type": "user", "path": "/proc/1/ns/user"}]})"))));
}

// config.md, POSIX-platform Hooks
TEST(CheckMounts, AHookHasAnAbsolutePathAndATimeoutAboveZero) {
  EXPECT_TRUE(no_finding(hook_findings(R"("path": "/bin/true", "args": [], "timeout": 1)")));
  EXPECT_TRUE(only_finding(hook_findings(R"("path": "true")"), "/hooks/startContainer/0/path", "relative path"));
  EXPECT_TRUE(only_finding(hook_findings(R"("args": ["true"])"), "/hooks/startContainer/0/path", "is required"));
  EXPECT_TRUE(only_finding(hook_findings(R"("path": "/bin/true", "timeout": -1)"), "/hooks/startContainer/0/timeout",
                           "not greater than zero"));
  EXPECT_TRUE(
      only_finding(hook_findings(R"("path": "/bin/true", "env": ["A"])"), "/hooks/startContainer/0/env/0", "has no ="));
}

}  // namespace

}  // namespace skiff::spec
