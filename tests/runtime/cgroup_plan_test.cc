#include "runtime/cgroup_plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <tuple>

namespace skiff {
namespace {

using Driver = CgroupPlan::Driver;

Host v2_host(std::string own = "/") {
  Host host;
  host.cgroups = Host::Cgroups::unified;
  host.hierarchies = {{.mount = "/sys/fs/cgroup", .controllers = {}, .own = std::move(own), .unified = true}};
  return host;
}

Host hybrid_host(const std::string &own = "/") {
  Host host;
  host.cgroups = Host::Cgroups::hybrid;
  for (const std::vector<std::string> &controllers : std::vector<std::vector<std::string>>{{"cpu", "cpuacct"},
                                                                                           {"cpuset"},
                                                                                           {"memory"},
                                                                                           {"devices"},
                                                                                           {"freezer"},
                                                                                           {"blkio"},
                                                                                           {"pids"},
                                                                                           {"name=systemd"},
                                                                                           {"name=other"}}) {
    host.hierarchies.push_back(
        {.mount = "/sys/fs/cgroup/" + controllers.front(), .controllers = controllers, .own = own, .unified = false});
  }
  host.hierarchies.push_back({.mount = "/sys/fs/cgroup/unified", .controllers = {}, .own = own, .unified = true});
  return host;
}

spec::Config with(const spec::Resources &resources) {
  spec::Config config;
  config.linux_.resources = resources;
  return config;
}

// "file=value" a line, '?' where a missing file is no error, '~' where the order is the kernel's to say.
std::string writes(const spec::Resources &resources, const Host &host) {
  const auto plan = make_cgroup_plan(with(resources), host, "box", Driver::cgroupfs);
  if (!plan) return "error: " + plan.error().message();
  std::string out;
  for (const CgroupWrite &write : plan->writes) {
    out += fmt::format("{}={}{}{}", write.file, write.value, write.ignore_missing ? "?" : "",
                       write.interdependent ? "~" : "");
    for (const auto &[file, value] : write.fallbacks) out += fmt::format(" or {}={}", file, value);
    out += '\n';
  }
  return out;
}

std::string first_path(const std::string &cgroups_path, const Host &host, Driver driver = Driver::cgroupfs) {
  spec::Config config;
  config.linux_.cgroups_path = cgroups_path;
  const auto plan = make_cgroup_plan(config, host, "box", driver);
  return plan ? plan->directories.front().path : "error: " + plan.error().message();
}

spec::Resources memory(std::optional<std::int64_t> limit, std::optional<std::int64_t> swap) {
  spec::Resources out;
  out.memory.emplace();
  out.memory->limit = limit;
  out.memory->swap = swap;
  return out;
}

spec::Resources cpu(void (*set)(spec::Cpu &)) {
  spec::Resources out;
  set(out.cpu.emplace());
  return out;
}

// config-linux.md, "Cgroups Path": "In the case of an absolute path, the runtime MUST take the path to be relative to
// the cgroups mount point."
TEST(CgroupPath, AbsoluteIsBelowTheMount) {
  EXPECT_EQ(first_path("/a/b", v2_host()), "/sys/fs/cgroup/a/b");
  EXPECT_EQ(first_path("/a/b", hybrid_host("/own")), "/sys/fs/cgroup/freezer/a/b");
}

TEST(CgroupPath, RelativeIsBelowTheRuntimesOwnOnV1AndBesideItOnV2) {
  EXPECT_EQ(first_path("a", hybrid_host("/own")), "/sys/fs/cgroup/freezer/own/a");
  EXPECT_EQ(first_path("a", v2_host("/user.slice/run.scope")), "/sys/fs/cgroup/user.slice/a");
  EXPECT_EQ(first_path("a", v2_host("/")), "/sys/fs/cgroup/a");
}

TEST(CgroupPath, EmptyIsAtTheTopForAPrivilegedRuntimeAndBelowTheOwnForOthers) {
  EXPECT_EQ(first_path("", v2_host("/x/y")), "/sys/fs/cgroup/skiff-box.scope");
  Host host = v2_host("/x/y");
  host.privileged = false;
  EXPECT_EQ(first_path("", host), "/sys/fs/cgroup/x/skiff-box.scope");
}

TEST(CgroupPath, NeverLeadsOutOfTheMount) {
  EXPECT_EQ(first_path("/../../etc", v2_host()), "/sys/fs/cgroup/etc");
  EXPECT_EQ(first_path("../../x", v2_host("/own/one")), "/sys/fs/cgroup/own/x");
  EXPECT_EQ(first_path("/..", v2_host()),
            "error: linux.cgroupsPath: \"/..\" is the root of the hierarchy, and no container's own; name a cgroup "
            "below it");
}

TEST(CgroupPath, SystemdsFormIsAnErrorThatSaysWhatToDo) {
  EXPECT_EQ(first_path("system.slice:docker:1", v2_host()),
            "error: linux.cgroupsPath: \"system.slice:docker:1\" has systemd's form, slice:prefix:name; use "
            "--systemd-cgroup, or give a path and let the caller use the cgroupfs driver");
}

TEST(CgroupPlan, JoinsEveryKnownHierarchyOfV1AndTheUnifiedOneIfItCan) {
  const auto plan = make_cgroup_plan({}, hybrid_host(), "box", Driver::cgroupfs);
  ASSERT_TRUE(plan) << plan.error().message();
  ASSERT_EQ(plan->directories.size(), 9U);  // all but name=other
  EXPECT_EQ(plan->directories[0].controllers, std::vector<std::string>{"freezer"});
  EXPECT_TRUE(plan->directories[1].unified);
  EXPECT_TRUE(plan->directories[1].optional);
  EXPECT_EQ(plan->directories[8].path, "/sys/fs/cgroup/name=systemd/skiff-box.scope");
  EXPECT_TRUE(plan->writes.empty());
}

TEST(CgroupPlan, DisabledHasNothing) {
  const auto plan = make_cgroup_plan(with(memory(1 << 20, {})), v2_host(), "box", Driver::disabled);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->directories.empty());
  EXPECT_TRUE(plan->writes.empty());
  EXPECT_FALSE(plan->has_device_rules);
}

std::string unit_path(const std::string &cgroups_path, const Host &host) {
  return first_path(cgroups_path, host, Driver::systemd);
}

// systemd.slice(5): "a-b.slice" lies in "a.slice".
TEST(CgroupPlan, SystemdPutsAScopeIntoItsSlice) {
  EXPECT_EQ(unit_path("", v2_host("/x")), "/sys/fs/cgroup/system.slice/skiff-box.scope");
  EXPECT_EQ(unit_path("machine.slice:libpod:1", v2_host()), "/sys/fs/cgroup/machine.slice/libpod-1.scope");
  EXPECT_EQ(unit_path("a-b.slice:p:n", v2_host()), "/sys/fs/cgroup/a.slice/a-b.slice/p-n.scope");
  EXPECT_EQ(unit_path("-:p:n", v2_host()), "/sys/fs/cgroup/p-n.scope");
  EXPECT_EQ(unit_path(":p:n", hybrid_host()), "/sys/fs/cgroup/freezer/system.slice/p-n.scope");
  EXPECT_EQ(unit_path(":p:a-b.slice", v2_host()), "/sys/fs/cgroup/a.slice/a-b.slice");
}

TEST(CgroupPlan, TheUsersSystemdHasItsUnitsBelowItself) {
  Host host = v2_host();
  host.privileged = false;
  host.user_manager = "/user.slice/user-1.slice/user@1.service";
  EXPECT_EQ(unit_path("", host), "/sys/fs/cgroup/user.slice/user-1.slice/user@1.service/user.slice/skiff-box.scope");
  Host hybrid = hybrid_host();
  hybrid.privileged = false;
  EXPECT_NE(unit_path("", hybrid).find("cgroup v1"), std::string::npos);
}

TEST(CgroupPlan, SystemdGetsTheLimitsAsPropertiesToo) {
  const auto plan = make_cgroup_plan(with(memory(1 << 20, {})), v2_host(), "box", Driver::systemd);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->unit.name, "skiff-box.scope");
  EXPECT_EQ(plan->unit.properties.back().name, "MemoryMax");
  EXPECT_EQ(plan->unit.properties.back().field, "linux.resources.memory.limit");
  EXPECT_EQ(plan->writes.back().file, "memory.max");
  EXPECT_TRUE(make_cgroup_plan(with(memory(1 << 20, {})), v2_host(), "box", Driver::cgroupfs)->unit.name.empty());
}

TEST(CgroupPlan, NamesTheControllersThatItsWritesNeed) {
  spec::Resources resources = memory(1 << 20, {});
  resources.pids = spec::Pids{.limit = 5};
  resources.unified = {{"cgroup.max.depth", "3"}, {"memory.high", "4096"}, {"io.max", "8:0 rbps=1\n8:16 rbps=2"}};
  const auto plan = make_cgroup_plan(with(resources), v2_host(), "box", Driver::cgroupfs);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->needed_controllers, (std::vector<std::string>{"memory", "pids", "io"}));
}

TEST(CgroupPlan, HasNoDeviceRulesWithoutPrivileges) {
  Host host = v2_host();
  EXPECT_TRUE(make_cgroup_plan({}, host, "box", Driver::cgroupfs)->has_device_rules);
  host.privileged = false;
  EXPECT_FALSE(make_cgroup_plan({}, host, "box", Driver::cgroupfs)->has_device_rules);
}

// config-linux.md, "Cgroup ownership".
TEST(CgroupPlan, GivesTheCgroupToTheContainersRootOnlyWhereItIsMountedWritable) {
  spec::Config config;
  config.process.emplace();
  config.linux_.namespaces = {{.type = spec::NamespaceType::user, .path = {}},
                              {.type = spec::NamespaceType::cgroup, .path = {}}};
  config.linux_.uid_mappings = {{.container_id = 0, .host_id = 100000, .size = 10}};
  config.linux_.gid_mappings = {{.container_id = 0, .host_id = 200000, .size = 10}};
  config.mounts = {{.destination = "/sys/fs/cgroup",
                    .type = "cgroup",
                    .source = "cgroup",
                    .options = {"nosuid"},
                    .uid_mappings = {},
                    .gid_mappings = {}}};
  auto plan = make_cgroup_plan(config, v2_host(), "box", Driver::cgroupfs);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->delegate);
  EXPECT_EQ(plan->owner_uid, 100000U);
  EXPECT_EQ(plan->owner_gid, 200000U);
  EXPECT_FALSE(make_cgroup_plan(config, hybrid_host(), "box", Driver::cgroupfs)->delegate) << "v1 is not safe";
  config.mounts[0].options = {"ro"};
  EXPECT_FALSE(make_cgroup_plan(config, v2_host(), "box", Driver::cgroupfs)->delegate);
}

TEST(CgroupWritesV1, MemoryWithSwap) {
  EXPECT_EQ(writes(memory(1000, 2000), hybrid_host()),
            "memory.limit_in_bytes=1000~\nmemory.memsw.limit_in_bytes=2000~\n");
  EXPECT_EQ(writes(memory(-1, {}), hybrid_host()), "memory.limit_in_bytes=-1~\nmemory.memsw.limit_in_bytes=-1?~\n");
}

// config-linux.md, "Memory": `swap` is memory and swap together; v2 limits swap alone.
TEST(CgroupWritesV2, SwapIsWhatIsLeftOfMemoryAndSwapTogether) {
  EXPECT_EQ(writes(memory(1000, 3000), v2_host()), "memory.swap.max=2000\nmemory.max=1000\n");
  EXPECT_EQ(writes(memory(1000, 1000), v2_host()), "memory.swap.max=0?\nmemory.max=1000\n");
  EXPECT_EQ(writes(memory(1000, -1), v2_host()), "memory.swap.max=max?\nmemory.max=1000\n");
  EXPECT_EQ(writes(memory(-1, {}), v2_host()), "memory.swap.max=max?\nmemory.max=max\n");
  EXPECT_EQ(writes(memory(0, 0), v2_host()), "");
}

TEST(CgroupWritesV2, SwapWithoutOrBelowTheMemoryLimitIsAnError) {
  EXPECT_EQ(writes(memory({}, 3000), v2_host()),
            "error: linux.resources.memory.swap: it limits memory and swap together, and linux.resources.memory.limit "
            "is not given; give linux.resources.memory.limit too");
  EXPECT_EQ(writes(memory(1000, 500), v2_host()),
            "error: linux.resources.memory.swap: 500 is below linux.resources.memory.limit, 1000; it limits memory and "
            "swap together: use at least the memory limit");
}

TEST(CgroupWritesV2, CheckBeforeUpdateNamesTheFileToLookAt) {
  spec::Resources resources = memory(1000, 3000);
  resources.memory->check_before_update = true;
  const auto plan = make_cgroup_plan(with(resources), v2_host(), "box", Driver::cgroupfs);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->writes.size(), 2U);
  const auto &[swap, limit] = std::tie(plan->writes[0].usage, plan->writes[1].usage);
  ASSERT_TRUE(swap && limit);
  EXPECT_EQ(swap->file + " " + std::to_string(swap->limit) + " " + swap->name, "memory.current 3000 memory+swap limit");
  EXPECT_EQ(limit->file + " " + std::to_string(limit->limit) + " " + limit->name, "memory.current 1000 memory limit");
}

// config-linux.md, "Unified": "If the conversion is not possible the runtime MUST generate an error."
TEST(CgroupWritesV2, WhatV2DoesNotHaveIsAnError) {
  spec::Resources resources;
  resources.memory.emplace().swappiness = 10;
  EXPECT_TRUE(writes(resources, v2_host()).starts_with("error: linux.resources.memory.swappiness:"));
  resources.memory.emplace().disable_oom_killer = true;
  EXPECT_TRUE(writes(resources, v2_host()).starts_with("error: linux.resources.memory.disableOOMKiller:"));
  resources.memory.emplace().disable_oom_killer = false;
  EXPECT_EQ(writes(resources, v2_host()), "");
  resources.network = spec::NetworkResources{.class_id = 7, .priorities = {}};
  EXPECT_TRUE(writes(resources, v2_host()).starts_with("error: linux.resources.network.classID:"));
}

TEST(CgroupPlan, APathOfSystemdsFormIsToldFromADirectory) {
  for (const char *unit : {"system.slice:skiff:a", ":skiff:a", "::a"}) EXPECT_TRUE(names_unit(unit)) << unit;
  for (const char *path : {"", "/a:b:c", "a/b", "a:b", "a:b:c:d"}) EXPECT_FALSE(names_unit(path)) << path;
}

// Limits of the kernel's own memory have gone from every kernel and version.
TEST(CgroupWritesV2, TheLimitOfKernelMemoryIsLeftOutAndNamed) {
  spec::Resources resources;
  resources.memory.emplace().kernel = 1 << 20;
  EXPECT_EQ(writes(resources, v2_host()), "");
  const std::vector<std::string> left_out = list_resources_left_out(resources);
  ASSERT_EQ(left_out.size(), 1U);
  EXPECT_TRUE(left_out.front().starts_with("linux.resources.memory.kernel: ")) << left_out.front();
  EXPECT_TRUE(list_resources_left_out({}).empty());
}

TEST(CgroupWritesV2, SharesKeepTheirDefaultAsAWeight) {
  auto weight = [](std::uint64_t shares) {
    spec::Resources resources;
    resources.cpu.emplace().shares = shares;
    return writes(resources, v2_host());
  };
  EXPECT_EQ(weight(1024), "cpu.weight=100\n");
  EXPECT_EQ(weight(2), "cpu.weight=1\n");
  EXPECT_EQ(weight(262144), "cpu.weight=10000\n");
  EXPECT_EQ(weight(512), "cpu.weight=59\n");
  EXPECT_EQ(weight(0), "");
}

TEST(CgroupWritesV1, SharesOutOfTheKernelsRangeAreAnErrorAsItWouldClampThem) {
  EXPECT_EQ(writes(cpu([](spec::Cpu &it) { it.shares = 1; }), hybrid_host()),
            "error: linux.resources.cpu.shares: 1 is out of range; use 2 to 262144, or 0 to leave it");
}

TEST(CgroupWrites, CpuBandwidth) {
  const spec::Resources resources = cpu([](spec::Cpu &it) {
    it.quota = 5000;
    it.burst = 100;
    it.period = 10000;
    it.cpus = "0-1";
    it.mems = "0";
  });
  EXPECT_EQ(writes(resources, hybrid_host()),
            "cpu.cfs_period_us=10000~\ncpu.cfs_quota_us=5000~\ncpu.cfs_burst_us=100~\ncpuset.cpus=0-1\n"
            "cpuset.mems=0\n");
  EXPECT_EQ(writes(resources, v2_host()), "cpu.max=5000 10000~\ncpu.max.burst=100~\ncpuset.cpus=0-1\ncpuset.mems=0\n");
}

TEST(CgroupWritesV2, APeriodAloneKeepsTheQuota) {
  const spec::Resources resources = cpu([](spec::Cpu &it) { it.period = 10000; });
  const auto plan = make_cgroup_plan(with(resources), v2_host(), "box", Driver::cgroupfs);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->writes.front().keep_first_word);
  EXPECT_EQ(plan->writes.front().value, "10000");
}

TEST(CgroupWrites, AnIdleGroupTakesNoShares) {
  spec::Resources resources = cpu([](spec::Cpu &it) {
    it.shares = 1024;
    it.idle = 1;
  });
  EXPECT_EQ(writes(resources, v2_host()), "cpu.idle=1\n");
  resources.cpu->idle = 0;
  EXPECT_EQ(writes(resources, v2_host()), "cpu.idle=0\ncpu.weight=100\n");
}

// config-linux.md, "PIDs": 0 is a valid limit; -1 is no limit.
TEST(CgroupWrites, PidsLimit) {
  spec::Resources resources;
  resources.pids = spec::Pids{.limit = 0};
  EXPECT_EQ(writes(resources, v2_host()), "pids.max=1\n");
  resources.pids = spec::Pids{.limit = -1};
  EXPECT_EQ(writes(resources, hybrid_host()), "pids.max=max\n");
  resources.pids = spec::Pids{};
  EXPECT_EQ(writes(resources, v2_host()), "");
}

TEST(CgroupWrites, BlockIo) {
  spec::Resources resources;
  spec::BlockIo &io = resources.block_io.emplace();
  io.weight = 500;
  io.weight_device = {{.major = 8, .minor = 0, .weight = 10, .leaf_weight = {}}};
  io.throttle_read_bps_device = {{.major = 8, .minor = 0, .rate = 600}};
  io.throttle_write_iops_device = {{.major = 8, .minor = 16, .rate = 300}};
  EXPECT_EQ(writes(resources, hybrid_host()),
            "blkio.weight=500 or blkio.bfq.weight=500\nblkio.weight_device=8:0 10 or blkio.bfq.weight_device=8:0 10\n"
            "blkio.throttle.read_bps_device=8:0 600\nblkio.throttle.write_iops_device=8:16 300\n");
  EXPECT_EQ(writes(resources, v2_host()),
            "io.bfq.weight=500 or io.weight=4950\nio.bfq.weight=8:0 10 or io.weight=8:0 1\nio.max=8:0 rbps=600\n"
            "io.max=8:16 wiops=300\n");
}

TEST(CgroupWrites, Hugepages) {
  spec::Resources resources;
  resources.hugepage_limits = {{.page_size = "2MB", .limit = 4}};
  EXPECT_EQ(writes(resources, v2_host()), "hugetlb.2MB.max=4\nhugetlb.2MB.rsvd.max=4?\n");
  EXPECT_EQ(writes(resources, hybrid_host()),
            "error: linux.resources.hugepageLimits[0]: no cgroup hierarchy with the controller \"hugetlb\" is mounted; "
            "leave the limit out, or mount a hierarchy with \"hugetlb\" below /sys/fs/cgroup");
}

TEST(CgroupWrites, Rdma) {
  spec::Resources resources;
  resources.rdma = {{"mlx5_1", {.hca_handles = 3, .hca_objects = 10000}}};
  EXPECT_EQ(writes(resources, v2_host()), "rdma.max=mlx5_1 hca_handle=3 hca_object=10000\n");
}

// config-linux.md, "Unified": "Configuration unknown to the runtime MUST still be written to the relevant file."
TEST(CgroupWritesV2, UnifiedFilesComeLastAndOneLineAWrite) {
  spec::Resources resources = memory(1000, {});
  resources.unified = {{"some.thing", "x"}, {"io.max", "8:0 rbps=1\n8:16 rbps=2"}};
  EXPECT_EQ(writes(resources, v2_host()), "memory.max=1000\nio.max=8:0 rbps=1\nio.max=8:16 rbps=2\nsome.thing=x\n");
}

TEST(CgroupWrites, UnifiedFilesNeedV2AndAName) {
  spec::Resources resources;
  resources.unified = {{"memory.high", "1"}};
  EXPECT_TRUE(writes(resources, hybrid_host()).starts_with("error: linux.resources.unified.memory.high:"));
  resources.unified = {{"../memory.high", "1"}};
  EXPECT_TRUE(writes(resources, v2_host()).starts_with("error: linux.resources.unified.../memory.high:"));
}

TEST(CgroupDirectories, OfARecordKeepTheirOrder) {
  const auto directories = match_cgroup_directories({"/sys/fs/cgroup/freezer/a", "/elsewhere"}, hybrid_host());
  ASSERT_EQ(directories.size(), 2U);
  EXPECT_EQ(directories[0].controllers, std::vector<std::string>{"freezer"});
  EXPECT_TRUE(directories[1].controllers.empty());
}

}  // namespace
}  // namespace skiff
