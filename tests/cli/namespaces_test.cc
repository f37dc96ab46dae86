// linux.namespaces, seen from inside: config-linux.md, "Namespaces".
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "tests/cli/inside.h"

namespace skiff::rig {
namespace {

struct Kind {
  const char *type;  // in config.json
  const char *link;  // below /proc/PID/ns
};
constexpr std::array<Kind, 8> kinds = {{{"pid", "pid"},
                                        {"network", "net"},
                                        {"mount", "mnt"},
                                        {"ipc", "ipc"},
                                        {"uts", "uts"},
                                        {"user", "user"},
                                        {"cgroup", "cgroup"},
                                        {"time", "time"}}};

std::string print_links() {
  std::string script = "cd /proc/self/ns";
  for (const Kind &kind : kinds) script += std::string("; readlink ") + kind.link;
  return script;
}

double first_number(const std::string &text) { return std::strtod(text.c_str(), nullptr); }

TEST(Namespaces, EveryTypeWithoutAPathIsANewOne) {
  REQUIRE_ROOT();
  Rig rig;
  add_user_namespace(rig);
  namespace_entry(rig, "time");
  const Outcome outcome = rig.run(print_links());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<std::string> links = lines_of(outcome.out);
  ASSERT_EQ(links.size(), kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_NE(links[i], namespace_link("self", kinds[i].link));
  EXPECT_CLEAN(rig);
}

// "If a namespace type is not specified in the namespaces array, the container MUST inherit the runtime namespace".
TEST(Namespaces, ATypeThatIsNotListedIsTheRuntimesOwn) {
  REQUIRE_ROOT();
  Rig rig;
  rig.config["linux"]["namespaces"] = {{{"type", "mount"}}};
  rig.config.erase("hostname");
  rig.config["mounts"].erase(4);  // sysfs belongs to a network namespace of the container's own
  const Outcome outcome = rig.run(print_links());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<std::string> links = lines_of(outcome.out);
  ASSERT_EQ(links.size(), kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const std::string own = namespace_link("self", kinds[i].link);
    if (std::string(kinds[i].link) == "mnt") {
      EXPECT_NE(links[i], own);
    } else {
      EXPECT_EQ(links[i], own);
    }
  }
  EXPECT_CLEAN(rig);
}

class JoinedNamespace : public testing::TestWithParam<Kind> {};

TEST_P(JoinedNamespace, IsTheOneAtThePath) {
  REQUIRE_ROOT();
  Rig first;
  const std::string pid = std::to_string(first.start_waiting());
  Rig second;
  namespace_entry(second, GetParam().type)["path"] = "/proc/" + pid + "/ns/" + GetParam().link;
  if (std::string(GetParam().type) == "uts") second.config.erase("hostname");
  const Outcome outcome = second.run(std::string("readlink /proc/self/ns/") + GetParam().link);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, namespace_link(pid, GetParam().link) + "\n");
  EXPECT_CLEAN(second);
}

INSTANTIATE_TEST_SUITE_P(ByPath, JoinedNamespace,
                         testing::Values(Kind{"pid", "pid"}, Kind{"network", "net"}, Kind{"ipc", "ipc"},
                                         Kind{"uts", "uts"}, Kind{"cgroup", "cgroup"}),
                         [](const auto &kind) { return std::string(kind.param.type); });

TEST(Namespaces, AJoinedPidNamespaceShowsTheProcessesThatAreInIt) {
  REQUIRE_ROOT();
  Rig first;
  const std::string pid = std::to_string(first.start_waiting());
  Rig second;
  namespace_entry(second, "pid")["path"] = "/proc/" + pid + "/ns/pid";
  const Outcome outcome = second.run("tr '\\0' ' ' < /proc/1/cmdline; test $$ -ne 1");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("/tmp/waiting"), std::string::npos) << outcome.out;
  EXPECT_CLEAN(second);
}

TEST(Namespaces, AJoinedMountNamespaceIsLeftAsItIs) {
  REQUIRE_ROOT();
  Rig first;
  const std::string pid = std::to_string(first.start_waiting());
  Rig second;
  namespace_entry(second, "mount")["path"] = "/proc/" + pid + "/ns/mnt";
  second.config["mounts"] = Json::array();
  second.config["linux"].erase("maskedPaths");
  second.config["linux"].erase("readonlyPaths");
  second.config["root"]["path"] = "/";
  const Outcome outcome = second.run("readlink /proc/self/ns/mnt; test -e /tmp/waiting && echo there");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  // The joined /proc is the first container's, in which this process has no number.
  EXPECT_NE(outcome.out.find("there"), std::string::npos) << outcome.out;
  EXPECT_CLEAN(second);
}

TEST(Namespaces, AJoinedUserNamespaceHasTheMappingsOfItsOwner) {
  REQUIRE_ROOT();
  Rig first;
  add_user_namespace(first);
  const std::string pid = std::to_string(first.start_waiting());
  Rig second;
  namespace_entry(second, "user")["path"] = "/proc/" + pid + "/ns/user";
  namespace_entry(second, "network")["path"] = "/proc/" + pid + "/ns/net";
  const Outcome outcome = second.run("readlink /proc/self/ns/user; id -u; tr -s ' ' < /proc/self/uid_map");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, namespace_link(pid, "user") + "\n0\n 0 100000 65536\n");
  EXPECT_CLEAN(second);
}

// config-linux.md, "Offset for Time Namespace".
TEST(Namespaces, TimeOffsetsMoveTheClocksOfTheContainer) {
  REQUIRE_ROOT();
  Rig rig;
  namespace_entry(rig, "time");
  rig.config["linux"]["timeOffsets"] = {{"monotonic", {{"secs", 172800}, {"nanosecs", 0}}},
                                        {"boottime", {{"secs", 604800}, {"nanosecs", 5}}}};
  const Outcome outcome = rig.run("cat /proc/uptime /proc/self/timens_offsets");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const double moved = first_number(outcome.out) - first_number(read_file("/proc/uptime"));
  EXPECT_GT(moved, 604800 - 60);
  EXPECT_LT(moved, 604800 + 60);
  EXPECT_NE(outcome.out.find("172800"), std::string::npos) << outcome.out;
  EXPECT_CLEAN(rig);
}

// config-linux.md, "Offset for Time Namespace": secs is signed; an exec joins the namespace as it is.
TEST(Namespaces, TimeOffsetsMayBeNegativeAndHoldForAnExec) {
  REQUIRE_ROOT();
  Rig rig;
  namespace_entry(rig, "time");
  rig.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", -1}}}, {"monotonic", {{"secs", -1}}}};
  rig.start_waiting();
  const Outcome outcome = rig.skiff({"exec", rig.id(), "cat", "/proc/self/timens_offsets"});
  std::string words;
  for (const char c : outcome.out) {
    if (c != ' ' || (!words.empty() && words.back() != ' ')) words += c;
  }
  EXPECT_EQ(words, "monotonic -1 0\nboottime -1 0\n") << outcome.err;
  (void)rig.skiff({"delete", "--force", rig.id()});
  EXPECT_CLEAN(rig);
}

TEST(Namespaces, AJoinedTimeNamespaceKeepsItsOffsets) {
  REQUIRE_ROOT();
  Rig first;
  namespace_entry(first, "time");
  first.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", 604800}}}};
  const std::string pid = std::to_string(first.start_waiting());
  const Outcome seen = first.skiff({"exec", first.id(), "cat", "/proc/uptime"});
  EXPECT_GT(first_number(seen.out), 604800) << seen.err;
  Rig second;
  namespace_entry(second, "time")["path"] = "/proc/" + pid + "/ns/time";
  const Outcome outcome = second.run("readlink /proc/self/ns/time; cat /proc/uptime");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::vector<std::string> lines = lines_of(outcome.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], namespace_link(pid, "time"));
  EXPECT_GT(first_number(lines[1]), 604800);
  EXPECT_CLEAN(second);
}

TEST(Namespaces, ANewNetworkHasItsLoopbackUp) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.run("ip -o link");
  EXPECT_EQ(lines_of(outcome.out).size(), 1U) << outcome.out;
  EXPECT_NE(outcome.out.find("LOOPBACK,UP"), std::string::npos) << outcome.out;
}

TEST(Namespaces, ItsOwnCgroupIsTheRootOfACgroupNamespace) {
  REQUIRE_ROOT();
  Rig rig;
  const Outcome outcome = rig.run("cat /proc/self/cgroup");
  ASSERT_FALSE(outcome.out.empty()) << outcome.err;
  for (const std::string &line : lines_of(outcome.out)) {
    // A hierarchy that the container did not join shows the runtime's place in it, which is at or above the root.
    const std::string path = line.substr(line.find(':', line.find(':') + 1) + 1);
    EXPECT_EQ(path.find("skiff-test"), std::string::npos) << line;
    EXPECT_EQ(path, "/") << line;
  }
  EXPECT_CLEAN(rig);
}

}  // namespace
}  // namespace skiff::rig
