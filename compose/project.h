// The typed model of a project, shaped after the compose-spec: what compose.yaml and .ctst files become, and what the
// flags of `run` fill one service of. Everything after it (plan, up, run, ps ...) knows neither language.
//
// An absent std::optional, an empty string or list means "not said"; what a default is, lower.h and its kin decide.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compose/value.h"

namespace skiff::compose {

using Duration = std::chrono::nanoseconds;
// In the order of the file, for "KEY without =" as well: absent means that the variable is unset in the container.
using Environment = std::vector<std::pair<std::string, std::optional<std::string>>>;
using Labels = std::map<std::string, std::string>;

struct Build {
  std::string context;  // an absolute path
  std::string dockerfile;
  std::string dockerfile_inline;
  Environment args;
  std::string target;
  std::vector<std::string> tags;
  bool no_cache = false;
  bool pull = false;
};

// One published or only named port; ranges are expanded.
struct Port {
  std::uint16_t container = 0;
  std::optional<std::uint16_t> host;       // absent: one that is free
  std::optional<std::uint16_t> host_last;  // of `HOST-LAST:CONTAINER`: one from host to this that is free
  std::string host_address;                // empty: every address, IPv4 and IPv6
  std::string protocol = "tcp";            // tcp, udp, sctp
};

struct Mount {
  enum class Kind : std::uint8_t { bind, volume, tmpfs };
  Kind kind = Kind::volume;
  std::string source;  // bind: an absolute path; volume: the project's key, empty for an anonymous one
  std::string target;
  bool read_only = false;
  bool create_host_path = true;       // bind, the short form: made as a directory where it is missing
  std::string propagation;            // bind
  std::string recursive;              // bind: enabled, disabled, writable, readonly
  bool no_copy = false;               // volume: the image's content is not copied into a new one
  std::string subpath;                // volume
  std::optional<std::uint64_t> size;  // tmpfs, bytes
  std::optional<std::uint32_t> mode;  // tmpfs
  std::vector<std::string> options;   // of `--tmpfs DIR:OPTIONS`
};

// A secret or a config as a file in the container.
struct FileMount {
  std::string source;  // the project's key
  std::string target;  // an absolute path
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::optional<std::uint32_t> mode;
};

struct Attachment {     // to a network
  std::string network;  // the project's key
  std::vector<std::string> aliases;
  std::string ipv4_address;
  std::string ipv6_address;
  std::string mac_address;
  std::string interface_name;
  std::int64_t priority = 0;
};

struct Dependency {
  enum class Condition : std::uint8_t { started, healthy, completed };
  std::string service;
  Condition condition = Condition::started;
  bool restart = false;
  bool required = true;
};

struct HealthCheck {
  bool disable = false;
  std::vector<std::string> test;  // "CMD" and words, "CMD-SHELL" and a line, "NONE"; empty: the image's
  std::optional<Duration> interval;
  std::optional<Duration> timeout;
  std::optional<Duration> start_period;
  std::optional<Duration> start_interval;
  std::optional<std::uint32_t> retries;
};

struct Restart {
  enum class Policy : std::uint8_t { no, always, on_failure, unless_stopped };
  Policy policy = Policy::no;
  std::optional<std::uint32_t> max_retries;  // on_failure
  std::optional<Duration> delay;             // deploy.restart_policy
  std::optional<Duration> window;
};

struct Ulimit {
  std::string name;  // "nofile"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct ThrottleDevice {
  std::string path;
  std::uint64_t rate = 0;
};

struct BlockIo {
  std::optional<std::uint16_t> weight;
  std::vector<ThrottleDevice> weight_device, read_bps, write_bps, read_iops, write_iops;
};

struct Resources {
  std::optional<std::int64_t> memory;  // bytes; -1 without a limit
  std::optional<std::int64_t> memory_swap;
  std::optional<std::int64_t> memory_reservation;
  std::optional<std::uint8_t> memory_swappiness;
  std::optional<double> cpus;  // cores, as a quota
  std::optional<std::uint64_t> cpu_shares;
  std::optional<std::int64_t> cpu_quota;
  std::optional<std::uint64_t> cpu_period;
  std::optional<std::uint64_t> cpu_weight;  // cgroup v2's own
  std::string cpuset_cpus;
  std::string cpuset_mems;
  std::optional<std::int64_t> pids;  // -1 without a limit
  BlockIo block_io;
  bool oom_kill_disable = false;
  std::optional<std::int32_t> oom_score_adj;
};

struct Device {
  std::string source;  // a path, or a CDI name such as vendor.com/class=name
  std::string target;
  std::string permissions = "rwm";
};

struct Logging {
  std::string driver;                          // json-file, local, none; empty: json-file
  std::map<std::string, std::string> options;  // max-size, max-file
};

struct Hook {  // post_start, pre_stop
  std::vector<std::string> command;
  std::string user;
  std::string working_dir;
  Environment environment;
  bool privileged = false;
};

struct WatchRule {  // develop.watch
  std::string path;
  std::string action;  // rebuild, restart, sync, sync+restart, sync+exec
  std::string target;
  std::vector<std::string> ignore;
  std::vector<std::string> include;
  Hook exec;  // sync+exec
  bool initial_sync = false;
};

struct Service {
  std::string name;
  Position at;
  std::string image;   // a reference or one of the transports of skiff-image; empty where it is only built
  std::string rootfs;  // `--rootfs`, file:// of .ctst: an unpacked root filesystem in place of an image
  std::optional<Build> build;
  std::string platform;
  std::string pull_policy;                             // always, never, missing, build, daily, weekly, every_<duration>
  std::optional<std::vector<std::string>> command;     // absent: the image's; empty: none
  std::optional<std::vector<std::string>> entrypoint;  // the same
  Environment environment;                             // env_file merged in
  std::string container_name;
  std::string hostname;
  std::string domainname;
  std::string user;
  std::vector<std::string> group_add;
  std::string working_dir;
  Labels labels;
  Labels annotations;
  std::vector<Port> ports;
  std::vector<std::string> expose;
  std::vector<Mount> mounts;
  std::vector<std::string> volumes_from;  // "NAME[:ro]" or "container:NAME[:ro]"
  std::vector<FileMount> secrets;
  std::vector<FileMount> configs;
  std::vector<Attachment> networks;  // none with a network_mode
  std::string network_mode;          // host, none, service:NAME, container:NAME
  std::string pid_mode, ipc_mode, uts_mode, userns_mode, cgroup_mode;
  std::string cgroup_parent;
  std::vector<std::string> dns, dns_search, dns_options;
  std::vector<std::pair<std::string, std::string>> extra_hosts;  // name, address or "host-gateway"
  std::string mac_address;
  std::vector<Dependency> depends_on;
  std::optional<HealthCheck> health_check;
  Restart restart;
  std::string stop_signal;
  std::optional<Duration> stop_grace_period;
  std::vector<Hook> post_start, pre_stop;
  std::uint32_t replicas = 1;
  Resources resources;
  std::vector<Ulimit> ulimits;
  std::optional<std::uint64_t> shm_size;
  std::map<std::string, std::string> sysctls;
  std::vector<std::string> cap_add, cap_drop;
  bool privileged = false;
  bool read_only = false;
  std::vector<std::string> security_opt;
  std::string seccomp;                          // default, minimal, strict, disabled, or a file
  std::vector<std::string> uid_maps, gid_maps;  // "CONTAINER:HOST:SIZE"
  std::vector<Device> devices;
  std::vector<std::string> device_cgroup_rules;
  std::vector<std::string> gpus;  // CDI names, or a name alone of any vendor's class gpu
  bool tty = false;
  bool stdin_open = false;
  std::optional<bool> init;
  std::string runtime;
  Logging logging;
  std::vector<WatchRule> watch;
  std::vector<std::string> profiles;
  bool attach = true;
  bool drops_all_capabilities = false;  // of .ctst: none but cap_add
  // Of .ctst: where "${secret.NAME}" stands for the value of the project's secret of that key, and "$$" for "$":
  // "command", "entrypoint", "environment.KEY". Elsewhere both are letters. Only with_secrets (secrets.h) fills them
  // in, for the container's configuration alone.
  std::vector<std::string> secret_references;
};

struct AddressPool {  // networks.*.ipam.config[]
  std::string subnet;
  std::string gateway;
  std::string range;
  std::map<std::string, std::string> reserved;
};

struct Network {
  std::string key;
  std::string name;    // on this host: PROJECT_KEY, or what `name:` says
  std::string driver;  // bridge; empty: bridge
  std::map<std::string, std::string> driver_options;
  bool external = false;
  bool internal = false;
  bool attachable = false;
  bool enable_ipv6 = false;
  std::vector<AddressPool> pools;
  Labels labels;
};

struct Volume {
  std::string key;
  std::string name;
  std::string driver;
  std::map<std::string, std::string> driver_options;  // type, o, device of the local driver
  bool external = false;
  Labels labels;
};

// Of a secret or a config: exactly one of file, environment, content and external.
struct FileSource {
  std::string key;
  std::string name;
  std::string file;  // an absolute path
  std::string environment;
  std::optional<std::string> content;  // configs only
  bool external = false;
};

struct Project {
  std::string name;
  std::string directory;              // absolute: what relative paths are relative to
  std::vector<std::string> files;     // absolute
  std::vector<Service> services;      // in the order of the files; only those of active profiles
  std::vector<std::string> disabled;  // services that no active profile has
  std::vector<std::string> profiles;  // all that a service names, active or not
  std::vector<Network> networks;
  std::vector<Volume> volumes;
  std::vector<FileSource> secrets;
  std::vector<FileSource> configs;
  std::map<std::string, std::string> environment;  // the shell's and .env's: where secrets `environment:` come from
  // What `config` prints: the canonical tree this was made of, with long forms throughout.
  Value canonical;

  [[nodiscard]] const Service *find(std::string_view service) const;
};

}  // namespace skiff::compose
