#include "tests/spec/documents.h"

namespace skiff::spec {

namespace {

std::vector<Finding> sysctl_findings(const std::string &key, std::string_view namespaces) {
  return findings_of(config_with("\"linux\": {\"sysctl\": {\"" + key + "\": \"1\"}, \"namespaces\": [" +
                                 std::string(namespaces) + "]}"));
}

// config-linux.md, Sysctl
TEST(CheckSysctl, AKeyNeedsItsNamespace) {
  constexpr std::pair<const char *, const char *> pairs[] = {{"kernel.shmmax", "ipc"},
                                                             {"fs.mqueue.msg_max", "ipc"},
                                                             {"net.ipv4.ip_forward", "network"},
                                                             {"net/ipv4/conf/eth0.100/rp_filter", "network"},
                                                             {"kernel.domainname", "uts"}};
  for (const auto &[key, type] : pairs) {
    EXPECT_TRUE(no_finding(sysctl_findings(key, R"({"type": ")" + std::string(type) + "\"}"))) << key;
    const auto findings = sysctl_findings(key, "");
    ASSERT_EQ(findings.size(), 1U) << key;
    EXPECT_EQ(findings[0].remedy, R"(add {"type": ")" + std::string(type) + R"("} to linux.namespaces)");
  }
}

TEST(CheckSysctl, AnInterfacesSlashIsEscapedInThePointer) {
  EXPECT_TRUE(
      only_finding(sysctl_findings("net/ipv4/ip_forward", ""), "/linux/sysctl/net~1ipv4~1ip_forward", "network"));
}

TEST(CheckSysctl, UserLimitsNeedAUserNamespace) {
  EXPECT_TRUE(no_finding(sysctl_findings("user.max_pid_namespaces", R"({"type": "user", "path": "/x"})")));
  EXPECT_TRUE(only_finding(sysctl_findings("user.max_pid_namespaces", ""), "/linux/sysctl/user.max_pid_namespaces",
                           "without a user namespace"));
}

TEST(CheckSysctl, TheHostNameHasItsOwnField) {
  EXPECT_TRUE(only_finding(sysctl_findings("kernel.hostname", R"({"type": "uts"})"), "/linux/sysctl/kernel.hostname",
                           "set hostname instead"));
}

TEST(CheckSysctl, AKeyOfTheHostIsRefused) {
  EXPECT_TRUE(only_finding(sysctl_findings("vm.swappiness", R"({"type": "mount"})"), "/linux/sysctl/vm.swappiness",
                           "belongs to no namespace"));
}

TEST(CheckSysctl, AKeyStaysBelowProcSys) {
  const std::string_view network = R"({"type": "network"})";
  for (const char *key : {"net/../kernel/panic", "net..ipv4", "net.//.kernel.panic", "", "net.", "net/./x"}) {
    const auto findings = sysctl_findings(key, network);
    ASSERT_EQ(findings.size(), 1U) << key;
    EXPECT_EQ(findings[0].text, "is not the name of a sysctl") << key;
  }
}

}  // namespace

}  // namespace skiff::spec
