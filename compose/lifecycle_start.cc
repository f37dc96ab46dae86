#include <fmt/format.h>

#include <algorithm>

#include "compose/attach_wire.h"
#include "compose/attachment.h"
#include "compose/container_names.h"
#include "compose/events.h"
#include "compose/joined_namespaces.h"
#include "compose/lifecycle.h"
#include "compose/rootfs_mount.h"
#include "compose/shared_memory.h"
#include "compose/supervisor.h"
#include "compose/volume.h"
#include "compose/volume_parts.h"
#include "runtime/cli/value.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/proc.h"
#include "runtime/kernel/socket.h"

namespace skiff::compose {
namespace {

using kernel::Fd;

// docker's: json-file without end, local in five files of 20 MB.
Words log_words(const Places &places, const ContainerRecord &record) {
  const Logging &logging = record.logging;
  if (logging.driver == "none") return {};
  const bool local = logging.driver == "local";
  const auto option = [&](const char *name, const char *otherwise) {
    const auto found = logging.options.find(name);
    return found == logging.options.end() ? std::string(otherwise) : found->second;
  };
  const std::int64_t size = cli::parse_size(option("max-size", local ? "20m" : "0")).value_or(0);
  return {"--log-file",  places.directory(record.id) + "/log",
          "--log-size",  std::to_string(std::max<std::int64_t>(size, 0)),
          "--log-files", option("max-file", local ? "5" : "1")};
}

Words monitor_words(const Engine &engine, const ContainerRecord &record) {
  Words words = engine.run_self({"monitor", "--bundle", bundle_of(engine.places, record.id)});
  const Words log = log_words(engine.places, record);
  words.insert(words.end(), log.begin(), log.end());
  if (record.tty) words.emplace_back("--tty");
  if (record.stdin_open) words.emplace_back("--stdin");
  if (is_in_user_network(record)) words.emplace_back("--user-network");
  words.push_back(record.id);
  return words;
}

struct MonitorEnd {
  Fd socket;  // the other end of its standard input
  Fd errors;  // what it says from here on
};

// It is nobody's child: whoever starts containers need not outlive them.
// It has the container's lock too, as its standard output: should we be killed, nobody removes what it is still making.
Result<MonitorEnd> spawn_monitor(const Engine &engine, const ContainerRecord &record, const Fd &lock) {
  kernel::SocketPair pair = TRY(kernel::socketpair());
  const std::string file = engine.places.sockets(record.id) + "/errors";
  const Fd errors = TRY(kernel::open(file, O_WRONLY | O_CREAT | O_APPEND, 0600));
  Fd said = TRY(kernel::open(file, O_RDONLY));
  (void)TRY(kernel::lseek(said, 0, SEEK_END));
  const Streams streams = {.in = pair.other, .out = lock, .err = errors};
  TRY(in("the monitor", start_detached(monitor_words(engine, record), streams)));
  return MonitorEnd{std::move(pair.one), std::move(said)};
}

// It has ended without a word to us.
Error explain_end(const MonitorEnd &monitor) {
  std::string said = kernel::read_all(monitor.errors, start_wire::longest_packet).value_or("");
  while (said.ends_with('\n')) said.pop_back();
  return {0, said.empty() ? "the container's monitor was killed" : "the container's monitor: " + said, {}};
}

Result<std::string> receive(const MonitorEnd &monitor, char expected) {
  const std::optional<kernel::Message> message =
      TRY(kernel::recv_message(monitor.socket, start_wire::longest_packet, 0));
  if (!message) return std::unexpected(explain_end(monitor));
  std::string text = message->bytes.substr(1);
  if (message->bytes.front() == expected) return text;
  return fail(text);
}

// Ports that the host chose are written down, for `port` and `ps`.
Status attach(const Engine &engine, ContainerRecord &record) {
  std::vector<Endpoint> endpoints;
  if (record.network_mode.empty()) {
    NetworkState state = TRY(attach_networks(
        engine.places,
        {.container = record.id, .name = record.name, .attachments = record.networks, .ports = record.ports}));
    endpoints = std::move(state.endpoints);
    record.ports = std::move(state.ports);
  }
  if (record.network_mode.starts_with("container:")) return {};
  return write_container_names(engine.places, record, endpoints);
}

// Name servers are known only now; the files are those that are mounted.
Status join_and_name(const Engine &engine, const ContainerRecord &record, pid_t pid) {
  const NetworkState state = TRY(join_networks(engine.places, record.id, pid));
  return write_container_names(engine.places, record, state.endpoints);
}

// All that has to be there before the runtime is called. What was made is known by run.json, which is written first.
Status prepare(const Engine &engine, ContainerRecord &record, RunRecord &run) {
  run.boot_id = TRY(read_boot_id());
  TRY(save_run(engine.places, record.id, run));
  TRY(kernel::make_directory(kernel::cwd, engine.places.sockets(record.id), 0700));
  TRY(mount_rootfs(engine.places, record));
  TRY(mount_shared_memory(engine.places, record));
  for (const MountRecord &mount : record.mounts) {
    if (mount.kind == Mount::Kind::volume && !mount.anonymous) TRY(mount_volume(engine.places, mount.name));
  }
  TRY(mount_parts(engine.places, record));
  TRY(join_namespaces(engine.places, record));
  return attach(engine, record);
}

// "PID OWN", both of this pid namespace.
Status note_processes(RunRecord &run, std::string_view pids) {
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const std::size_t blank = std::min(pids.find(' '), pids.size());
  run.pid = cli::parse_number<pid_t>(pids.substr(0, blank)).value_or(0);
  run.monitor_pid = cli::parse_number<pid_t>(pids.substr(std::min(blank + 1, pids.size()))).value_or(0);
  run.start_time = TRY(proc.read_start_time(run.pid));
  run.monitor_start_time = TRY(proc.read_start_time(run.monitor_pid));
  return {};
}

Result<Started> launch(const Engine &engine, ContainerRecord &record, RunRecord &run, bool attached, const Fd &lock) {
  TRY(prepare(engine, record, run));
  TRY(save_record(engine.places, record));
  const MonitorEnd monitor = TRY(spawn_monitor(engine, record, lock));
  const bool has_networks = record.network_mode.empty();
  const bool waits = is_in_user_network(record);
  // Its namespace is there: the network is made while the container is.
  Status joined = has_networks && !waits ? join_and_name(engine, record, 0) : Status();
  // Whatever came of that: nobody may remove what the monitor still makes.
  TRY(note_processes(run, TRY(receive(monitor, start_wire::created))));
  if (has_networks && waits) joined = join_and_name(engine, record, run.pid);
  TRY(std::move(joined));
  Started started;
  if (attached) started.attached = TRY(connect_to_monitor(engine, record.id));
  run.started = time_now();
  TRY(save_run(engine.places, record.id, run));
  TRY(kernel::send_message(monitor.socket, std::string(1, start_wire::go)));
  Result<std::string> answer = receive(monitor, start_wire::started);
  if (!answer) {
    run.started.clear();
    return std::unexpected(std::move(answer).error());
  }
  return started;
}

// It runs already: that nobody looks after it does not make its start fail.
void supervise(const Engine &engine, const ContainerRecord &record, const StartOptions &options) {
  if (options.by_policy) return;
  const Status ensured = ensure_supervisor(engine, record);
  if (!ensured) cli::warning(engine.log, record.name + ": " + ensured.error().message());
}

}  // namespace

int start_failure_code(const Error &error) {
  const std::string text = error.message();
  if (text.find("process.args") == std::string::npos) return 125;
  if (error.number == EACCES || text.find("permission denied") != std::string::npos) return 126;
  return 127;
}

Result<Started> start_container(const Engine &engine, const std::string &id, const StartOptions &options) {
  const Fd lock = TRY(lock_container(engine.places, id));
  Container container = TRY(load_container(engine.places, id));
  if (container.state.is_running()) {
    Started started{.attached = {}, .already = true};
    if (options.attach) started.attached = TRY(connect_to_monitor(engine, id));
    return started;
  }
  TRY(settle_locked(engine, container));
  // Stopped since it was decided.
  if (options.by_policy && container.state.run.stopped_by_user) return Started{};
  RunRecord run;
  run.restarts = options.by_policy ? container.state.run.restarts + 1 : 0;
  Result<Started> started = launch(engine, container.record, run, options.attach, lock);
  if (started) {
    record_event(engine.places, container.record, "start");
    supervise(engine, container.record, options);
    return started;
  }
  run.error = started.error().message();
  run.exit_code = start_failure_code(started.error());
  run.finished = time_now();
  container.state = {.phase = ContainerState::Phase::created, .run = run, .health = {}};
  (void)settle_locked(engine, container);
  return std::unexpected(in(container.record.name, std::move(started).error()));
}

}  // namespace skiff::compose
