// A container as skiff-compose knows it. The record says what it is meant to be; what it is now is asked of the kernel
// every time, so that a reboot, a SIGKILL or an out-of-memory kill is never overlooked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compose/project.h"
#include "compose/state.h"
#include "spec/config.h"

namespace skiff::compose {

// What is mounted in a container, as `inspect` shows it and `rm -v` removes it.
struct MountRecord {
  Mount::Kind kind = Mount::Kind::volume;
  std::string name;    // of a volume, on this host
  std::string source;  // the host's directory
  std::string target;
  bool read_only = false;
  bool anonymous = false;    // a volume without a name goes with its container
  std::string subpath = {};  // of a volume: the part of `source` that is mounted
};

// A line of its /etc/hosts.
struct ExtraHost {
  std::string name;
  std::string address;  // or "host-gateway"
};

// DATA/containers/ID/record.json. It does not hold the environment, which may be secret and is in the bundle alone.
struct ContainerRecord {
  std::string id;  // 64 hexadecimal digits
  std::string name;
  std::string project;  // empty: of no project
  std::string service;
  std::uint32_t number = 0;         // of the service's containers, from 1
  bool one_off = false;             // of `compose run`
  std::string config_hash;          // of the service it was made of
  std::string image;                // as it was named
  std::string image_id;             // the digest of its configuration
  std::string created;              // time_text
  bool ready = false;               // its creator came to the end; before that it is no container yet
  std::string rootfs;               // of --rootfs
  std::vector<std::string> layers;  // the host's directories of the overlay, the base first; empty: no overlay
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;  // entrypoint and command are what runs
  std::string hostname;
  std::string domainname;
  std::vector<std::string> dns, dns_search, dns_options;
  std::vector<ExtraHost> extra_hosts;
  std::string user;
  std::string working_dir;
  std::string platform;
  Labels labels;
  Restart restart;
  std::optional<HealthCheck> health_check;  // with the image's
  std::vector<Port> ports;                  // published; a host port that was free is filled in when it is attached
  std::vector<std::string> exposed;         // "80/tcp"
  std::vector<Attachment> networks;         // their `network` is the name on this host
  std::string network_mode;                 // host, none, container:NAME; empty: `networks`
  std::string pid_mode, ipc_mode;           // container:NAME is joined at each start, here and below
  std::string uts_mode, userns_mode, cgroup_mode;
  std::vector<spec::IdMapping> uid_mappings, gid_mappings;  // of its user namespace, which may be another one's
  bool ids_are_reserved = false;                            // `--userns auto` gives them to no other container
  std::optional<std::uint64_t> shm_size;
  std::vector<MountRecord> mounts;
  Logging logging;
  std::string stop_signal;               // empty: SIGTERM
  std::optional<Duration> stop_timeout;  // absent: 10 s
  std::vector<Hook> post_start, pre_stop;
  bool tty = false;
  bool stdin_open = false;
  bool stdin_once = false;  // the first one attached to its end closes it for good
  bool auto_remove = false;
  bool privileged = false;
};

// DATA/containers/ID/run.json: the last time it was started. Processes are named by pid and start time, and count in
// the boot they were started in.
struct RunRecord {
  std::string boot_id;
  pid_t pid = 0;  // 0 until there is one
  std::uint64_t start_time = 0;
  pid_t monitor_pid = 0;
  std::uint64_t monitor_start_time = 0;
  std::string started;   // time_text; empty: its program never ran
  std::string finished;  // the rest is of a run that is over
  int exit_code = 0;
  bool oom_killed = false;
  std::string error;
  bool stopped_by_user = false;  // by stop, kill or rm: no policy restarts it
  bool settled = false;          // what the run left in the kernel is removed
  std::uint32_t restarts = 0;    // by its policy, since somebody started it
};

struct ContainerState {
  enum class Phase : std::uint8_t { created, running, paused, restarting, exited };
  Phase phase = Phase::created;
  RunRecord run;
  std::string health;  // starting, healthy, unhealthy; empty: no check

  [[nodiscard]] bool is_running() const { return phase == Phase::running || phase == Phase::paused; }
};
// As docker writes it.
[[nodiscard]] std::string_view phase_name(ContainerState::Phase phase);

struct Container {
  ContainerRecord record;
  ContainerState state;

  [[nodiscard]] const std::string &id() const { return record.id; }
  [[nodiscard]] std::string short_id() const { return record.id.substr(0, 12); }
};

// Every container that is ready, the newest first. Filter by record.project and record.service.
[[nodiscard]] Result<std::vector<Container>> list_containers(const Places &places);
// By name, by id, or by the beginning of an id that no other has. ENOENT with the near name as its remedy.
[[nodiscard]] Result<Container> find_container(const Places &places, const std::string &name);
// Its id alone.
[[nodiscard]] Result<std::string> find_id(const Places &places, const std::string &name);
[[nodiscard]] Result<Container> load_container(const Places &places, const std::string &id);

[[nodiscard]] Status save_record(const Places &places, const ContainerRecord &record);
[[nodiscard]] Status save_run(const Places &places, const std::string &id, const RunRecord &run);
[[nodiscard]] Result<ContainerRecord> load_record(const Places &places, const std::string &id);
[[nodiscard]] Result<RunRecord> load_run(const Places &places, const std::string &id);  // empty where it never ran
[[nodiscard]] Result<ContainerState> read_state(const Places &places, const std::string &id);

// Held while a container is changed: create, start, stop, rm, and what follows its end. ENOENT where it is gone.
[[nodiscard]] Result<kernel::Fd> lock_container(const Places &places, const std::string &id);

// What docker accepts as a name: [a-zA-Z0-9][a-zA-Z0-9_.-]+.
[[nodiscard]] Status check_name(const std::string &name);
// Makes the name stand for the id. EEXIST with whose it is; one that a killed creator left is taken over.
[[nodiscard]] Status claim_name(const Places &places, const std::string &name, const std::string &id);
[[nodiscard]] Status release_name(const Places &places, const std::string &name, const std::string &id);

}  // namespace skiff::compose
