// runtime-spec 1.3.0, runtime.md, "State", and what the runtime itself keeps beside it in ROOT/ID/state.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"

namespace skiff::spec {

enum class ContainerStatus : std::uint8_t { creating, created, running, paused, stopped };
[[nodiscard]] std::string_view status_name(ContainerStatus status);

// What `state` prints and hooks read on stdin; the keys and their order are runc's: ociVersion, id, pid (0 when
// stopped), status, bundle, rootfs, created, annotations, owner. A hook's state has no rootfs, created and owner.
struct State {
  std::string oci_version;
  std::string id;
  int pid = 0;
  ContainerStatus status = ContainerStatus::creating;
  std::string bundle;
  std::string rootfs;
  std::string created;  // RFC 3339 with nanoseconds, UTC
  StringMap annotations;
  std::string owner;
};
// None of these ends with a newline. `pretty` is indented by two spaces; otherwise one line.
[[nodiscard]] std::string print_state(const State &state, bool pretty);
[[nodiscard]] std::string print_states(
    const std::vector<State> &states);                           // `list --format json`: one line, null for none
[[nodiscard]] std::string print_hook_state(const State &state);  // ociVersion, id, status, pid, bundle, annotations

// What a seccomp agent gets with the listener's descriptor: config-linux.md, "The Container Process State". `pid` is
// the process under the filter, as the runtime sees it.
[[nodiscard]] std::string print_container_process_state(const State &state, int pid, const std::string &metadata);

// The record the runtime keeps of one container; what is left out here stands in ROOT/ID/config.json.
struct Record {
  std::string oci_version;
  std::string id;
  int pid = 0;                   // 0 until the init process exists
  std::uint64_t start_time = 0;  // of that process, in clock ticks since boot: tells a reused pid apart
  std::string bundle;
  std::string rootfs;  // absolute
  std::string created;
  StringMap annotations;
  std::uint32_t owner_uid = 0;
  bool ready = false;                     // create reached its end; before that the status is "creating"
  bool new_pid_namespace = false;         // the kernel kills the rest when init dies
  bool has_late_hooks = false;            // start and delete read config.json only for poststart and poststop hooks
  bool time_namespace = false;            // restored: CRIU puts every container into one of its own
  std::string cgroup_manager;             // cgroupfs, systemd, disabled: remembered for exec, update, delete
  std::string systemd_scope;              // the scope's unit name where systemd made it
  std::vector<std::string> cgroup_paths;  // absolute directories, one a hierarchy; the freezer's is first on v1
  // linux.intelRdt, absolute; empty: none. Removed with the container: the group only where it was made for it.
  std::string intel_rdt_path;
  std::string intel_rdt_monitor_path;
  bool intel_rdt_made = false;
  // What descriptors 0, 1 and 2 were when the container was made, as /proc/PID/fd shows them; none with a terminal. Of
  // a restored container those that it got then.
  std::vector<std::string> descriptors;
  // Without a mount namespace: the unique id of the mount over the rootfs, to be detached with the container; else 0.
  std::uint64_t host_mount = 0;
};
[[nodiscard]] std::string print_record(const Record &record);
[[nodiscard]] Result<Record> parse_record(std::string_view json);

// descriptors.json beside a checkpoint's images, as runc and crun have it: an array of Record::descriptors.
[[nodiscard]] std::string print_descriptors(const std::vector<std::string> &descriptors);
[[nodiscard]] Result<std::vector<std::string>> parse_descriptors(std::string_view json);

}  // namespace skiff::spec
