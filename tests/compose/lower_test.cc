#include "compose/lower.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "runtime/kernel/fd.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

using spec::NamespaceType;
using Words = std::vector<std::string>;

constexpr const char *id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

class LowerTest : public ::testing::Test {
 protected:
  LowerTest() {
    for (const char *name : {"/root", "/root/etc", "/root/tmp", "/root/run", "/host", "/cdi"}) {
      ::mkdir((files.path() + name).c_str(), 0755);
    }
    std::ofstream(files.path() + "/root/etc/passwd") << "root:x:0:0::/root:\nweb:x:33:34::/srv:\n";
    std::ofstream(files.path() + "/root/etc/group") << "root:x:0:\nlogs:x:40:web\n";
    std::ofstream(files.path() + "/cdi/v.json")
        << R"({"cdiVersion": "0.6.0", "kind": "v.com/gpu", "devices": [{"name": "0", "containerEdits": {"env": ["GPU=0"]}}]})";
    host.hostname = "the-host";
    host.uid_ranges = host.gid_ranges = {{.first = 700000, .size = 65536}};
    image.cmd = {"image-command"};
    image.env = {"FROM=image"};
  }

  Result<spec::Config> lower(const Service &service) {
    const kernel::Fd rootfs = *kernel::open(files.path() + "/root", O_PATH | O_DIRECTORY);
    LowerContext whole = context;
    whole.id = id;
    whole.rootfs = rootfs;
    whole.image = &image;
    whole.host = &host;
    whole.cdi_directories = {files.path() + "/cdi"};
    whole.id_maps = TRY(make_id_maps(service, host, {}));
    spec::Config config = spec::make_container_config();
    TRY(lower_service(service, whole, config));
    return config;
  }

  std::string why(const Service &service) {
    const Result<spec::Config> config = lower(service);
    return config ? "accepted" : config.error().message();
  }

  TemporaryDirectory files;
  HostFacts host;
  spec::ImageDefaults image;
  LowerContext context;
};

const spec::Mount &mount_at(const spec::Config &config, const std::string &destination) {
  for (const spec::Mount &mount : config.mounts) {
    if (mount.destination == destination) return mount;
  }
  throw std::out_of_range(destination);
}

bool contains(const Words &words, const std::string &word) { return std::ranges::find(words, word) != words.end(); }
bool has_env(const spec::Config &config, const std::string &text) { return contains(config.process->env, text); }
bool has_namespace(const spec::Config &config, NamespaceType type) { return config.linux_.find(type) != nullptr; }
const spec::Resources &limits(const spec::Config &config) { return config.linux_.resources.value(); }
bool allows(const spec::Config &config, const std::string &call) {
  return std::ranges::any_of(config.linux_.seccomp.value().syscalls, [&](const spec::SeccompSyscall &rule) {
    return rule.action == spec::SeccompAction::allow && contains(rule.names, call);
  });
}

struct Case {
  const char *field;
  std::function<void(Service &)> set;
  std::function<bool(const spec::Config &)> effect;
};

std::vector<Case> process_cases() {
  return {
      {"command", [](auto &s) { s.command = {"own"}; }, [](const auto &c) { return c.process->args == Words{"own"}; }},
      {"entrypoint", [](auto &s) { s.entrypoint = {"/entry"}; },
       [](const auto &c) { return c.process->args == Words{"/entry"}; }},
      {"environment", [](auto &s) { s.environment = {{"FROM", std::nullopt}, {"A", "b"}}; },
       [](const auto &c) { return has_env(c, "A=b") && !has_env(c, "FROM=image"); }},
      {"hostname", [](auto &s) { s.hostname = "box"; },
       [](const auto &c) { return c.hostname == "box" && has_env(c, "HOSTNAME=box"); }},
      {"domainname", [](auto &s) { s.domainname = "example"; },
       [](const auto &c) { return c.domainname == "example"; }},
      {"user", [](auto &s) { s.user = "web"; },
       [](const auto &c) {
         return c.process->user.uid == 33 && c.process->user.additional_gids == std::vector<std::uint32_t>{34, 40} &&
                has_env(c, "HOME=/srv");
       }},
      {"group_add", [](auto &s) { s.group_add = {"logs"}; },
       [](const auto &c) { return c.process->user.additional_gids == std::vector<std::uint32_t>{0, 40}; }},
      {"working_dir", [](auto &s) { s.working_dir = "srv"; }, [](const auto &c) { return c.process->cwd == "/srv"; }},
      {"annotations", [](auto &s) { s.annotations = {{"a", "b"}}; },
       [](const auto &c) { return c.annotations.at("a") == "b"; }},
      {"ulimits", [](auto &s) { s.ulimits = {{.name = "nofile", .soft = 1, .hard = 2}}; },
       [](const auto &c) {
         const spec::Rlimit &limit = c.process->rlimits.at(0);
         return limit.type == "RLIMIT_NOFILE" && limit.soft == 1 && limit.hard == 2;
       }},
      {"tty", [](auto &s) { s.tty = true; },
       [](const auto &c) { return c.process->terminal && has_env(c, "TERM=xterm"); }},
      {"init", [](auto &s) { s.init = true; },
       [](const auto &c) {
         return c.process->args == Words{"/run/skiff-init", "--", "image-command"} &&
                mount_at(c, "/run/skiff-init").source == "/usr/bin/skiff-init";
       }},
  };
}

std::vector<Case> namespace_cases() {
  const auto path = [](const spec::Config &c, NamespaceType type) { return c.linux_.find(type)->path; };
  return {
      {"network_mode", [](auto &s) { s.network_mode = "host"; },
       [](const auto &c) { return !has_namespace(c, NamespaceType::network) && c.hostname == "the-host"; }},
      {"pid_mode", [](auto &s) { s.pid_mode = "service:db"; },
       [=](const auto &c) { return path(c, NamespaceType::pid) == "/joined/pid"; }},
      {"pid_mode", [](auto &s) { s.pid_mode = "host"; },
       [](const auto &c) { return !has_namespace(c, NamespaceType::pid); }},
      {"ipc_mode", [](auto &s) { s.ipc_mode = "host"; },
       [](const auto &c) { return !has_namespace(c, NamespaceType::ipc) && mount_at(c, "/dev/shm").type == "bind"; }},
      {"uts_mode", [](auto &s) { s.uts_mode = "host"; },
       [](const auto &c) { return !has_namespace(c, NamespaceType::uts) && c.hostname.empty(); }},
      {"cgroup_mode", [](auto &s) { s.cgroup_mode = "host"; },
       [](const auto &c) { return !has_namespace(c, NamespaceType::cgroup); }},
      {"userns_mode", [](auto &s) { s.userns_mode = "auto"; },
       [](const auto &c) {
         return c.linux_.uid_mappings.at(0).host_id == 700000 && has_namespace(c, NamespaceType::user);
       }},
      {"uid_maps", [](auto &s) { s.uid_maps = {"0:100:10"}; },
       [](const auto &c) { return c.linux_.gid_mappings.at(0).host_id == 100; }},
      {"gid_maps",
       [](auto &s) {
         s.uid_maps = {"0:100:10"};
         s.gid_maps = {"0:200:10"};
       },
       [](const auto &c) { return c.linux_.gid_mappings.at(0).host_id == 200; }},
      {"cgroup_parent", [](auto &s) { s.cgroup_parent = "/mine"; },
       [](const auto &c) { return c.linux_.cgroups_path == std::string("/mine/") + id; }},
  };
}

std::vector<Case> resource_cases() {
  return {
      {"resources.memory", [](auto &s) { s.resources.memory = 1000; },
       [](const auto &c) { return limits(c).memory.value().limit == 1000 && limits(c).memory->swap == 2000; }},
      {"resources.memory_swap", [](auto &s) { s.resources.memory_swap = -1; },
       [](const auto &c) { return limits(c).memory.value().swap == -1; }},
      {"resources.memory_reservation", [](auto &s) { s.resources.memory_reservation = 9; },
       [](const auto &c) { return limits(c).memory.value().reservation == 9; }},
      {"resources.memory_swappiness", [](auto &s) { s.resources.memory_swappiness = 5; },
       [](const auto &c) { return limits(c).memory.value().swappiness == 5; }},
      {"resources.cpus", [](auto &s) { s.resources.cpus = 0.5; },
       [](const auto &c) { return limits(c).cpu.value().quota == 50000 && limits(c).cpu->period == 100000; }},
      {"resources.cpu_shares", [](auto &s) { s.resources.cpu_shares = 8; },
       [](const auto &c) { return limits(c).cpu.value().shares == 8; }},
      {"resources.cpu_quota", [](auto &s) { s.resources.cpu_quota = 7000; },
       [](const auto &c) { return limits(c).cpu.value().quota == 7000; }},
      {"resources.cpu_period", [](auto &s) { s.resources.cpu_period = 6000; },
       [](const auto &c) { return limits(c).cpu.value().period == 6000; }},
      {"resources.cpu_weight", [](auto &s) { s.resources.cpu_weight = 300; },
       [](const auto &c) { return limits(c).unified.at("cpu.weight") == "300"; }},
      {"resources.cpuset_cpus", [](auto &s) { s.resources.cpuset_cpus = "0"; },
       [](const auto &c) { return limits(c).cpu.value().cpus == "0"; }},
      {"resources.cpuset_mems", [](auto &s) { s.resources.cpuset_mems = "0"; },
       [](const auto &c) { return limits(c).cpu.value().mems == "0"; }},
      {"resources.pids", [](auto &s) { s.resources.pids = 3; },
       [](const auto &c) { return limits(c).pids.value().limit == 3; }},
      {"resources.block_io", [](auto &s) { s.resources.block_io.weight = 20; },
       [](const auto &c) { return limits(c).block_io.value().weight == 20; }},
      {"resources.oom_score_adj", [](auto &s) { s.resources.oom_score_adj = -3; },
       [](const auto &c) { return c.process->oom_score_adj == -3; }},
      {"sysctls", [](auto &s) { s.sysctls = {{"net.a", "1"}}; },
       [](const auto &c) { return c.linux_.sysctl.at("net.a") == "1"; }},
      {"devices", [](auto &s) { s.devices = {{.source = "/dev/zero", .target = "/dev/mine", .permissions = "r"}}; },
       [](const auto &c) {
         const spec::Device &device = c.linux_.devices.at(0);
         return device.path == "/dev/mine" && device.major == 1 && device.minor == 5 &&
                limits(c).devices.back().access == "r";
       }},
      {"device_cgroup_rules", [](auto &s) { s.device_cgroup_rules = {"c 9:* rw"}; },
       [](const auto &c) {
         return limits(c).devices.back().major == 9 && !limits(c).devices.back().minor &&
                limits(c).devices.back().allow;
       }},
      {"gpus", [](auto &s) { s.gpus = {"0"}; }, [](const auto &c) { return has_env(c, "GPU=0"); }},
  };
}

std::vector<Case> mount_cases() {
  return {
      {"mounts",
       [](auto &s) {
         s.mounts = {{.kind = Mount::Kind::bind,
                      .source = "/etc",
                      .target = "/data",
                      .propagation = {},
                      .recursive = {},
                      .subpath = {},
                      .size = {},
                      .mode = {},
                      .options = {}}};
       },
       [](const auto &c) {
         return mount_at(c, "/data").source == "/etc" && contains(mount_at(c, "/data").options, "rbind");
       }},
      {"shm_size", [](auto &s) { s.shm_size = 4096; },
       [](const auto &c) { return contains(mount_at(c, "/dev/shm").options, "size=4096"); }},
      {"read_only", [](auto &s) { s.read_only = true; },
       [](const auto &c) { return c.root->readonly && mount_at(c, "/tmp").type == "tmpfs"; }},
  };
}

std::vector<Case> security_cases() {
  return {
      {"cap_add", [](auto &s) { s.cap_add = {"SYS_TIME"}; },
       [](const auto &c) {
         return contains(c.process->capabilities->bounding, "CAP_SYS_TIME") && allows(c, "settimeofday");
       }},
      {"cap_drop", [](auto &s) { s.cap_drop = {"chown"}; },
       [](const auto &c) { return !contains(c.process->capabilities->bounding, "CAP_CHOWN"); }},
      {"drops_all_capabilities",
       [](auto &s) {
         s.drops_all_capabilities = true;
         s.cap_add = {"KILL"};
       },
       [](const auto &c) { return c.process->capabilities->bounding == Words{"CAP_KILL"}; }},
      {"privileged", [](auto &s) { s.privileged = true; },
       [](const auto &c) {
         return !c.linux_.seccomp && c.linux_.masked_paths.empty() && !c.process->no_new_privileges;
       }},
      {"security_opt", [](auto &s) { s.security_opt = {"no-new-privileges=false", "apparmor=p"}; },
       [](const auto &c) { return !c.process->no_new_privileges && c.process->apparmor_profile == "p"; }},
      {"seccomp", [](auto &s) { s.seccomp = "strict"; },
       [](const auto &c) { return !allows(c, "ptrace") && allows(c, "read"); }},
  };
}

// What is not of config.json, and whose it is.
const std::set<std::string> elsewhere = {
    // skiff-image
    "image", "build", "platform", "pull_policy", "rootfs",
    // the engine and its record
    "name", "container_name", "labels", "runtime", "logging", "stdin_open", "attach", "stop_signal",
    "stop_grace_period", "post_start", "pre_stop", "health_check", "restart", "replicas", "at",
    // networks and the files of names
    "networks", "ports", "expose", "dns", "dns_search", "dns_options", "extra_hosts", "mac_address",
    // made before: they come as paths (LowerContext), which other tests here look at
    "secrets", "configs", "volumes_from",
    // what a project is
    "depends_on", "watch", "profiles", "secret_references",
    // its members stand here one by one
    "resources",
    // cgroup v1 alone, tested below
    "resources.oom_kill_disable"};

// The members of a structure by its source: C++ cannot list them.
std::set<std::string> members_of(const std::string &name, const std::string &prefix) {
  std::ifstream file(SKIFF_PROJECT_HEADER);
  std::set<std::string> members;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "struct " + name + " {") inside = true;
    if (line == "};") inside = false;
    const std::string code = line.substr(0, line.find("//"));
    const std::size_t end = code.rfind(';');
    if (!inside || end == std::string::npos) continue;
    std::string text = code.substr(0, std::min(code.find(" = "), end));
    // "std::string a, b" and "std::vector<std::string> a, b": names are what follows the last blank or comma.
    text = text.substr(text.rfind('>') == std::string::npos ? text.find_first_not_of(' ') : text.rfind('>') + 1);
    std::istringstream parts(text);
    std::vector<std::string> found;
    for (std::string part; parts >> part;) found.push_back(part.substr(0, part.find_first_of(",;")));
    if (code.rfind('>') == std::string::npos) found.erase(found.begin());
    for (const std::string &member : found) members.insert(prefix + member);
  }
  return members;
}

bool holds(const Case &one, const Result<spec::Config> &config) {
  try {
    return config && one.effect(*config);
  } catch (const std::exception &) {
    return false;
  }
}

TEST_F(LowerTest, EveryFieldOfAServiceComesIntoTheConfigurationOrIsSomebodyElses) {
  context.init_program = "/usr/bin/skiff-init";
  context.namespaces.pid = "/joined/pid";
  std::set<std::string> covered = elsewhere;
  const Result<spec::Config> without = lower(Service());
  ASSERT_TRUE(without) << without.error().message();
  for (const auto &cases : {process_cases(), namespace_cases(), resource_cases(), mount_cases(), security_cases()}) {
    for (const Case &one : cases) {
      covered.insert(one.field);
      Service service;
      one.set(service);
      const Result<spec::Config> config = lower(service);
      ASSERT_TRUE(config) << one.field << ": " << config.error().message();
      EXPECT_TRUE(holds(one, config)) << one.field;
      EXPECT_FALSE(holds(one, without)) << one.field << ": the test cannot fail";
      for (const spec::Finding &finding : spec::check(*config)) ADD_FAILURE() << one.field << ": " << finding.message();
    }
  }
  for (const std::string &member : members_of("Service", "")) EXPECT_TRUE(covered.contains(member)) << member;
  for (const std::string &member : members_of("Resources", "resources."))
    EXPECT_TRUE(covered.contains(member)) << member;
  EXPECT_GT(members_of("Service", "").size(), 60U);
}

TEST_F(LowerTest, WhatNobodySaidIsSafe) {
  const Result<spec::Config> config = lower(Service());
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_TRUE(config->process->no_new_privileges);
  EXPECT_EQ(config->process->capabilities->bounding.size(), 11U);
  EXPECT_TRUE(config->process->capabilities->inheritable.empty());  // CVE-2022-24769
  EXPECT_FALSE(allows(*config, "mount"));
  EXPECT_TRUE(contains(config->linux_.masked_paths, "/proc/kcore"));
  EXPECT_TRUE(contains(config->linux_.masked_paths, "/sys/devices/virtual/powercap"));
  EXPECT_EQ(limits(*config).pids.value().limit, 2048);
  EXPECT_EQ(config->hostname, "0123456789ab");
  EXPECT_EQ(config->linux_.cgroups_path, std::string("/skiff-") + id);
  EXPECT_TRUE(spec::check(*config).empty());
}

TEST_F(LowerTest, AnOrdinaryUserHasAUserNamespaceAndNoDeviceCgroup) {
  host.uid = host.gid = 1000;
  Service service;
  service.devices = {{.source = "/dev/zero", .target = ""}};
  const Result<spec::Config> config = lower(service);
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->linux_.uid_mappings.size(), 2U);
  EXPECT_EQ(config->linux_.uid_mappings[0].host_id, 1000U);
  EXPECT_EQ(config->linux_.uid_mappings[1].host_id, 700000U);
  EXPECT_FALSE(config->linux_.devices.at(0).uid);
  EXPECT_EQ(config->linux_.cgroups_path, "");
  EXPECT_FALSE(config->linux_.resources);
  service.device_cgroup_rules = {"c 1:1 r"};
  EXPECT_NE(why(service).find("an ordinary user has no device cgroup"), std::string::npos);
}

TEST_F(LowerTest, KeepIdMakesTheCallerTheUser) {
  host.uid = host.gid = 1000;
  Service service;
  service.userns_mode = "keep-id";
  const Result<spec::Config> config = lower(service);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->process->user.uid, 1000U);
  EXPECT_EQ(config->linux_.uid_mappings.at(1).container_id, 1000U);
  EXPECT_EQ(config->linux_.uid_mappings.at(1).host_id, 1000U);
}

TEST_F(LowerTest, WithoutGrantedIdsAnImagesUserIsTheCaller) {
  host.uid = host.gid = 1000;
  host.uid_ranges.clear();
  host.gid_ranges.clear();
  image.user = "web";
  const Result<spec::Config> config = lower(Service());
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->process->user.uid, 0U);
  EXPECT_TRUE(config->process->user.additional_gids.empty());  // setgroups(2) is denied there
  image.user.clear();
  Service service;
  service.user = "web";
  EXPECT_NE(why(service).find("the user namespace does not map it"), std::string::npos);
}

TEST(MakeIdMaps, AutoKeepsAwayFromTheIdsOfOthers) {
  HostFacts host;
  host.uid_ranges = host.gid_ranges = {{.first = 100000, .size = 3 * 65536}};
  Service service;
  service.userns_mode = "auto";
  const Result<IdMaps> second = make_id_maps(service, host, {{.first = 100000, .size = 65536}});
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->uids.at(0).host_id, 165536U);
  const Result<IdMaps> none = make_id_maps(service, host, {{.first = 100000, .size = 3 * 65536}});
  EXPECT_EQ(none.error().message(),
            "userns_mode: auto: no 65536 ids in a row are free; grant the user containers more in /etc/subuid");
}

TEST_F(LowerTest, TheOldHierarchyHasSharesInPlaceOfAWeight) {
  host.cgroup_v2 = false;
  Service service;
  service.resources.cpu_weight = 200;
  service.resources.oom_kill_disable = true;
  const Result<spec::Config> config = lower(service);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(limits(*config).cpu.value().shares, 2048U);
  EXPECT_TRUE(limits(*config).memory.value().disable_oom_killer.value_or(false));
}

TEST_F(LowerTest, ContradictionsAreErrors) {
  const auto with = [&](const std::function<void(Service &)> &set) {
    Service service;
    set(service);
    return why(service);
  };
  EXPECT_NE(with([](Service &s) { s.resources.cpus = 1, s.resources.cpu_quota = 1; }).find("leave one of them out"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) {
              s.resources.memory = 9, s.resources.memory_swap = 8;
            }).find("is less than the memory limit"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) { s.resources.memory = 9, s.resources.memory_reservation = 10; }).find("is more than"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) { s.uts_mode = "host", s.hostname = "x"; }).find("shares its uts namespace"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) { s.hostname = std::string(65, 'x'); }).find("more than 64 letters"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) { s.pid_mode = "hots"; }).find("\"hots\" is unknown"), std::string::npos);
  EXPECT_NE(with([](Service &s) { s.userns_mode = "auto", s.uid_maps = {"0:1:1"}; }).find("contradict"),
            std::string::npos);
  EXPECT_NE(with([](Service &s) { s.seccomp = "strictt"; }).find("is no profile"), std::string::npos);
  EXPECT_NE(with([](Service &s) { s.user = "nobody"; }).find("/etc/passwd has no user \"nobody\""), std::string::npos);
}

TEST_F(LowerTest, ADirectoryOfTheUsersOverDevTakesOurMountsBelowAway) {
  Service service;
  service.mounts.resize(1);
  service.mounts[0].kind = Mount::Kind::bind;
  service.mounts[0].source = service.mounts[0].target = "/dev";
  const Result<spec::Config> config = lower(service);
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_THROW((void)mount_at(*config, "/dev/pts"), std::out_of_range);
  EXPECT_EQ(mount_at(*config, "/dev").type, "bind");
}

TEST(WithImageDefaults, TheServiceGoesBeforeTheImage) {
  spec::ImageDefaults image;
  image.user = "web";
  image.stop_signal = "SIGQUIT";
  image.working_dir = "/srv";
  image.labels = {{"a", "image"}, {"b", "image"}};
  image.exposed_ports = {{"80/tcp", {}}, {"53", {}}};
  image.healthcheck = spec::Healthcheck{.test = {"CMD", "check"}, .interval = 5000000000};
  Service service;
  service.labels = {{"a", "own"}};
  service.expose = {"80/tcp"};
  service.health_check.emplace().retries = 9;
  const Service whole = with_image_defaults(service, image);
  EXPECT_EQ(whole.user, "web");
  EXPECT_EQ(whole.stop_signal, "SIGQUIT");
  EXPECT_EQ(whole.working_dir, "/srv");
  EXPECT_EQ(whole.labels, (Labels{{"a", "own"}, {"b", "image"}}));
  EXPECT_EQ(whole.expose, (Words{"80/tcp", "53/tcp"}));
  EXPECT_EQ(whole.health_check->test, (Words{"CMD", "check"}));
  EXPECT_EQ(whole.health_check->interval, std::chrono::seconds(5));
  EXPECT_EQ(whole.health_check->retries, 9U);
}

}  // namespace
}  // namespace skiff::compose
