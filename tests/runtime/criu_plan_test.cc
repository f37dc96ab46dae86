#include "runtime/criu_plan.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace skiff {
namespace {

MountStep bind(std::string source, std::string destination) {
  MountStep step;
  step.kind = MountStep::Kind::bind;
  step.source = std::move(source);
  step.destination = std::move(destination);
  return step;
}

MountStep cgroup_mount() {
  MountStep step;
  step.kind = MountStep::Kind::cgroup;
  step.destination = "/sys/fs/cgroup";
  return step;
}

const std::vector<CgroupDirectory> &cgroups() {
  static const std::vector<CgroupDirectory> directories = {
      {.mount = "/sys/fs/cgroup/cpu,cpuacct",
       .path = "/sys/fs/cgroup/cpu,cpuacct/c",
       .controllers = {"cpu", "cpuacct"}},
      {.mount = "/sys/fs/cgroup/unified", .path = "/sys/fs/cgroup/unified/c", .controllers = {}, .unified = true}};
  return directories;
}

std::vector<std::string> places(const Plan &plan) {
  std::vector<std::string> out;
  for (const ExternalMount &mount : find_external_mounts(plan, cgroups())) {
    out.push_back(mount.source + " " + mount.destination);
  }
  return out;
}

TEST(CriuPlan, BindsAndDevicesAreExternal) {
  Plan plan;
  MountStep tmpfs;
  tmpfs.destination = "/tmp";
  MakeDevice null;
  null.path = "/dev/null";
  plan.steps = {{"", tmpfs}, {"", bind("/srv", "/data")}, {"", null}};
  EXPECT_EQ(places(plan), (std::vector<std::string>{"/srv /data", "/dev/null /dev/null"}));
}

TEST(CriuPlan, TheHostsCgroupsAreExternalUnlessTheContainerHasANamespaceOfThem) {
  Plan plan;
  plan.steps = {{"", cgroup_mount()}};
  EXPECT_EQ(places(plan), (std::vector<std::string>{"/sys/fs/cgroup/cpu,cpuacct/c /sys/fs/cgroup/cpu,cpuacct"}));
  plan.steps.insert(plan.steps.begin(), Step{"", UnshareCgroup{}});
  EXPECT_EQ(places(plan), std::vector<std::string>{});
}

TEST(CriuPlan, MaskedPathsAreListed) {
  Plan plan;
  plan.steps = {{"", MaskPath{"/proc/kcore"}}, {"", MakeReadonly{"/proc/sys"}}, {"", MaskPath{"/sys/firmware"}}};
  EXPECT_EQ(find_masked_paths(plan), (std::vector<std::string>{"/proc/kcore", "/sys/firmware"}));
}

TEST(CriuPlan, NetworkAndPidNamespacesAreLeftAloneAndOthersJoined) {
  const Join network{.field = "n", .flag = CLONE_NEWNET, .path = "/run/netns/a"};
  const Join pid{.field = "p", .flag = CLONE_NEWPID, .path = "/proc/1/ns/pid"};
  EXPECT_TRUE(is_external_namespace(network));
  EXPECT_EQ(external_namespace(network, 7), "net[7]:extRootNetNS");
  EXPECT_EQ(external_namespace(pid, 8), "pid[8]:extRootPidNS");
  Plan plan;
  plan.launch.joins = {network, {.field = "i", .flag = CLONE_NEWIPC, .path = "/run/ipc"}};
  const auto joined = find_joined_namespaces(plan).value();
  ASSERT_EQ(joined.size(), 1U);
  EXPECT_EQ(joined[0].type, "ipc");
  EXPECT_EQ(joined[0].path, "/run/ipc");
}

TEST(CriuPlan, ACgroupNamespaceThatIsThereIsRefusedByItsField) {
  Plan plan;
  plan.launch.joins = {{.field = "linux.namespaces[0] (cgroup)", .flag = CLONE_NEWCGROUP, .path = "/run/cg"}};
  const auto joined = find_joined_namespaces(plan);
  ASSERT_FALSE(joined.has_value());
  EXPECT_TRUE(joined.error().text.starts_with("linux.namespaces[0] (cgroup)"));
}

TEST(CriuPlan, TheGroupOfAMappedRootReadsTheImages) {
  Plan plan;
  EXPECT_FALSE(find_reading_group(plan).has_value());
  plan.launch.id_maps = IdMaps{
      .uids = {}, .gids = {{.container_id = 1, .host_id = 7, .size = 1}, {.container_id = 0, .host_id = 9, .size = 1}}};
  EXPECT_EQ(find_reading_group(plan), 9U);
}

TEST(CriuPlan, TheAnnotationNamesTheSettingsAndMayNameNone) {
  EXPECT_EQ(choose_criu_config({}, true), "/etc/criu/skiff.conf");
  EXPECT_EQ(choose_criu_config({}, false), "/etc/criu/runc.conf");
  EXPECT_EQ(choose_criu_config({{"org.criu.config", "/a"}}, true), "/a");
  EXPECT_EQ(choose_criu_config({{"org.criu.config", ""}}, true), "");
}

// cgroups(7), "/proc files"
TEST(CriuPlan, EachControllerOfAHierarchyIsARoot) {
  const auto roots = parse_cgroup_roots("4:cpu,cpuacct:/a\n1:name=systemd:/b:c\n0::/d\n");
  std::vector<std::string> out;
  for (const CriuCgroupRoot &root : roots) out.push_back(root.controllers + " " + root.path);
  EXPECT_EQ(out, (std::vector<std::string>{"cpu /a", "cpuacct /a", "name=systemd /b:c", " /d"}));
}

}  // namespace
}  // namespace skiff
