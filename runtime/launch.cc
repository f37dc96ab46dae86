#include "runtime/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "runtime/cgroup_file.h"
#include "runtime/cgroup_unit.h"
#include "runtime/clone_refusal.h"
#include "runtime/gate.h"
#include "runtime/hooks.h"
#include "runtime/id_maps.h"
#include "runtime/init.h"
#include "runtime/intel_rdt.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/scheduling.h"
#include "runtime/kernel/socket.h"
#include "runtime/mount_sources.h"
#include "runtime/net_devices.h"
#include "runtime/rootfs.h"
#include "runtime/sync.h"

namespace skiff {
namespace {

// The order in which things come into being, for whoever has to undo them.
struct Launching {
  LaunchRequest &request;
  Cgroup cgroup;
  bool has_unit = false;  // systemd has started it
  HookFiles hook_files;
  kernel::Fd sync;
  std::optional<Received> early;  // what init said before its relay
  kernel::Child init;
  spec::State state;
};

bool has_hooks(const Plan &plan) {
  return std::ranges::any_of(plan.steps,
                             [](const Step &step) { return std::holds_alternative<RunHooks>(step.action); });
}

bool needs_relay(const Launch &launch) { return !launch.joins.empty(); }

Result<std::vector<kernel::Fd>> open_joins(const Launch &launch) {
  std::vector<kernel::Fd> fds;
  for (const Join &join : launch.joins) {
    kernel::Fd fd = TRY(in(join.field, kernel::open(join.path, O_RDONLY)));
    const Result<int> type = kernel::get_namespace_type(fd);
    if (!type || static_cast<std::uint64_t>(*type) != join.flag) {
      return fail(fmt::format("{}: {} is no namespace of this type", join.field, join.path),
                  "give the path of a namespace such as /proc/PID/ns/net, or none for a new one");
    }
    fds.push_back(std::move(fd));
  }
  return fds;
}

// What the parent does to init before init may begin: its ids, and what a hook of init's must find done.
bool sets_up_first(const Plan &plan) { return plan.launch.id_maps.has_value() || !plan.net_devices.empty(); }

bool is_made_by_systemd(const CgroupPlan &plan) { return !plan.unit.name.empty(); }

// A process whose cgroup is chosen by writing its pid, or made around it by systemd, must wait until that is done.
bool is_placed_later(const Launching &launching) {
  if (is_made_by_systemd(launching.request.plan.cgroup)) return true;
  return !launching.cgroup.paths().empty() && launching.cgroup.clone_into() == nullptr;
}

// systemd starts no scope without a process: here the cgroup comes after the process that it is for. The devices before
// that process goes on: the rules of cgroup v1 are written one by one, and meanwhile it could open none.
Status place(Launching &launching, pid_t pid) {
  const CgroupPlan &plan = launching.request.plan.cgroup;
  if (!is_made_by_systemd(plan)) {
    TRY(launching.cgroup.apply_devices(plan));
    return launching.cgroup.place(pid);
  }
  launching.cgroup = TRY(make_cgroup_of_unit(plan, pid, launching.request.warnings));
  launching.has_unit = true;
  return launching.cgroup.apply_devices(plan);
}

Result<std::vector<kernel::Fd>> find_sources(LaunchRequest &request) {
  const Plan &plan = request.plan;
  if (!plan.host_mounts) return open_sources(plan);
  std::vector<kernel::Fd> sources(plan.steps.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (std::holds_alternative<AttachRootfs>(plan.steps[i].action)) sources[i] = std::move(request.host_rootfs);
  }
  return sources;
}

Status clone_init(Launching &launching) {
  const LaunchRequest &request = launching.request;
  const Plan &plan = request.plan;
  const bool relayed = needs_relay(plan.launch);
  const std::vector<kernel::Fd> joins = TRY(open_joins(plan.launch));
  kernel::SocketPair pair = TRY(kernel::socketpair(SOCK_SEQPACKET));
  Inheritance inherited{.sync = std::move(pair.other),
                        .gate = {},
                        .console_socket = std::move(launching.request.console_socket),
                        .hook_files = {},
                        .sources = TRY(find_sources(launching.request)),
                        .wait_for_parent = sets_up_first(plan) || is_placed_later(launching),
                        .traceable = !request.host.privileged && !relayed && plan.launch.id_maps.has_value(),
                        .proc = TRY(request.proc.duplicate())};
  if (request.gate) inherited.gate = TRY(make_gate(request.container.directory()));
  const kernel::Fd *into = launching.cgroup.clone_into();
  const std::uint64_t apart = plan.launch.network_apart ? CLONE_NEWNET : 0;
  const kernel::CloneRequest wanted = {.flags = relayed ? 0 : plan.launch.new_namespaces & ~apart,
                                       .cgroup = into != nullptr ? kernel::FdView(*into) : kernel::no_fd};
  kernel::Child child = TRY(explain_clone(kernel::clone3(wanted), wanted, launching.request.proc));
  if (child.is_this_process()) {
    pair.one.reset();
    launching.request.image.reset();
    // init lives long in this image, at the gate: it keeps neither the container's lock nor the host's cgroups open.
    launching.request.container.close();
    const bool placed_later = is_placed_later(launching);
    launching.cgroup = {};
    inherited.hook_files = std::move(launching.hook_files);
    if (relayed) {
      inherited.wait_for_parent = placed_later;
      run_relay(plan, inherited, joins);
    }
    run_init(plan, std::move(inherited), launching.state, request.log);
  }
  launching.sync = std::move(pair.one);
  inherited.sync.reset();  // ours must be the only copy left for an end of init to be seen
  if (!relayed) {
    launching.init = std::move(child);
    return {};
  }
  if (is_placed_later(launching)) {
    TRY(place(launching, child.pid()));
    TRY(say(launching.sync, Word::go_on));
  }
  const Result<Relayed> heard = hear_relay(launching.sync);
  if (!heard) return std::unexpected(explain_end(child, launching.cgroup));
  const Received &relay = heard->relay;
  if (relay.word == Word::failed) return std::unexpected(relay.error);
  TRY(next_stage(Stage::relaying, relay.word));
  launching.init = kernel::Child(relay.number, TRY(kernel::pidfd_open(relay.number)));
  launching.early = heard->early;
  TRY(child.wait());
  return {};
}

// Made here and not with init, which mounts meanwhile; hooks belong to the namespace of the runtime, so back to that.
Status make_network(const Launching &launching) {
  const LaunchRequest &request = launching.request;
  if (!request.plan.launch.network_apart) return {};
  const kernel::Fd own = TRY(kernel::open_namespace(request.proc, kernel::getpid(), "net"));
  if (const Status made = kernel::unshare(CLONE_NEWNET); !made) {
    return std::unexpected(explain_refusal(made.error(), {.flags = CLONE_NEWNET}, request.proc));
  }
  const Result<kernel::Fd> made = kernel::open_namespace(request.proc, kernel::getpid(), "net");
  TRY(kernel::setns(own, CLONE_NEWNET));
  return made ? say_descriptor(launching.sync, *made) : std::unexpected(made.error());
}

// What only somebody outside the namespaces may do. Init works on its mounts meanwhile, unless it waits for us.
Status set_up_from_outside(Launching &launching) {
  const Plan &plan = launching.request.plan;
  const kernel::Procfs &proc = launching.request.proc;
  const pid_t pid = launching.init.pid();
  const bool relayed = needs_relay(plan.launch);
  if (plan.launch.id_maps) TRY(write_id_maps(proc, pid, *plan.launch.id_maps, launching.request.host));
  if (is_placed_later(launching) && !relayed) TRY(place(launching, pid));
  if (plan.oom_score_adj) {
    TRY(in("process.oomScoreAdj",
           remedy("a value below the runtime's own needs CAP_SYS_RESOURCE",
                  proc.write_file(fmt::format("{}/oom_score_adj", pid), std::to_string(*plan.oom_score_adj)))));
  }
  for (const Step &step : plan.outer_rlimits) {
    const auto &limit = std::get<SetRlimit>(step.action);
    TRY(in(step.field, kernel::setrlimit(pid, limit.resource, limit.soft, limit.hard)));
  }
  if (!plan.net_devices.empty()) {
    TRY(move_net_devices(plan, TRY(kernel::open_namespace(proc, pid, "net")),
                         TRY(kernel::open_namespace(proc, kernel::getpid(), "net"))));
  }
  if (sets_up_first(plan) || (is_placed_later(launching) && !relayed)) TRY(say(launching.sync, Word::go_on));
  TRY(in("linux.namespaces (network)", make_network(launching)));
  if (plan.intel_rdt) TRY(join_intel_rdt(*plan.intel_rdt, launching.request.container.record, pid));
  TRY(launching.cgroup.apply_limits(plan.cgroup));
  if (!is_placed_later(launching)) TRY(launching.cgroup.apply_devices(plan.cgroup));
  if (plan.cgroup.delegate) TRY(launching.cgroup.delegate(plan.cgroup.owner_uid, plan.cgroup.owner_gid));
  return {};
}

// Users without delegated cgroups have none, as a rule, and a pid namespace holds the processes together as well.
// Without either nobody can tell later which processes are the container's.
void tell_cgroup_warnings(const Launching &launching) {
  const bool held = (launching.request.plan.launch.new_namespaces & CLONE_NEWPID) != 0;
  for (const std::string &warning : launching.cgroup.warnings()) {
    if (held) {
      cli::debug(launching.request.log, warning);
    } else {
      launching.request.warnings.push_back(warning +
                                           "; nor has it a pid namespace. Such configuration is strongly discouraged: "
                                           "its processes cannot all be found");
    }
  }
}

Status run_runtime_hooks(Launching &launching, std::int32_t kind_number) {
  const auto kind = static_cast<RunHooks::Kind>(kind_number);
  const spec::Hooks &hooks = launching.request.config.hooks;
  launching.state.pid = launching.init.pid();
  TRY(run_hooks(kind, kind == RunHooks::Kind::prestart ? hooks.prestart : hooks.create_runtime,
                spec::print_hook_state(launching.state), launching.hook_files));
  return say(launching.sync, Word::go_on);
}

// The maps of a source that only init can reach. It is trusted as far as the step goes: it runs nothing of the
// container's yet, and a mount that somebody else could see takes no maps (mount_setattr(2)).
Status map_ids_for_init(const Launching &launching, const Received &asked) {
  const Plan &plan = launching.request.plan;
  const auto index = static_cast<std::size_t>(asked.step);
  const auto *mount = index < plan.steps.size() ? std::get_if<MountStep>(&plan.steps[index].action) : nullptr;
  if (mount == nullptr || !is_id_mapped(*mount)) return fail(EPROTO, "the init process asks for maps that no step has");
  const auto map = [&]() -> Status {
    const kernel::Fd clone =
        TRY(remedy("an id-mapped mount takes CAP_SYS_ADMIN in the user namespace that mounted the source's filesystem",
                   kernel::pidfd_getfd(launching.init.pidfd(), asked.number)));
    return id_map_source(*mount, clone, plan, launching.request.proc);
  };
  TRY(in(plan.steps[index].field, map()));
  return say(launching.sync, Word::go_on);
}

Status listen_until_ready(Launching &launching) {
  const Plan &plan = launching.request.plan;
  for (Stage stage = Stage::building; stage != Stage::ready;) {
    const Result<Received> received = hear_next(launching.sync, launching.early);
    if (!received) return std::unexpected(explain_end(launching.init, launching.cgroup));
    if (received->word == Word::failed) return std::unexpected(received->error);
    stage = TRY(next_stage(stage, received->word));
    if (received->word == Word::hooks) TRY(run_runtime_hooks(launching, received->number));
    if (received->word == Word::id_map) TRY(map_ids_for_init(launching, *received));
    if (received->word == Word::listener) {
      launching.state.pid = launching.init.pid();
      TRY(forward_listener(launching.init, received->number, plan.seccomp_listener_path, plan.seccomp_listener_metadata,
                           launching.state));
      TRY(say(launching.sync, Word::go_on));
    }
  }
  return {};
}

// What init had to say matters more than that our message to it found it dead.
Error root_cause(Launching &launching, Error error) {
  if (error.number != EPIPE && error.number != ESRCH) return error;
  const Result<Received> last = hear(launching.sync);
  return last && last->word == Word::failed ? last->error : error;
}

// While init works: once it is ready the record has only to be put in its place.
Status prepare_record(Launching &launching) {
  Container &container = launching.request.container;
  container.record.pid = launching.init.pid();
  container.record.start_time = TRY(launching.request.proc.read_start_time(launching.init.pid()));
  container.record.cgroup_paths = launching.cgroup.paths();
  container.record.ready = true;
  return container.write_next();
}

Status bring_up(Launching &launching) {
  if (has_hooks(launching.request.plan)) {
    launching.hook_files = TRY(open_hook_files(launching.request.config.annotations));
  }
  TRY(clone_init(launching));
  if (const Status done = set_up_from_outside(launching); !done) {
    return std::unexpected(root_cause(launching, done.error()));
  }
  TRY(prepare_record(launching));
  launching.request.image.reset();
  return listen_until_ready(launching);
}

// memory.events of v2 and memory.oom_control of v1 count the same thing under the same name.
bool was_killed_for_memory(const Cgroup &cgroup) {
  for (const auto &[file, unified] : {std::pair{"memory.events", true}, std::pair{"memory.oom_control", false}}) {
    const Cgroup::Level *level = cgroup.find_file(file, unified);
    if (level == nullptr) continue;
    const Result<std::string> text = read_cgroup_file(level->fd, file);
    if (text && find_key(*text, "oom_kill").value_or(0) > 0) return true;
  }
  return false;
}

}  // namespace

Result<Launched> launch(LaunchRequest request) {
  Launching launching{.request = request,
                      .cgroup = {},
                      .has_unit = false,
                      .hook_files = {},
                      .sync = {},
                      .early = {},
                      .init = {},
                      .state = request.container.state(spec::ContainerStatus::creating)};
  if (!is_made_by_systemd(request.plan.cgroup)) launching.cgroup = TRY(Cgroup::create(request.plan.cgroup));
  tell_cgroup_warnings(launching);
  if (const Status up = bring_up(launching); !up) {
    Error error = request.host.privileged ? up.error() : explain_confinement(up.error(), request.proc);
    launching.init = {};  // killed and reaped
    discard(launching.cgroup, launching.has_unit ? request.plan.cgroup.unit.name : std::string());
    (void)remove_intel_rdt(request.container.record);
    return std::unexpected(std::move(error));
  }
  return Launched{std::move(launching.init), std::move(launching.sync), std::move(launching.cgroup)};
}

Status let_go(const Launched &launched) {
  TRY(say(launched.sync, Word::go_on));
  const Result<Received> received = hear(launched.sync);
  if (!received) {
    // The socket is closed by a successful exec. A death before it is told by the exit status, to whoever waits.
    return received.error().number == EPIPE ? Status{} : std::unexpected(received.error());
  }
  if (received->word == Word::failed) return std::unexpected(received->error);
  return fail("the init process spoke out of turn");
}

Error explain_end(kernel::Child &child, const Cgroup &cgroup) {
  const Result<kernel::ExitStatus> ended = child.wait();
  if (!ended) return ended.error();
  if (ended->signaled && ended->code == SIGKILL && was_killed_for_memory(cgroup)) {
    return {ENOMEM, "linux.resources.memory.limit: the init process was killed by the kernel for lack of memory",
            "raise the limit"};
  }
  return {0,
          fmt::format("the init process ended before the container was ready: {} {}",
                      ended->signaled ? "killed by signal" : "exit status", ended->code),
          ""};
}

Status forward_listener(const kernel::Child &child, std::int32_t number, const std::string &listener_path,
                        const std::string &metadata, const spec::State &state) {
  constexpr std::string_view place = "linux.seccomp.listenerPath";
  const kernel::Fd listener = TRY(in(place, kernel::pidfd_getfd(child.pidfd(), number)));
  const kernel::Fd agent = TRY(remedy("the seccomp agent must listen on this socket before the container is made",
                                      in(fmt::format("{}: failed to connect with seccomp agent", place),
                                         kernel::connect_unix(kernel::cwd, listener_path, SOCK_STREAM))));
  const std::array<kernel::FdView, 1> fds = {listener};
  return in(place, kernel::send_message(agent, spec::print_container_process_state(state, child.pid(), metadata), fds));
}

}  // namespace skiff
