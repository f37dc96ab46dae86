#include <fmt/format.h>
#include <signal.h>

#include "compose/events.h"
#include "compose/half_made.h"
#include "compose/lifecycle.h"
#include "compose/network.h"
#include "compose/rootfs_mount.h"
#include "compose/run_watch.h"
#include "compose/shared_memory.h"
#include "compose/signal_name.h"
#include "compose/volume.h"
#include "compose/volume_parts.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"
#include "runtime/kernel/process.h"
#include "spec/state.h"

namespace skiff::compose {
namespace {

constexpr Duration default_stop_timeout = std::chrono::seconds(10);

// memory.events of v2 and memory.oom_control of v1 both have a line "oom_kill N".
bool counts_oom_kill(const std::string &text) {
  const std::size_t at = text.find("oom_kill ");
  return at != std::string::npos && text.substr(at + 9, 1) != "0";
}

bool was_oom_killed(const Places &places, const std::string &id) {
  const Result<std::string> text = read_if_there(places.runtime_root() + "/" + id + "/state.json");
  if (!text || text->empty()) return false;
  const Result<spec::Record> record = spec::parse_record(*text);
  if (!record) return false;
  for (const std::string &directory : record->cgroup_paths) {
    for (const char *name : {"/memory.events", "/memory.oom_control"}) {
      const Result<std::string> counts = read_if_there(directory + name);
      if (counts && counts_oom_kill("\n" + *counts)) return true;
    }
  }
  return false;
}

Status forget_network(const Engine &engine, const ContainerRecord &record) {
  if (!record.network_mode.empty()) return {};
  return detach_networks(engine.places, record.id);
}

// Before it is asked whether it runs: the lock waits for a start that is under way, a restart by policy may be.
Status mark_stopped(const Engine &engine, const std::string &id) {
  const kernel::Fd lock = TRY(lock_container(engine.places, id));
  RunRecord run = TRY(load_run(engine.places, id));
  if (run.stopped_by_user || run.boot_id.empty()) return {};
  run.stopped_by_user = true;
  return save_run(engine.places, id, run);
}

// Only what runs takes a signal.
Status thaw(const Engine &engine, const Container &container) {
  if (container.state.phase != ContainerState::Phase::paused) return {};
  TRY(call_program(engine.run_runtime({"resume", container.id()})));
  return {};
}

std::chrono::milliseconds patience_of(const StopOptions &options, const ContainerRecord &record) {
  const Duration timeout = options.timeout.value_or(record.stop_timeout.value_or(default_stop_timeout));
  if (timeout < Duration(0)) return kernel::forever;
  return std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
}

}  // namespace

Status signal_container(const Engine &engine, const Container &container, int signal) {
  if (!container.state.is_running()) {
    return fail(ESRCH, fmt::format("{} does not run", container.record.name));
  }
  const kernel::Fd process = TRY(kernel::pidfd_open(container.state.run.pid));
  // Between the record and the descriptor the number may have become another's.
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  if (TRY(proc.read_start_time(container.state.run.pid)) != container.state.run.start_time) {
    return fail(ESRCH, fmt::format("{} does not run", container.record.name));
  }
  TRY(kernel::pidfd_send_signal(process, signal));
  record_event(engine.places, container.record, "kill", {{"signal", std::to_string(signal)}});
  return {};
}

Status stop_container(const Engine &engine, const std::string &id, const StopOptions &options) {
  if (options.by_user) TRY(mark_stopped(engine, id));
  const Container container = TRY(load_container(engine.places, id));
  if (!container.state.is_running()) return settle(engine, id);
  RunWatch watch = TRY(RunWatch::open(engine, id));
  TRY(thaw(engine, container));
  const std::string name = !options.signal.empty() ? options.signal : container.record.stop_signal;
  const int signal = name.empty() ? SIGTERM : TRY(parse_signal(name));
  const Status sent = signal_container(engine, container, signal);
  if (!sent && sent.error().number != ESRCH) return sent;
  if (!TRY(watch.wait(patience_of(options, container.record)))) {
    const Status killed = signal_container(engine, container, SIGKILL);
    if (!killed && killed.error().number != ESRCH) return killed;
    TRY(watch.wait(kernel::forever));
  }
  record_event(engine.places, container.record, "stop");
  return {};
}

Result<int> wait_container(const Engine &engine, const std::string &id) {
  RunWatch watch = TRY(RunWatch::open(engine, id));
  return TRY(watch.wait(kernel::forever)).value_or(255);
}

Result<std::optional<int>> wait_container_for(const Engine &engine, const std::string &id,
                                              std::chrono::milliseconds patience) {
  RunWatch watch = TRY(RunWatch::open(engine, id));
  return watch.wait(patience);
}

Status settle_locked(const Engine &engine, const Container &container) {
  const Places &places = engine.places;
  const ContainerRecord &record = container.record;
  if (container.state.is_running() || container.state.run.boot_id.empty() || container.state.run.settled) return {};
  RunRecord run = container.state.run;
  run.oom_killed = was_oom_killed(places, record.id);
  TRY(call_program(engine.run_runtime({"delete", "--force", record.id})));
  TRY(forget_network(engine, record));
  TRY(unmount_rootfs(places, record));
  TRY(unmount_shared_memory(places, record));
  TRY(unmount_parts(places, record));
  for (const MountRecord &mount : record.mounts) {
    if (mount.kind == Mount::Kind::volume) TRY(release_volume(places, mount.name, record.id));
  }
  if (run.finished.empty()) run.finished = time_now();
  run.settled = true;
  TRY(save_run(places, record.id, run));
  TRY(remove_sockets(places, record.id));
  if (run.oom_killed) record_event(places, record, "oom");
  if (!run.started.empty()) record_event(places, record, "die", {{"exitCode", std::to_string(run.exit_code)}});
  if (!record.auto_remove) return {};
  TRY(erase(places, record, true));
  record_event(places, record, "destroy");
  return {};
}

Status settle(const Engine &engine, const std::string &id) {
  const Result<kernel::Fd> lock = lock_container(engine.places, id);
  if (!lock) return lock.error().number == ENOENT ? Status() : std::unexpected(lock.error());
  return settle_locked(engine, TRY(load_container(engine.places, id)));
}

Status remove_container(const Engine &engine, const std::string &id, const RemoveOptions &options) {
  Container container = TRY(load_container(engine.places, id));
  if (container.state.is_running()) {
    if (!options.force) {
      return fail(fmt::format("{} is {}", container.record.name, phase_name(container.state.phase)),
                  "stop it first, or remove it by -f");
    }
    TRY(stop_container(engine, id, {.timeout = Duration(0), .signal = "KILL"}));
  }
  Result<kernel::Fd> lock = lock_container(engine.places, id);
  // --rm had it removed with its end.
  if (!lock) return lock.error().number == ENOENT ? Status() : std::unexpected(lock.error());
  container = TRY(load_container(engine.places, id));
  if (container.state.is_running()) {
    // Its restart policy, or another command, came first.
    lock->reset();
    return remove_container(engine, id, options);
  }
  const bool removes_itself = container.record.auto_remove && !container.state.run.boot_id.empty();
  TRY(settle_locked(engine, container));
  if (!(removes_itself && !container.state.run.settled)) {
    TRY(erase(engine.places, container.record, options.volumes));
    record_event(engine.places, container.record, "destroy");
  }
  return {};
}

Status rename_container(const Engine &engine, const std::string &id, const std::string &name) {
  const kernel::Fd lock = TRY(lock_container(engine.places, id));
  ContainerRecord record = TRY(load_record(engine.places, id));
  if (record.name == name) return fail(fmt::format("{} has that name already", name));
  TRY(claim_name(engine.places, name, id));
  const std::string old = std::exchange(record.name, name);
  TRY(save_record(engine.places, record));
  TRY(release_name(engine.places, old, id));
  record_event(engine.places, record, "rename", {{"oldName", old}});
  return {};
}

}  // namespace skiff::compose
