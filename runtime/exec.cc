#include "runtime/exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "runtime/cgroup_file.h"
#include "runtime/cgroup_unit.h"
#include "runtime/credentials.h"
#include "runtime/intel_rdt.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/scheduling.h"
#include "runtime/kernel/socket.h"
#include "runtime/launch.h"
#include "runtime/process.h"
#include "runtime/sync.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

constexpr std::array<std::uint64_t, 8> clone_flags = {CLONE_NEWPID, CLONE_NEWNET,  CLONE_NEWNS,     CLONE_NEWIPC,
                                                      CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWCGROUP, CLONE_NEWTIME};

std::uint64_t namespaces_of(const spec::Config &config) {
  std::uint64_t flags = 0;
  for (const spec::Namespace &ns : config.linux_.namespaces) flags |= clone_flags[static_cast<std::size_t>(ns.type)];
  return flags;
}

// What the child needs, opened before it is made.
struct Entrance {
  kernel::Fd init;  // pidfd of the container's init
  kernel::Fd root;  // its root, where that is not the one of its mount namespace; else invalid
  std::uint64_t namespaces = 0;
  bool wait_for_parent = false;
  bool new_user = false;
  const spec::CpuAffinity *affinity = nullptr;  // borrowed; null: the caller's is not to be kept either
  bool attach = false;                          // systemd moves it into the container's cgroup
};

Status set_affinity(std::string_view field, const std::string &cpus) {
  const std::string place = fmt::format("process.execCPUAffinity.{}", field);
  return in(place, remedy("name processors that the container's cpuset has",
                          kernel::sched_setaffinity(0, TRY(in(place, parse_cpu_list(cpus))))));
}

// config.md, "Linux Process", execCPUAffinity: for the runtime's own part of the exec, and all that it starts.
Status set_initial_affinity(const ExecRequest &request) {
  if (!request.plan.cpu_affinity || request.plan.cpu_affinity->initial.empty()) return {};
  const std::string &cpus = request.plan.cpu_affinity->initial;
  TRY(set_affinity("initial", cpus));
  if (!cli::enabled(request.log, cli::Level::Debug)) return {};
  std::uint64_t mask = 0;
  for (const unsigned cpu : TRY(parse_cpu_list(cpus))) mask |= cpu < 64 ? std::uint64_t{1} << cpu : 0;
  // In the words of runc, which its callers' tests read.
  cli::debug(request.log, fmt::format("nsexec[{}]: affinity: {:#x}", kernel::getpid(), mask));
  return {};
}

// In the container's cgroup. A caller that is bound to some processors must not bind the container's process to them.
Status set_final_affinity(const spec::CpuAffinity *affinity) {
  if (affinity != nullptr && !affinity->final.empty()) return set_affinity("final", affinity->final);
  if (affinity == nullptr || affinity->initial.empty()) (void)kernel::sched_setaffinity_all(0);
  return {};
}

Status enter(const Entrance &entrance, const kernel::Fd &sync) {
  TRY(kernel::set_pdeathsig(SIGKILL));
  if (entrance.wait_for_parent) TRY(hear_go_on(sync));
  TRY(set_final_affinity(entrance.affinity));
  // Before joining: a process of the container must not trace us or look at our descriptors (CVE-2016-9962).
  TRY(kernel::set_dumpable(false));
  if (entrance.namespaces != 0) {
    TRY(in("the container's namespaces", kernel::setns(entrance.init, static_cast<int>(entrance.namespaces))));
  }
  if (entrance.root.valid()) {
    TRY(kernel::fchdir(entrance.root));
    TRY(in("root.path", kernel::chroot(".")));
  }
  if (entrance.new_user) {
    (void)kernel::setresgid(0);  // not every container maps 0: then we go in as who we are
    (void)kernel::setresuid(0);
    TRY(kernel::set_pdeathsig(SIGKILL));
  }
  return {};
}

Status prepare(const ExecPlan &plan, ProcessSetup &setup) {
  (void)kernel::set_name("skiff:[exec]");
  // The stages by the names that runc's debug log has, as in run_init.
  cli::debug(setup.log, "nsexec container setup");
  cli::debug(setup.log, fmt::format("child process in init(): pid {}", kernel::getpid()));
  TRY(kernel::set_pdeathsig(SIGKILL));
  if (plan.terminal) {
    const Step console{"process.terminal", plan.console};
    TRY(apply_steps({&console, 1}, setup));
  }
  TRY(kernel::reset_signals());
  return apply_steps(plan.steps, setup);
}

[[noreturn]] void become_program(const ExecRequest &request, kernel::Fd sync, kernel::Fd console_socket) {
  Result<kernel::Fd> root = kernel::open("/", O_PATH | O_DIRECTORY);
  if (!root) {
    say_failed(sync, root.error());
    _exit(255);
  }
  ProcessSetup setup{.log = request.log,
                     .program = request.plan.program,
                     .proc = request.proc,
                     .root = *root,
                     .sync = std::move(sync),
                     .console_socket = std::move(console_socket),
                     .hook_files = {},
                     .slave = {},
                     .rootfs = nullptr,
                     .state = {},
                     .cwd_denied = false,
                     .executable_failed = false,
                     .executable = {},
                     .home = {}};
  const Status done = prepare(request.plan, setup);
  cli::debug(request.log, "setns_init: about to exec");
  say_failed(setup.sync, done ? exec_program(setup) : done.error());
  _exit(255);
}

// The relay: a process enters a pid namespace by being born into it.
[[noreturn]] void run_relay(ExecRequest &request, const Entrance &entrance, kernel::Fd sync) {
  request.cgroup = {};  // directories of the host, which nothing that enters the container needs
  const Status entered = enter(entrance, sync);
  Result<kernel::Child> child =
      entered ? kernel::clone3({.flags = CLONE_PARENT, .exit_signal = 0}) : std::unexpected(entered.error());
  if (!child) {
    say_failed(sync, child.error());
    _exit(255);
  }
  if (child->is_this_process()) become_program(request, std::move(sync), std::move(request.console_socket));
  const pid_t pid = child->pid();
  (void)child->release();
  _exit(say(sync, Word::pid, pid) ? 0 : 255);
}

// An ordinary user moves processes only inside of what is delegated to him (cgroups(7), "delegation containment"), and
// is somewhere else now. Not where --cgroup names a place.
bool goes_without(const ExecRequest &request, const Container &container) {
  return kernel::geteuid() != 0 && request.cgroup.paths() == container.record.cgroup_paths;
}

// The container's cgroup on v2 takes no process where the container has divided it (EBUSY): init's own is next best.
// And into the user's systemd an unprivileged runtime from outside of it cannot clone, as the first cgroup above both
// is not the user's (cgroups(7), "delegation containment"): systemd moves the process.
Result<kernel::Child> clone_relay(const ExecRequest &request, const Container &container, Entrance &entrance) {
  const kernel::Fd *into = request.cgroup.clone_into();
  if (into == nullptr) return kernel::clone3({});
  Result<kernel::Child> child = kernel::clone3({.cgroup = *into});
  if (!child && is_refused(child.error()) && !container.record.systemd_scope.empty()) {
    entrance.attach = true;
    entrance.wait_for_parent = true;
    return kernel::clone3({});
  }
  if (!child && child.error().number == EACCES && goes_without(request, container)) {
    cli::warning(request.log,
                 "the process runs outside of the container's cgroup, and without its limits: this user may not move "
                 "it there from here; run the runtime in the same delegated cgroup (systemd-run --user --scope)");
    return kernel::clone3({});
  }
  if (child || child.error().number != EBUSY) return child;
  if (request.cgroup_named) {
    return fail(
        EBUSY,
        fmt::format("--cgroup: adding pid of the process to cgroups: {}/cgroup.procs", request.cgroup.paths().front()),
        "the cgroup has limited cgroups of its own below it: name one of them");
  }
  const Cgroup beside = TRY(request.cgroup.beside(container.record.pid));
  return kernel::clone3({.cgroup = *beside.clone_into()});
}

// As systemd names what --cgroup has chosen: from the scope's own cgroup.
std::string path_below(const spec::Record &record, const Cgroup &chosen) {
  const std::string path = chosen.paths().front();
  const std::string &scope = record.cgroup_paths.front();
  return path.size() > scope.size() && path.starts_with(scope + "/") ? path.substr(scope.size()) : "/";
}

Status set_up_relay(const ExecRequest &request, const Entrance &entrance, pid_t pid, const kernel::Fd &sync) {
  if (!entrance.wait_for_parent) return {};
  if (entrance.attach) {
    const spec::Record &record = request.container.record;
    TRY(attach_to_unit(record.systemd_scope, path_below(record, request.cgroup), pid));
  } else if (request.cgroup.clone_into() == nullptr) {
    TRY(request.cgroup.place(pid));
  }
  TRY(enter_intel_rdt(request.container.record, pid));
  if (request.plan.oom_score_adj) {
    TRY(in("process.oomScoreAdj",
           request.proc.write_file(fmt::format("{}/oom_score_adj", pid), std::to_string(*request.plan.oom_score_adj))));
  }
  for (const Step &step : request.plan.outer_rlimits) {
    const auto &limit = std::get<SetRlimit>(step.action);
    TRY(in(step.field, kernel::setrlimit(pid, limit.resource, limit.soft, limit.hard)));
  }
  return say(sync, Word::go_on);
}

// Until the program runs: then the socket closes.
Status listen(const ExecRequest &request, const kernel::Child &child, const kernel::Fd &sync,
              std::optional<Received> early) {
  while (true) {
    const Result<Received> received = hear_next(sync, early);
    if (!received) return received.error().number == EPIPE ? Status{} : std::unexpected(received.error());
    if (received->word == Word::failed) return std::unexpected(received->error);
    if (received->word != Word::listener) return fail("the process of the exec spoke out of turn");
    TRY(forward_listener(child, received->number, request.plan.seccomp_listener_path,
                         request.plan.seccomp_listener_metadata,
                         request.container.state(spec::ContainerStatus::running)));
    TRY(say(sync, Word::go_on));
  }
}

// Only a mount namespace of its own has the rootfs for its root, which setns(2) leads to. Any other container is in a
// chroot of its own.
Result<kernel::Fd> open_root(const ExecRequest &request, const kernel::Fd &init) {
  const spec::Namespace *mounts = request.config.linux_.find(spec::NamespaceType::mount);
  if (mounts != nullptr && mounts->path.empty()) return kernel::Fd();
  kernel::Fd root = TRY(kernel::open_process_root(request.proc, request.container.record.pid));
  TRY(kernel::pidfd_send_signal(init, 0));  // still there: so it was its root
  return root;
}

}  // namespace

Result<kernel::Child> exec_in_container(ExecRequest request) {
  kernel::Fd init = TRY(request.container.open_init(request.proc));
  kernel::Fd root = TRY(open_root(request, init));
  Entrance entrance{.init = std::move(init),
                    .root = std::move(root),
                    .namespaces = namespaces_of(request.config) |
                                  (request.container.record.time_namespace ? std::uint64_t{CLONE_NEWTIME} : 0),
                    .wait_for_parent = request.cgroup.clone_into() == nullptr ||
                                       request.plan.oom_score_adj.has_value() || !request.plan.outer_rlimits.empty() ||
                                       !request.container.record.intel_rdt_path.empty(),
                    .new_user = request.config.linux_.find(spec::NamespaceType::user) != nullptr,
                    .affinity = request.plan.cpu_affinity ? &*request.plan.cpu_affinity : nullptr};
  TRY(set_initial_affinity(request));
  kernel::SocketPair pair = TRY(kernel::socketpair(SOCK_SEQPACKET));
  kernel::Child relay = TRY(clone_relay(request, request.container, entrance));
  if (relay.is_this_process()) {
    pair.one.reset();
    request.image.reset();
    run_relay(request, entrance, std::move(pair.other));
  }
  pair.other.reset();
  request.console_socket.reset();
  if (const Status done = set_up_relay(request, entrance, relay.pid(), pair.one); !done) {
    // Only a relay that has ended has said why: one that still waits for us (its cgroup is gone, as in a race with a
    // delete) would never speak.
    const bool ended = done.error().number == EPIPE || done.error().number == ESRCH;
    const Result<Received> last = ended ? hear(pair.one) : std::unexpected(done.error());
    if (last && last->word == Word::failed) return std::unexpected(last->error);
    return std::unexpected(done.error());
  }
  request.image.reset();
  const Result<Relayed> heard = hear_relay(pair.one);
  if (!heard) return std::unexpected(explain_end(relay, request.cgroup));
  if (heard->relay.word == Word::failed) return std::unexpected(heard->relay.error);
  TRY(next_stage(Stage::relaying, heard->relay.word));
  kernel::Child child(heard->relay.number, TRY(kernel::pidfd_open(heard->relay.number)));
  TRY(relay.wait());
  TRY(listen(request, child, pair.one, heard->early));
  return child;
}

}  // namespace skiff
