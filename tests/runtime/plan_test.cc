#include "runtime/plan.h"

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace skiff {
namespace {

using spec::NamespaceType;

// Without cgroups: which files a limit goes to is told elsewhere.
PlanOptions options() {
  PlanOptions out;
  out.id = "c";
  out.bundle = "/bundle";
  out.disable_cgroups = true;
  return out;
}

Plan plan(const spec::Config &config, const Host &host = {}, const PlanOptions &with = options()) {
  Result<Plan> made = make_plan(config, host, with);
  EXPECT_TRUE(made.has_value()) << made.error().message();
  return made ? *std::move(made) : Plan{};
}

template <class T>
std::vector<const T *> all(const Plan &plan) {
  std::vector<const T *> out;
  for (const Step &step : plan.steps) {
    if (const T *found = std::get_if<T>(&step.action)) out.push_back(found);
  }
  return out;
}

template <class T>
std::ptrdiff_t place_of(const Plan &plan) {
  return std::ranges::find_if(plan.steps, [](const Step &step) { return std::holds_alternative<T>(step.action); }) -
         plan.steps.begin();
}

template <class T>
bool has(const Plan &plan) {
  return place_of<T>(plan) != std::ssize(plan.steps);
}

void drop_namespace(spec::Config &config, NamespaceType type) {
  std::erase_if(config.linux_.namespaces, [&](const spec::Namespace &entry) { return entry.type == type; });
}

void join_namespace(spec::Config &config, NamespaceType type, std::string path) {
  drop_namespace(config, type);
  config.linux_.namespaces.push_back({.type = type, .path = std::move(path)});
}

spec::Device device(std::string path, std::string type, std::int64_t major, std::int64_t minor) {
  spec::Device out;
  out.path = std::move(path);
  out.type = std::move(type);
  out.major = major;
  out.minor = minor;
  return out;
}

// ---- launch ----

TEST(MakePlan, NewNamespacesAreFlagsOfOneClone) {
  const Plan made = plan(spec::make_default_config());
  EXPECT_EQ(made.launch.new_namespaces,
            std::uint64_t{CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS});
  EXPECT_TRUE(made.launch.joins.empty());
  EXPECT_TRUE(has<UnshareCgroup>(made));  // not of the clone: init must sit in its cgroup first
  EXPECT_FALSE(made.launch.id_maps);
}

TEST(MakePlan, NamespacesAreJoinedUserFirstAndMountLast) {
  spec::Config config = spec::make_default_config();
  config.linux_.namespaces.clear();
  config.mounts.clear();
  config.linux_.masked_paths.clear();
  for (const NamespaceType type :
       {NamespaceType::mount, NamespaceType::time, NamespaceType::cgroup, NamespaceType::pid, NamespaceType::network,
        NamespaceType::uts, NamespaceType::ipc, NamespaceType::user}) {
    join_namespace(config, type, "/proc/7/ns/x");
  }
  const Plan made = plan(config);
  std::vector<std::uint64_t> flags(made.launch.joins.size());
  std::ranges::transform(made.launch.joins, flags.begin(), &Join::flag);
  const std::vector<std::uint64_t> expected = {CLONE_NEWUSER, CLONE_NEWIPC,    CLONE_NEWUTS, CLONE_NEWNET,
                                               CLONE_NEWPID,  CLONE_NEWCGROUP, 0x80,         CLONE_NEWNS};
  EXPECT_EQ(flags, expected);
  EXPECT_EQ(made.launch.joins[0].field, "linux.namespaces[7] (user)");
  EXPECT_EQ(made.launch.new_namespaces, 0U);
}

TEST(MakePlan, ANewTimeNamespaceTakesItsOffsetsAlong) {
  spec::Config config = spec::make_default_config();
  config.linux_.namespaces.push_back({.type = NamespaceType::time, .path = {}});
  config.linux_.time_offsets = {{"monotonic", {.secs = -5, .nanosecs = 3}}};
  const Plan made = plan(config);
  EXPECT_TRUE(made.launch.new_time_namespace);
  ASSERT_EQ(made.launch.time_offsets.size(), 1U);
  EXPECT_EQ(made.launch.time_offsets[0].secs, -5);
}

TEST(MakePlan, LoopbackIsBroughtUpInANewNetworkNamespaceOnly) {
  spec::Config config = spec::make_default_config();
  EXPECT_TRUE(has<LoopbackUp>(plan(config)));
  join_namespace(config, NamespaceType::network, "/run/netns/x");
  EXPECT_FALSE(has<LoopbackUp>(plan(config)));
}

std::size_t place_of_network(const Plan &made) {
  const auto is_join = [](const Step &step) { return std::holds_alternative<JoinNetwork>(step.action); };
  return static_cast<std::size_t>(std::ranges::find_if(made.steps, is_join) - made.steps.begin());
}

TEST(MakePlan, TheNetworkIsJoinedBeforeWhatShowsIt) {
  spec::Config config = spec::make_default_config();
  Plan made = plan(config);
  EXPECT_EQ(made.steps.at(place_of_network(made) + 1).action.index(), Action(LoopbackUp{}).index());
  EXPECT_EQ(std::get<MountStep>(made.steps.at(place_of_network(made) + 2).action).type, "sysfs");
  config.mounts[1] = spec::Mount();
  config.mounts[1].destination = "/mnt";
  config.mounts[1].source = "/proc/self/ns/net";
  config.mounts[1].options = {"bind"};
  made = plan(config);
  EXPECT_EQ(std::get<MountStep>(made.steps.at(place_of_network(made) + 2).action).source, "/proc/self/ns/net");
  config.mounts.clear();
  config.hooks.create_runtime.emplace_back().path = "/bin/true";
  made = plan(config);
  EXPECT_TRUE(std::holds_alternative<RunHooks>(made.steps.at(place_of_network(made) + 2).action));
}

TEST(MakePlan, TheNetworkIsMadeWithInitWhereAnotherNamespaceCounts) {
  for (const NamespaceType type : {NamespaceType::user, NamespaceType::time, NamespaceType::ipc}) {
    spec::Config config = spec::make_default_config();
    EXPECT_TRUE(plan(config).launch.network_apart);
    if (type == NamespaceType::ipc) {
      join_namespace(config, type, "/proc/1/ns/ipc");
    } else {
      config.linux_.namespaces.emplace_back().type = type;
    }
    if (type == NamespaceType::user) config.linux_.uid_mappings = config.linux_.gid_mappings = {{0, 100000, 65536}};
    const Plan made = plan(config);
    EXPECT_FALSE(made.launch.network_apart);
    EXPECT_FALSE(has<JoinNetwork>(made));
    EXPECT_TRUE(has<LoopbackUp>(made));
  }
}

TEST(MakePlan, TheSessionKeyringIsTheContainersOwnUnlessRefused) {
  const Plan made = plan(spec::make_default_config());
  EXPECT_EQ(all<JoinSessionKeyring>(made).front()->name, "_ses.c");
  PlanOptions with = options();
  with.no_new_keyring = true;
  EXPECT_FALSE(has<JoinSessionKeyring>(plan(spec::make_default_config(), {}, with)));
}

// ---- what the host forbids ----

TEST(MakePlan, AnUnprivilegedUserNeedsAUserNamespace) {
  Host host;
  host.uid = 1000;
  host.privileged = false;
  const Result<Plan> made = make_plan(spec::make_default_config(), host, options());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "linux.namespaces: user 1000 cannot create a container without a user namespace");
  EXPECT_EQ(made.error().remedy, "run as root or add a user namespace: skiff spec --rootless");
  EXPECT_TRUE(make_plan(spec::make_rootless_config(1000, 1000), host, options()));
}

TEST(MakePlan, AResctrlGroupIsPlannedOnlyWhereItIsAskedFor) {
  spec::Config config = spec::make_default_config();
  EXPECT_FALSE(make_plan(config, {}, options())->intel_rdt);
  config.linux_.intel_rdt.emplace().clos_id = "one";
  EXPECT_EQ(make_plan(config, {}, options())->intel_rdt->group, "one");
}

TEST(MakePlan, TheLabelsOptionIsThatOfTheAnnotation) {
  spec::Config config = spec::make_default_config();
  config.linux_.mount_label = "u:r:t:s0";
  const auto option = [&]() -> std::string {
    const Result<Plan> made = make_plan(config, {}, options());
    if (!made) return made.error().text;
    for (const Step &step : made->steps) {
      const auto *mount = std::get_if<MountStep>(&step.action);
      if (mount != nullptr && mount->type == "tmpfs") return mount->data_label_option + "=" + mount->data_label;
    }
    return "none";
  };
  EXPECT_EQ(option(), "context=u:r:t:s0");
  config.annotations["run.oci.mount_context_type"] = "rootcontext";
  EXPECT_EQ(option(), "rootcontext=u:r:t:s0");
  config.annotations["run.oci.mount_context_type"] = "upperdir";
  EXPECT_EQ(option(), "annotations[\"run.oci.mount_context_type\"]: \"upperdir\" is no kind of mount context");
}

TEST(MakePlan, TheHostsNameIsNeverChanged) {
  spec::Config config = spec::make_default_config();
  drop_namespace(config, NamespaceType::uts);
  EXPECT_FALSE(make_plan(config, {}, options()));
  config.hostname.clear();
  EXPECT_TRUE(make_plan(config, {}, options()));
}

TEST(MakePlan, WhatCannotBeMissingIsNamed) {
  spec::Config config = spec::make_default_config();
  config.process.reset();
  EXPECT_EQ(make_plan(config, {}, options()).error().text, "process: missing");
  config = spec::make_default_config();
  config.root.reset();
  EXPECT_EQ(make_plan(config, {}, options()).error().text, "root: missing");
}

TEST(MakePlan, NetworkDevicesNeedANamespaceToGoTo) {
  spec::Config config = spec::make_default_config();
  config.linux_.net_devices = {{"eth1", {.name = "lan"}}, {"eth2", {}}};
  const std::vector<std::pair<std::string, std::string>> expected = {{"eth1", "lan"}, {"eth2", "eth2"}};
  EXPECT_EQ(plan(config).net_devices, expected);
  drop_namespace(config, NamespaceType::network);
  EXPECT_FALSE(make_plan(config, {}, options()));
}

// ---- the order ----

TEST(MakePlan, TheRootfsIsReadyBeforeThePivotAndClosedAfterIt) {
  spec::Config config = spec::make_default_config();
  config.linux_.sysctl = {{"net.ipv4.ip_forward", "1"}, {"kernel.shmmax", "1"}};
  config.hooks.create_runtime = {{.path = "/a", .args = {}, .env = {}, .timeout = {}}};
  const Plan made = plan(config);
  const std::vector<std::ptrdiff_t> places = {
      place_of<UnshareCgroup>(made),  place_of<JoinSessionKeyring>(made), place_of<SetHostname>(made),
      place_of<SetPropagation>(made), place_of<AttachRootfs>(made),       place_of<MountStep>(made),
      place_of<MakeDevice>(made),     place_of<MakeSymlink>(made),        place_of<RunHooks>(made),
      place_of<PivotRoot>(made),      place_of<SetupConsole>(made),       place_of<SetSysctl>(made),
      place_of<MakeReadonly>(made),   place_of<MaskPath>(made),           place_of<RootReadonly>(made),
      place_of<NewSession>(made),     place_of<SetRlimit>(made),          place_of<DropBounding>(made),
      place_of<SetUser>(made),        place_of<SetCapabilities>(made),    place_of<NoNewPrivileges>(made)};
  EXPECT_TRUE(std::ranges::is_sorted(places));
  EXPECT_LT(places.back(), std::ssize(made.steps));
  EXPECT_EQ(all<SetSysctl>(made).front()->key, "kernel.shmmax");
}

// config.md, Mounts: "The runtime MUST mount entries in the listed order."
TEST(MakePlan, MountsKeepTheirOrder) {
  const spec::Config config = spec::make_default_config();
  const Plan made = plan(config);
  const auto mounts = all<MountStep>(made);
  ASSERT_EQ(mounts.size(), config.mounts.size());
  for (std::size_t i = 0; i < mounts.size(); ++i) EXPECT_EQ(mounts[i]->destination, config.mounts[i].destination);
}

TEST(MakePlan, AnErrorInAMountNamesItsPlace) {
  spec::Config config = spec::make_default_config();
  config.mounts[1].options.emplace_back("idmap");
  const Result<Plan> made = make_plan(config, {}, options());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "mounts[1].options: idmap has no mapping to apply");
}

TEST(MakePlan, AReadOnlyTmpfsIsFinishedAfterThePivot) {
  spec::Config config = spec::make_default_config();
  config.mounts[1].options.emplace_back("ro");
  const Plan made = plan(config);
  EXPECT_EQ(all<FinishReadonly>(made).front()->destination, "/dev");
  EXPECT_GT(place_of<FinishReadonly>(made), place_of<SetupConsole>(made));
}

// runtime.md, Lifecycle: prestart, createRuntime, createContainer, then the pivot; startContainer at start.
TEST(MakePlan, HooksRunInTheOrderOfTheLifecycle) {
  spec::Config config = spec::make_default_config();
  const std::vector<spec::Hook> hooks = {{.path = "/h", .args = {}, .env = {}, .timeout = {}}};
  config.hooks = {.prestart = hooks,
                  .create_runtime = hooks,
                  .create_container = hooks,
                  .start_container = hooks,
                  .poststart = hooks,
                  .poststop = hooks};
  const Plan made = plan(config);
  const auto found = all<RunHooks>(made);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0]->kind, RunHooks::Kind::prestart);
  EXPECT_EQ(found[1]->kind, RunHooks::Kind::create_runtime);
  EXPECT_EQ(found[2]->kind, RunHooks::Kind::create_container);
  EXPECT_EQ(found[3]->kind, RunHooks::Kind::start_container);
  EXPECT_TRUE(std::holds_alternative<RunHooks>(made.steps.back().action));
}

// ---- devices ----

// config-linux.md, Default Devices
TEST(MakePlan, DefaultDevicesAreMade) {
  const Plan made = plan(spec::make_default_config());
  std::vector<std::string> paths;
  for (const MakeDevice *step : all<MakeDevice>(made)) {
    paths.push_back(step->path);
    EXPECT_EQ(step->mode, std::uint32_t{S_IFCHR | 0666});
    EXPECT_FALSE(step->bind_from_host);
  }
  const std::vector<std::string> expected = {"/dev/null",   "/dev/zero",    "/dev/full",
                                             "/dev/random", "/dev/urandom", "/dev/tty"};
  EXPECT_EQ(paths, expected);
}

TEST(MakePlan, AListedDeviceReplacesTheDefaultAndIsMadeOnce) {
  spec::Config config = spec::make_default_config();
  config.linux_.devices = {device("/dev//null", "c", 1, 3), device("/dev/fuse", "c", 10, 229),
                           device("/dev/null", "c", 1, 3), device("/dev/ptmx", "c", 5, 2),
                           device("/dev/pipe", "p", 0, 0)};
  config.linux_.devices[0].file_mode = 0600;
  const Plan made = plan(config);
  const auto devices = all<MakeDevice>(made);
  EXPECT_EQ(std::ranges::count_if(devices, [](const MakeDevice *step) { return step->path == "/dev/null"; }), 1);
  ASSERT_EQ(devices.size(), 8U);
  EXPECT_EQ(devices[5]->mode, std::uint32_t{S_IFCHR | 0600});
  EXPECT_EQ(devices[6]->minor, 229U);
  EXPECT_EQ(devices[7]->mode, std::uint32_t{S_IFIFO | 0666});
}

TEST(MakePlan, ADeviceThatCannotBeIsAnErrorWithItsPlace) {
  spec::Config config = spec::make_default_config();
  config.linux_.devices = {device("/dev/x", "z", 1, 3)};
  EXPECT_EQ(make_plan(config, {}, options()).error().text, "linux.devices[0].type: \"z\" is no device type");
  config.linux_.devices = {device("/dev/x", "c", 4096, 3)};
  EXPECT_EQ(make_plan(config, {}, options()).error().text, "linux.devices[0].major: 4096 is not within 0 to 4095");
}

TEST(MakePlan, ABindMountOnDevIsLeftAsItIs) {
  spec::Config config = spec::make_default_config();
  config.mounts[1].type = "none";
  config.mounts[1].options = {"rbind"};
  config.mounts[1].destination = "/dev/";
  const Plan made = plan(config);
  EXPECT_FALSE(has<MakeDevice>(made));
  EXPECT_FALSE(has<MakeSymlink>(made));
}

TEST(MakePlan, InAUserNamespaceDevicesComeFromTheHost) {
  spec::Config config = spec::make_rootless_config(1000, 1000);
  config.linux_.devices = {device("/dev/pipe", "p", 0, 0)};
  Plan made = plan(config);
  for (const MakeDevice *step : all<MakeDevice>(made)) EXPECT_EQ(step->bind_from_host, step->path != "/dev/pipe");
  Host inside;  // root, but of a user namespace around us
  inside.privileged = false;
  made = plan(spec::make_default_config(), inside);
  EXPECT_TRUE(all<MakeDevice>(made).front()->bind_from_host);
}

// ---- propagation ----

struct PropagationCase {
  const char *word;
  std::uint64_t first;
  bool recursive;
  std::uint64_t parent;
  std::uint64_t last;
};

TEST(MakePlan, PropagationLetsThePivotWorkAndIsCompletedAfterIt) {
  const std::array<PropagationCase, 9> cases = {{
      {"", MS_SLAVE, true, 0, 0},
      {"slave", MS_SLAVE, false, MS_SLAVE, 0},
      {"rslave", MS_SLAVE, true, 0, 0},
      {"private", MS_PRIVATE, false, MS_PRIVATE, 0},
      {"rprivate", MS_PRIVATE, true, 0, 0},
      {"shared", MS_SHARED, false, MS_PRIVATE, MS_SHARED},
      {"rshared", MS_SHARED, true, MS_PRIVATE, MS_SHARED | MS_REC},
      {"unbindable", MS_PRIVATE, false, MS_PRIVATE, MS_UNBINDABLE},
      {"runbindable", MS_PRIVATE, true, MS_PRIVATE, MS_UNBINDABLE | MS_REC},
  }};
  for (const PropagationCase &expected : cases) {
    spec::Config config = spec::make_default_config();
    config.linux_.rootfs_propagation = expected.word;
    const Plan made = plan(config);
    EXPECT_EQ(all<SetPropagation>(made).front()->propagation, expected.first) << expected.word;
    EXPECT_EQ(all<SetPropagation>(made).front()->recursive, expected.recursive) << expected.word;
    EXPECT_EQ(all<AttachRootfs>(made).front()->parent_propagation, expected.parent) << expected.word;
    const auto last = all<SetRootPropagation>(made);
    EXPECT_EQ(last.empty() ? 0 : last.front()->propagation, expected.last) << expected.word;
  }
}

TEST(MakePlan, APropagationThatIsNoneOrUnsafeIsRefused) {
  spec::Config config = spec::make_default_config();
  config.linux_.rootfs_propagation = "bind";
  EXPECT_FALSE(make_plan(config, {}, options()));
  config.linux_.rootfs_propagation = "rprivate";
  PlanOptions with = options();
  with.no_pivot = true;
  EXPECT_FALSE(make_plan(config, {}, with));
}

TEST(MakePlan, TheWayIntoTheRootfs) {
  spec::Config config = spec::make_default_config();
  EXPECT_EQ(all<PivotRoot>(plan(config)).size(), 1U);
  Plan made = plan(config);
  EXPECT_EQ(all<PivotRoot>(made).front()->way, PivotRoot::Way::pivot);
  PlanOptions with = options();
  with.no_pivot = true;
  made = plan(config, {}, with);
  EXPECT_EQ(all<PivotRoot>(made).front()->way, PivotRoot::Way::move);
}

TEST(MakePlan, WithoutAMountNamespaceNothingIsMounted) {
  spec::Config config = spec::make_default_config();
  drop_namespace(config, NamespaceType::mount);
  EXPECT_FALSE(make_plan(config, {}, options()));  // maskedPaths would change the host's own
  config.mounts.clear();
  config.linux_.masked_paths.clear();
  config.linux_.readonly_paths.clear();
  const Plan made = plan(config);
  EXPECT_FALSE(made.host_mounts);
  EXPECT_EQ(all<PivotRoot>(made).front()->way, PivotRoot::Way::chroot);
  EXPECT_FALSE(has<AttachRootfs>(made));
  EXPECT_FALSE(has<MakeDevice>(made));
  EXPECT_FALSE(has<RootReadonly>(made));
  ASSERT_EQ(made.warnings.size(), 1U);  // root.readonly
}

TEST(MakePlan, MountsWithoutAMountNamespaceAreMadeBelowTheRootfsAndTold) {
  spec::Config config = spec::make_default_config();
  drop_namespace(config, NamespaceType::mount);
  config.linux_.masked_paths.clear();
  config.linux_.readonly_paths.clear();
  const Plan made = plan(config);
  EXPECT_TRUE(made.host_mounts);
  EXPECT_FALSE(has<SetPropagation>(made));  // of the host's "/"
  EXPECT_EQ(all<AttachRootfs>(made).front()->parent_propagation, 0U);
  EXPECT_EQ(all<PivotRoot>(made).front()->way, PivotRoot::Way::chroot);
  EXPECT_TRUE(has<MakeDevice>(made));
  ASSERT_EQ(made.warnings.size(), 1U);
  EXPECT_TRUE(
      made.warnings.front().starts_with("linux.namespaces: no mount namespace, so the container's mounts stay on the "
                                        "host, below /bundle/rootfs: /proc, "))
      << made.warnings.front();
  config.mounts.emplace_back().destination = "/tmp";
  config.mounts.back().options = {"remount", "ro"};
  EXPECT_FALSE(make_plan(config, {}, options()));
  config.mounts.pop_back();
  config.linux_.namespaces.push_back({.type = NamespaceType::user, .path = "/proc/1/ns/user"});
  EXPECT_FALSE(make_plan(config, {}, options()));
}

// ---- paths and the program ----

TEST(MakePlan, ARelativeRootStartsAtTheBundle) {
  spec::Config config = spec::make_default_config();
  EXPECT_EQ(plan(config).rootfs, "/bundle/rootfs");
  config.root->path = "/srv/root/";
  EXPECT_EQ(plan(config).rootfs, "/srv/root");
}

TEST(MakePlan, DescriptorsOfTheCallerAreCountedTogether) {
  Host host;
  host.listen_fds = 2;
  PlanOptions with = options();
  with.preserve_fds = 3;
  const Plan made = plan(spec::make_default_config(), host, with);
  EXPECT_EQ(made.program.preserved_fds, 5U);
  EXPECT_EQ(made.program.env.back(), "LISTEN_PID=1");
}

TEST(MakePlan, TheDefaultConfigurationIsPlannedInMicroseconds) {
  const spec::Config config = spec::make_default_config();
  const Host host;
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 20; ++i) {
    const auto began = std::chrono::steady_clock::now();
    const Result<Plan> made = make_plan(config, host, options());
    best = std::min(best, std::chrono::nanoseconds(std::chrono::steady_clock::now() - began));
    ASSERT_TRUE(made);
  }
  RecordProperty("best_ns", std::to_string(best.count()));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(best, std::chrono::microseconds(100));
#else
  EXPECT_LT(best, std::chrono::milliseconds(2));  // unoptimised, under sanitizers
#endif
}

}  // namespace
}  // namespace skiff
