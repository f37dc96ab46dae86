#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> linux_findings(std::string_view members) { return findings_of(config_with_linux(members)); }

// config-linux.md, Devices
TEST(CheckLinux, ADeviceHasAnAbsolutePathAKnownTypeAndNumbers) {
  EXPECT_TRUE(no_finding(linux_findings(R"("devices": [{"path": "/dev/p", "type": "p", "major": -1, "minor": -1}])")));
  EXPECT_TRUE(only_finding(linux_findings(R"("devices": [{"path": "dev/x", "type": "c", "major": 1, "minor": 3}])"),
                           "/linux/devices/0/path", "relative path"));
  EXPECT_TRUE(only_finding(linux_findings(R"("devices": [{"path": "/dev/x", "type": "a"}])"), "/linux/devices/0/type",
                           "use one of c, b, u, p"));
  EXPECT_TRUE(only_finding(linux_findings(R"("devices": [{"path": "/dev/x", "type": "b", "major": 4096, "minor": 0}])"),
                           "/linux/devices/0/major", "0 to 4095"));
  EXPECT_TRUE(only_finding(linux_findings(R"("devices": [{"path": "/dev/x", "type": "c", "fileMode": 666666}])"),
                           "/linux/devices/0/fileMode", "decimal"));
}

TEST(CheckLinux, APathBelongsToOneDevice) {
  const std::string null = R"({"path": "/dev/x", "type": "c", "major": 1, "minor": 3})";
  const std::string zero = R"({"path": "/dev/x", "type": "c", "major": 1, "minor": 5})";
  EXPECT_TRUE(no_finding(linux_findings("\"devices\": [" + null + "," + null + "]")));
  EXPECT_TRUE(only_finding(linux_findings("\"devices\": [" + null + "," + zero + "]"), "/linux/devices/1/path",
                           "another device by entry 0"));
}

// config-linux.md, Network Devices
TEST(CheckLinux, InterfaceNamesAreTheKernels) {
  EXPECT_TRUE(no_finding(linux_findings(R"("netDevices": {"eth0": {"name": "net%d"}, "a234567890bcdef": {}})")));
  for (const char *bad : {"a234567890bcdefg", "..", "a b", "a:b"}) {
    EXPECT_TRUE(only_finding(linux_findings("\"netDevices\": {\"" + std::string(bad) + "\": {}}"),
                             "/linux/netDevices/" + std::string(bad), "cannot be an interface's name"));
  }
  EXPECT_TRUE(only_finding(linux_findings(R"("netDevices": {"a/b": {}})"), "/linux/netDevices/a~1b", "interface"));
  EXPECT_TRUE(only_finding(linux_findings(R"("netDevices": {"eth0": {"name": "."}})"), "/linux/netDevices/eth0/name",
                           "interface"));
}

// config-linux.md, Cgroups Path
TEST(CheckLinux, ACgroupsPathDoesNotClimb) {
  EXPECT_TRUE(no_finding(linux_findings(R"("cgroupsPath": "system.slice:skiff:a..b")")));
  EXPECT_TRUE(only_finding(linux_findings(R"("cgroupsPath": "/a/../../b")"), "/linux/cgroupsPath", "climbs"));
}

// config-linux.md, Rootfs Mount Propagation
TEST(CheckLinux, PropagationIsKnown) {
  EXPECT_TRUE(no_finding(linux_findings(R"("rootfsPropagation": "rslave")")));
  EXPECT_TRUE(only_finding(linux_findings(R"("rootfsPropagation": "Slave")"), "/linux/rootfsPropagation",
                           "did you mean \"slave\"?"));
}

// config-linux.md, Masked Paths and Readonly Paths
TEST(CheckLinux, MaskedAndReadonlyPathsAreAbsolute) {
  EXPECT_TRUE(only_finding(linux_findings(R"("maskedPaths": ["/a", "b"])"), "/linux/maskedPaths/1", "relative path"));
  EXPECT_TRUE(only_finding(linux_findings(R"("readonlyPaths": [""])"), "/linux/readonlyPaths/0", "is required"));
}

// config-linux.md, IntelRdt
TEST(CheckLinux, AClosIsADirectoryAndSchemataAreLines) {
  EXPECT_TRUE(no_finding(linux_findings(R"("intelRdt": {"closID": "/"})")));
  for (const char *bad : {".", "..", "a/b", "//"}) {
    EXPECT_TRUE(only_finding(linux_findings("\"intelRdt\": {\"closID\": \"" + std::string(bad) + "\"}"),
                             "/linux/intelRdt/closID", "not the name of a directory"));
  }
  EXPECT_TRUE(only_finding(linux_findings(R"("intelRdt": {"schemata": ["a", "b\nc"]})"), "/linux/intelRdt/schemata/1",
                           "newline"));
  EXPECT_TRUE(only_finding(linux_findings(R"("intelRdt": {"memBwSchema": "L3:0=1"})"), "/linux/intelRdt/memBwSchema",
                           "does not begin with MB:"));
}

// config-linux.md, Memory policy
TEST(CheckLinux, APolicysNodesBelongToItsMode) {
  EXPECT_TRUE(no_finding(linux_findings(R"("memoryPolicy": {"mode": "MPOL_DEFAULT", "nodes": ""})")));
  EXPECT_TRUE(no_finding(linux_findings(R"("memoryPolicy": {"mode": "MPOL_PREFERRED"})")));
  EXPECT_TRUE(only_finding(linux_findings(R"("memoryPolicy": {"mode": "MPOL_BIND"})"), "/linux/memoryPolicy/nodes",
                           "is required by MPOL_BIND"));
  EXPECT_TRUE(only_finding(linux_findings(R"("memoryPolicy": {"mode": "MPOL_LOCAL", "nodes": "0"})"),
                           "/linux/memoryPolicy/nodes", "takes no nodes"));
  EXPECT_TRUE(only_finding(linux_findings(R"("memoryPolicy": {"mode": "BIND", "nodes": "0"})"),
                           "/linux/memoryPolicy/mode", "did you mean \"MPOL_BIND\"?"));
  EXPECT_TRUE(only_finding(linux_findings(R"("memoryPolicy": {"mode": "MPOL_LOCAL", "flags": ["x"]})"),
                           "/linux/memoryPolicy/flags/0", "use one of"));
}

// config-linux.md, Personality
TEST(CheckLinux, APersonalityHasAKnownDomain) {
  EXPECT_TRUE(only_finding(linux_findings(R"("personality": {"domain": "linux32"})"), "/linux/personality/domain",
                           "did you mean \"LINUX32\"?"));
  EXPECT_TRUE(only_finding(linux_findings(R"("personality": {})"), "/linux/personality/domain", "is required"));
}

// config-linux.md, Memory
TEST(CheckLinux, ANewContainersSwapLimitNeedsAMemoryLimit) {
  EXPECT_TRUE(only_finding(findings_of(config_with_resources(R"("memory": {"swap": 1000000})")),
                           "/linux/resources/memory/swap", "set memory.limit too"));
  EXPECT_TRUE(no_finding(check(parse_resources(R"({"memory": {"swap": 1000000}})"))));
}

}  // namespace

}  // namespace skiff::spec
