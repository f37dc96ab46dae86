#include "compose/run_flags.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <set>

#include "compose/run_flag_table.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr cli::Command run{.name = "run",
                           .usage = "IMAGE [COMMAND...]",
                           .flags = run_flags,
                           .min_positionals = 1,
                           .max_positionals = cli::kUnlimited,
                           .stop_at_first_positional = true,
                           .joined_values = true};
constexpr std::array<const cli::Command *, 1> commands = {&run};
constexpr cli::Program program{.name = "p", .commands = commands};

// The service of `run WORDS... image command`. The words live as long as the flags.
Result<Service> service_of(const Words &words) {
  std::vector<const char *> all = {"run"};
  for (const std::string &word : words) all.push_back(word.c_str());
  all.push_back("image");
  const cli::Invocation invocation = TRY(cli::parse(program, all));
  const std::vector<std::string_view> &rest = invocation.positionals;
  return service_of_flags(invocation.flags, rest.front(), std::span(rest).subspan(1));
}

Service good(const Words &words) {
  Result<Service> service = service_of(words);
  if (!service) ADD_FAILURE() << service.error().message();
  return service.value_or(Service());
}

std::string why(const Words &words) {
  const Result<Service> service = service_of(words);
  return service ? "accepted" : service.error().message();
}

struct Case {
  Words words;  // the first names the flag
  std::function<bool(const Service &)> effect;
  bool is_default = false;  // holds without the flag as well
};

std::string file_with(const TemporaryDirectory &directory, const std::string &name, const std::string &text) {
  std::string path = directory.path() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

std::vector<Case> process_cases(const TemporaryDirectory &files) {
  const std::string variables = file_with(files, "env", "# no\n  A=1\nB='x y'\r\n\nC=\nA=2=3\n");
  const std::string labels = file_with(files, "labels", "one=1\ntwo\n");
  return {
      {{"--name", "web"}, [](const auto &s) { return s.container_name == "web" && s.name == "web"; }},
      {{"--entrypoint", "/bin/sh"}, [](const auto &s) { return s.entrypoint == Words{"/bin/sh"}; }},
      {{"--entrypoint", ""}, [](const auto &s) { return s.entrypoint && s.entrypoint->empty(); }},
      {{"--env", "A=b"}, [](const auto &s) { return s.environment == Environment{{"A", "b"}}; }},
      {{"-eA=b=c", "-e", "A="}, [](const auto &s) { return s.environment == Environment{{"A", ""}}; }},
      {{"-e", "SKIFF_UNSET"}, [](const auto &s) { return s.environment == Environment{{"SKIFF_UNSET", {}}}; }},
      {{"--env-file", variables, "-e", "C=d"},
       [](const auto &s) { return s.environment == Environment{{"A", "2=3"}, {"B", "'x y'"}, {"C", "d"}}; }},
      {{"--workdir", "/srv"}, [](const auto &s) { return s.working_dir == "/srv"; }},
      {{"-w/srv"}, [](const auto &s) { return s.working_dir == "/srv"; }},
      {{"--user", "web:www"}, [](const auto &s) { return s.user == "web:www"; }},
      {{"-u", "5"}, [](const auto &s) { return s.user == "5"; }},
      {{"--group-add", "audio"}, [](const auto &s) { return s.group_add == Words{"audio"}; }},
      {{"--tty"}, [](const auto &s) { return s.tty && !s.stdin_open; }},
      {{"--interactive"}, [](const auto &s) { return s.stdin_open && !s.tty; }},
      {{"-itd"}, [](const auto &s) { return s.stdin_open && s.tty; }},
      {{"--init"}, [](const auto &s) { return s.init == true; }},
      {{"--init=false"}, [](const auto &s) { return s.init == false; }},
      {{"--rootfs"},
       [](const auto &s) { return s.rootfs.ends_with("/image") && s.rootfs[0] == '/' && s.image.empty(); }},
      {{"--platform", "linux/arm64"}, [](const auto &s) { return s.platform == "linux/arm64"; }},
      {{"--pull", "never"}, [](const auto &s) { return s.pull_policy == "never"; }},
      {{"--label", "a=b=c"}, [](const auto &s) { return s.labels == Labels{{"a", "b=c"}}; }},
      {{"-l", "a"}, [](const auto &s) { return s.labels == Labels{{"a", ""}}; }},
      {{"--label-file", labels}, [](const auto &s) { return s.labels == Labels{{"one", "1"}, {"two", ""}}; }},
      {{"--annotation", "x=y"}, [](const auto &s) { return s.annotations == Labels{{"x", "y"}}; }},
      {{"--runtime", "crun"}, [](const auto &s) { return s.runtime == "crun"; }},
  };
}

std::vector<Case> end_cases() {
  return {
      {{"--stop-signal", "QUIT"}, [](const auto &s) { return s.stop_signal == "QUIT"; }},
      {{"--stop-timeout", "3"}, [](const auto &s) { return s.stop_grace_period == 3s; }},
      {{"--restart", "always"}, [](const auto &s) { return s.restart.policy == Restart::Policy::always; }},
      {{"--restart", "unless-stopped"},
       [](const auto &s) { return s.restart.policy == Restart::Policy::unless_stopped; }},
      {{"--restart", "on-failure:4"},
       [](const auto &s) { return s.restart.policy == Restart::Policy::on_failure && s.restart.max_retries == 4U; }},
      {{"--health-cmd", "curl -f x"},
       [](const auto &s) { return s.health_check.value().test == Words{"CMD-SHELL", "curl -f x"}; }},
      {{"--health-cmd", "none"}, [](const auto &s) { return s.health_check.value().disable; }},
      {{"--health-interval", "1m30s"}, [](const auto &s) { return s.health_check.value().interval == 90s; }},
      {{"--health-timeout", "300ms"}, [](const auto &s) { return s.health_check.value().timeout == 300ms; }},
      {{"--health-retries", "7"}, [](const auto &s) { return s.health_check.value().retries == 7U; }},
      {{"--health-start-period", "2s"}, [](const auto &s) { return s.health_check.value().start_period == 2s; }},
      {{"--health-start-interval", "1s"}, [](const auto &s) { return s.health_check.value().start_interval == 1s; }},
      {{"--no-healthcheck"}, [](const auto &s) { return s.health_check.value().disable; }},
      {{"--log-driver", "local"}, [](const auto &s) { return s.logging.driver == "local"; }},
      {{"--log-opt", "max-size=10m", "--log-opt", "max-file=3"},
       [](const auto &s) {
         return s.logging.options.at("max-size") == "10m" && s.logging.options.at("max-file") == "3";
       }},
  };
}

std::vector<Case> mount_cases() {
  const auto first = [](const Service &s) { return s.mounts.at(0); };
  return {
      {{"--volume", "data:/var/lib:ro,nocopy"},
       [=](const auto &s) {
         const Mount m = first(s);
         return m.kind == Mount::Kind::volume && m.source == "data" && m.target == "/var/lib" && m.read_only &&
                m.no_copy;
       }},
      {{"-v/a:/b:rshared,noexec"},
       [=](const auto &s) {
         const Mount m = first(s);
         return m.kind == Mount::Kind::bind && m.source == "/a" && m.propagation == "rshared" && m.create_host_path &&
                m.options == Words{"noexec"};
       }},
      {{"-v", "/only"}, [=](const auto &s) { return first(s).source.empty() && first(s).target == "/only"; }},
      {{"-v", "./x:/b"},
       [=](const auto &s) { return first(s).source.starts_with("/") && first(s).source.ends_with("/x"); }},
      {{"--mount", "type=bind,\"src=/a,b\",dst=/c,readonly,bind-propagation=rslave,bind-recursive=disabled"},
       [=](const auto &s) {
         const Mount m = first(s);
         return m.source == "/a,b" && m.read_only && m.propagation == "rslave" && m.recursive == "disabled" &&
                !m.create_host_path;
       }},
      {{"--mount", "target=/c,source=v,volume-nocopy,volume-subpath=a/b,ro=false"},
       [=](const auto &s) {
         const Mount m = first(s);
         return m.kind == Mount::Kind::volume && m.no_copy && m.subpath == "a/b" && !m.read_only;
       }},
      {{"--mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770"},
       [=](const auto &s) { return first(s).size == 1048576U && first(s).mode == 01770U; }},
      {{"--tmpfs", "/run:size=1m,exec"},
       [=](const auto &s) {
         return first(s).kind == Mount::Kind::tmpfs && first(s).target == "/run" &&
                first(s).options == (Words{"size=1m", "exec"});
       }},
      {{"--volumes-from", "db:ro"}, [](const auto &s) { return s.volumes_from == Words{"container:db:ro"}; }},
      {{"--read-only"}, [](const auto &s) { return s.read_only; }},
      {{"--shm-size", "128m"}, [](const auto &s) { return s.shm_size == 134217728U; }},
  };
}

bool is_port(const Port &port, int container, std::optional<std::uint16_t> host, const std::string &address,
             const std::string &protocol) {
  return port.container == container && port.host == host && port.host_address == address && port.protocol == protocol;
}

std::vector<Case> network_cases() {
  return {
      {{"--network", "front"},
       [](const auto &s) { return s.networks.at(0).network == "front" && s.network_mode.empty(); }},
      {{"--net", "host"}, [](const auto &s) { return s.network_mode == "host" && s.networks.empty(); }},
      {{"--network", "container:db"}, [](const auto &s) { return s.network_mode == "container:db"; }},
      {{"--network", "default"}, [](const auto &s) { return s.network_mode.empty() && s.networks.empty(); }, true},
      {{"--network",
        "name=n,alias=a,alias=b,ip=10.1.2.3,ip6=fd00::1,mac-address=02:42:ac:11:00:02,interface=net1,gw-priority=-4",
        "--network", "second"},
       [](const auto &s) {
         const Attachment &a = s.networks.at(0);
         return a.network == "n" && a.aliases == (Words{"a", "b"}) && a.ipv4_address == "10.1.2.3" &&
                a.ipv6_address == "fd00::1" && a.mac_address == "02:42:ac:11:00:02" && a.interface_name == "net1" &&
                a.priority == -4 && s.networks.at(1).network == "second";
       }},
      {{"--network-alias", "x", "--network", "n"},
       [](const auto &s) { return s.networks.at(0).aliases == Words{"x"}; }},
      {{"--net-alias", "x", "--network", "n"}, [](const auto &s) { return s.networks.at(0).aliases == Words{"x"}; }},
      {{"--ip", "10.0.0.9", "--network", "n"},
       [](const auto &s) { return s.networks.at(0).ipv4_address == "10.0.0.9"; }},
      {{"--ip6", "fd00::9", "--network", "n"},
       [](const auto &s) { return s.networks.at(0).ipv6_address == "fd00::9"; }},
      {{"--mac-address", "02:42:ac:11:00:03", "--network", "n"},
       [](const auto &s) { return s.networks.at(0).mac_address == "02:42:ac:11:00:03"; }},
      {{"--publish", "8080:80"}, [](const auto &s) { return is_port(s.ports.at(0), 80, 8080, "", "tcp"); }},
      {{"-p80"}, [](const auto &s) { return is_port(s.ports.at(0), 80, {}, "", "tcp"); }},
      {{"-p", "127.0.0.1::53/udp"}, [](const auto &s) { return is_port(s.ports.at(0), 53, {}, "127.0.0.1", "udp"); }},
      {{"-p", "[::1]:1000-1002:80-82"},
       [](const auto &s) {
         return s.ports.size() == 3 && is_port(s.ports.at(2), 82, 1002, "::1", "tcp") &&
                is_port(s.ports.at(0), 80, 1000, "::1", "tcp");
       }},
      {{"-p", "::1:90:80/sctp"}, [](const auto &s) { return is_port(s.ports.at(0), 80, 90, "::1", "sctp"); }},
      {{"--expose", "80-81/udp"}, [](const auto &s) { return s.expose == (Words{"80/udp", "81/udp"}); }},
      {{"--hostname", "h"}, [](const auto &s) { return s.hostname == "h"; }},
      {{"-hx"}, [](const auto &s) { return s.hostname == "x"; }},
      {{"--domainname", "d"}, [](const auto &s) { return s.domainname == "d"; }},
      {{"--dns", "10.0.0.1", "--dns", "::1"}, [](const auto &s) { return s.dns == (Words{"10.0.0.1", "::1"}); }},
      {{"--dns-search", "example.org"}, [](const auto &s) { return s.dns_search == Words{"example.org"}; }},
      {{"--dns-option", "ndots:2"}, [](const auto &s) { return s.dns_options == Words{"ndots:2"}; }},
      {{"--dns-opt", "ndots:2"}, [](const auto &s) { return s.dns_options == Words{"ndots:2"}; }},
      {{"--add-host", "a:10.0.0.1", "--add-host", "b:[::1]", "--add-host", "c=host-gateway", "--add-host", "d:fd00::5"},
       [](const auto &s) {
         using Hosts = std::vector<std::pair<std::string, std::string>>;
         return s.extra_hosts == Hosts{{"a", "10.0.0.1"}, {"b", "::1"}, {"c", "host-gateway"}, {"d", "fd00::5"}};
       }},
  };
}

std::vector<Case> resource_cases() {
  const auto rate = [](const std::vector<ThrottleDevice> &devices, std::uint64_t value) {
    return devices.size() == 1 && devices[0].path == "/dev/null" && devices[0].rate == value;
  };
  return {
      {{"--memory", "64m"}, [](const auto &s) { return s.resources.memory == 67108864; }},
      {{"-m1g"}, [](const auto &s) { return s.resources.memory == 1073741824; }},
      {{"--memory-swap", "-1"}, [](const auto &s) { return s.resources.memory_swap == -1; }},
      {{"--memory-reservation", "1k"}, [](const auto &s) { return s.resources.memory_reservation == 1024; }},
      {{"--memory-swappiness", "0"}, [](const auto &s) { return s.resources.memory_swappiness == 0; }},
      {{"--cpus", "1.5"}, [](const auto &s) { return s.resources.cpus == 1.5; }},
      {{"--cpu-shares", "512"}, [](const auto &s) { return s.resources.cpu_shares == 512U; }},
      {{"-c", "512"}, [](const auto &s) { return s.resources.cpu_shares == 512U; }},
      {{"--cpu-weight", "300"}, [](const auto &s) { return s.resources.cpu_weight == 300U; }},
      {{"--cpu-quota", "-1"}, [](const auto &s) { return s.resources.cpu_quota == -1; }},
      {{"--cpu-period", "50000"}, [](const auto &s) { return s.resources.cpu_period == 50000U; }},
      {{"--cpuset-cpus", "0-1"}, [](const auto &s) { return s.resources.cpuset_cpus == "0-1"; }},
      {{"--cpuset-mems", "0"}, [](const auto &s) { return s.resources.cpuset_mems == "0"; }},
      {{"--io-weight", "500"}, [](const auto &s) { return s.resources.block_io.weight == 500; }},
      {{"--blkio-weight", "600"}, [](const auto &s) { return s.resources.block_io.weight == 600; }},
      {{"--blkio-weight-device", "/dev/null:400"},
       [=](const auto &s) { return rate(s.resources.block_io.weight_device, 400); }},
      {{"--device-read-bps", "/dev/null:1m"},
       [=](const auto &s) { return rate(s.resources.block_io.read_bps, 1048576); }},
      {{"--device-write-bps", "/dev/null:2k"},
       [=](const auto &s) { return rate(s.resources.block_io.write_bps, 2048); }},
      {{"--device-read-iops", "/dev/null:30"}, [=](const auto &s) { return rate(s.resources.block_io.read_iops, 30); }},
      {{"--device-write-iops", "/dev/null:40"},
       [=](const auto &s) { return rate(s.resources.block_io.write_iops, 40); }},
      {{"--pids-limit", "20"}, [](const auto &s) { return s.resources.pids == 20; }},
      {{"--oom-score-adj", "-500"}, [](const auto &s) { return s.resources.oom_score_adj == -500; }},
      {{"--oom-kill-disable"}, [](const auto &s) { return s.resources.oom_kill_disable; }},
      {{"--ulimit", "nofile=10:20", "--ulimit", "core=-1"},
       [](const auto &s) {
         return s.ulimits.size() == 2 && s.ulimits[0].name == "nofile" && s.ulimits[0].soft == 10 &&
                s.ulimits[0].hard == 20 && s.ulimits[1].hard == ~std::uint64_t{0};
       }},
      {{"--sysctl", "net.a=1 2"}, [](const auto &s) { return s.sysctls.at("net.a") == "1 2"; }},
      {{"--cgroup-parent", "/mine"}, [](const auto &s) { return s.cgroup_parent == "/mine"; }},
  };
}

std::vector<Case> security_cases() {
  const auto device = [](const Service &s) { return s.devices.at(0); };
  return {
      {{"--device", "/dev/a:/dev/b:r"},
       [=](const auto &s) {
         return device(s).source == "/dev/a" && device(s).target == "/dev/b" && device(s).permissions == "r";
       }},
      {{"--device", "/dev/a:rw"},
       [=](const auto &s) { return device(s).target == "/dev/a" && device(s).permissions == "rw"; }},
      {{"--device", "vendor.com/net=card0"}, [=](const auto &s) { return device(s).source == "vendor.com/net=card0"; }},
      {{"--device-cgroup-rule", "c 1:* rmw"},
       [](const auto &s) { return s.device_cgroup_rules == Words{"c 1:* rmw"}; }},
      {{"--gpus", "all"}, [](const auto &s) { return s.gpus == Words{"all"}; }},
      {{"--gpus", "2"}, [](const auto &s) { return s.gpus == (Words{"0", "1"}); }},
      {{"--gpus", "device=3,GPU-x"}, [](const auto &s) { return s.gpus == (Words{"3", "GPU-x"}); }},
      {{"--gpus", "\"device=0,2\",driver=nvidia"}, [](const auto &s) { return s.gpus == (Words{"0", "2"}); }},
      {{"--gpus", "amd.com/gpu=0"}, [](const auto &s) { return s.gpus == Words{"amd.com/gpu=0"}; }},
      {{"--cap-add", "NET_ADMIN"}, [](const auto &s) { return s.cap_add == Words{"NET_ADMIN"}; }},
      {{"--cap-drop", "ALL"}, [](const auto &s) { return s.cap_drop == Words{"ALL"}; }},
      {{"--privileged"}, [](const auto &s) { return s.privileged; }},
      {{"--security-opt", "no-new-privileges", "--security-opt", "seccomp=/p.json"},
       [](const auto &s) { return s.security_opt == (Words{"no-new-privileges", "seccomp=/p.json"}); }},
      {{"--security-opt", "seccomp=unconfined"},
       [](const auto &s) { return s.security_opt == Words{"seccomp=unconfined"}; }},
      {{"--seccomp", "strict"}, [](const auto &s) { return s.seccomp == "strict"; }},
      {{"--seccomp", "p.json"},
       [](const auto &s) { return s.seccomp.starts_with("/") && s.seccomp.ends_with("/p.json"); }},
      {{"--userns", "keep-id"}, [](const auto &s) { return s.userns_mode == "keep-id"; }},
      {{"--uid-map", "0:100:10"}, [](const auto &s) { return s.uid_maps == Words{"0:100:10"}; }},
      {{"--uidmap", "0:100:10"}, [](const auto &s) { return s.uid_maps == Words{"0:100:10"}; }},
      {{"--gid-map", "0:100:10"}, [](const auto &s) { return s.gid_maps == Words{"0:100:10"}; }},
      {{"--gidmap", "0:100:10"}, [](const auto &s) { return s.gid_maps == Words{"0:100:10"}; }},
      {{"--pid", "host"}, [](const auto &s) { return s.pid_mode == "host"; }},
      {{"--ipc", "none"}, [](const auto &s) { return s.ipc_mode == "none"; }},
      {{"--uts", "host"}, [](const auto &s) { return s.uts_mode == "host"; }},
      {{"--cgroupns", "host"}, [](const auto &s) { return s.cgroup_mode == "host"; }},
  };
}

// Not of a service: what the command itself does.
const std::set<std::string_view> of_the_command = {"attach",      "quiet",  "cidfile",     "rm",
                                                   "publish-all", "detach", "detach-keys", "sig-proxy"};

// The same without the flag: false, or what it looks at is not there.
bool holds_without(const Case &one) {
  try {
    return one.effect(good({"--name", "other"}));
  } catch (const std::exception &) {
    return false;
  }
}

TEST(RunFlags, EachHasItsEffectOnTheService) {
  const TemporaryDirectory files;
  std::set<std::string_view> covered = of_the_command;
  // service_run_test has those.
  for (const cli::FlagSpec &flag : service_flags) covered.insert(flag.name);
  for (const auto &cases :
       {process_cases(files), end_cases(), mount_cases(), network_cases(), resource_cases(), security_cases()}) {
    for (const Case &one : cases) {
      const Result<Service> service = service_of(one.words);
      ASSERT_TRUE(service) << service.error().message();
      EXPECT_TRUE(one.effect(*service)) << one.words.front() << " " << one.words.back();
      EXPECT_EQ(holds_without(one), one.is_default) << one.words.front() << ": the test cannot fail";
      for (const cli::FlagSpec &flag : run_flags) {
        if (one.words.front() == "--" + std::string(flag.name)) covered.insert(flag.name);
      }
    }
  }
  for (const cli::FlagSpec &flag : run_flags)
    EXPECT_TRUE(covered.contains(flag.name)) << "--" << flag.name << " has no test";
}

TEST(RunFlags, WhatFollowsTheImageIsItsCommand) {
  const std::vector<std::string_view> arguments = {"ls", "-l"};
  const Result<Service> service = service_of_flags(cli::Flags(run_flags), "image", arguments);
  ASSERT_TRUE(service);
  EXPECT_EQ(service->command, (Words{"ls", "-l"}));
  EXPECT_EQ(service->image, "image");
  EXPECT_FALSE(service_of_flags(cli::Flags(run_flags), "image", {})->command);
}

TEST(RunFlags, AVariableWithoutAValueIsTheCallersOwn) {
  ASSERT_EQ(::setenv("SKIFF_TEST_VARIABLE", "mine", 1), 0);
  EXPECT_EQ(good({"-e", "SKIFF_TEST_VARIABLE"}).environment, (Environment{{"SKIFF_TEST_VARIABLE", "mine"}}));
  ::unsetenv("SKIFF_TEST_VARIABLE");
}

TEST(RunFlags, WhatIsWrongIsNamedWithARemedy) {
  EXPECT_EQ(why({"--restart", "on-fail"}),
            "--restart: \"on-fail\" is no policy; use no, always, unless-stopped or on-failure[:TIMES]");
  EXPECT_NE(why({"--restart", "always:3"}).find("is no policy"), std::string::npos);
  EXPECT_EQ(why({"--restart", "always", "--rm"}), "--restart and --rm contradict each other; leave one of them out");
  EXPECT_EQ(why({"-p", "80:99999"}),
            "--publish \"80:99999\": \"99999\" is no port; write a number from 1 to 65535, or a range such as 80-89");
  EXPECT_NE(why({"-p", "1-3:80-81"}).find("different lengths"), std::string::npos);
  EXPECT_NE(why({"-p", "host:80:80"}).find("is no address of this host"), std::string::npos);
  EXPECT_NE(why({"-p", "80/tcpp"}).find("did you mean"), std::string::npos) << why({"-p", "80/tcpp"});
  EXPECT_NE(why({"-v", "a:b"}).find("is no absolute path"), std::string::npos);
  EXPECT_NE(why({"-v", "a/b:/c"}).find("a path starts with / or ./"), std::string::npos);
  EXPECT_NE(why({"-v", "a:/"}).find("cannot be mounted over"), std::string::npos);
  EXPECT_NE(why({"-v", "a:/b:r0"}).find("\"r0\" is no option of a mount"), std::string::npos);
  EXPECT_NE(why({"-v", "a:/b", "--tmpfs", "/b"}).find("/b is mounted twice"), std::string::npos);
  EXPECT_NE(why({"--mount", "type=bind,dst=/b"}).find("has no source"), std::string::npos);
  EXPECT_NE(why({"--mount", "type=volume,dst=/b,tmpfs-size=1m"}).find("it needs type=tmpfs"), std::string::npos);
  EXPECT_NE(why({"--mount", "typ=bind"}).find("did you mean"), std::string::npos);
  EXPECT_NE(why({"--network", "host", "--network", "a"}).find("stand alone"), std::string::npos);
  EXPECT_NE(why({"--network", "name=a,ip=1.2.3"}).find("is no IPv4 address"), std::string::npos);
  EXPECT_NE(why({"--ip", "10.0.0.1"}).find("name one with --network"), std::string::npos);
  EXPECT_NE(why({"--network", "name=a,mac-address=02:42"}).find("is no hardware address"), std::string::npos);
  EXPECT_NE(why({"--add-host", "a:b"}).find("is no address"), std::string::npos);
  EXPECT_NE(why({"--cpus", "two"}).find("is no number of cores"), std::string::npos);
  EXPECT_NE(why({"--ulimit", "nofiles=1"}).find("did you mean \"nofile\"?"), std::string::npos);
  EXPECT_NE(why({"--ulimit", "nofile=2:1"}).find("above the hard limit"), std::string::npos);
  EXPECT_NE(why({"--device", "fuse"}).find("neither an absolute path"), std::string::npos);
  EXPECT_NE(why({"--no-healthcheck", "--health-cmd", "x"}).find("contradict"), std::string::npos);
  EXPECT_NE(why({"--io-weight", "5"}).find("not from 10 to 1000"), std::string::npos);
  EXPECT_NE(why({"--env-file", "/no/such"}).find("--env-file: "), std::string::npos);
  EXPECT_NE(why({"-e", "=x"}).find("has no name"), std::string::npos);
  EXPECT_NE(why({"--gpus", "devices=1"}).find("\"devices\" is unknown"), std::string::npos);
}

TEST(EnvFile, AnErrorNamesTheLine) {
  const TemporaryDirectory files;
  const std::string path = file_with(files, "bad", "A=1\n=2\n");
  EXPECT_NE(why({"--env-file", path}).find(path + ":2: \"=2\" has no name"), std::string::npos);
}

}  // namespace
}  // namespace skiff::compose
