#include "runtime/init.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "runtime/clone_refusal.h"
#include "runtime/gate.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/scheduling.h"
#include "runtime/mount_sources.h"
#include "runtime/process.h"
#include "runtime/sync.h"

namespace skiff {
namespace {

bool maps_root(const std::vector<spec::IdMapping> &maps) {
  return std::ranges::any_of(maps, [](const spec::IdMapping &map) { return map.container_id == 0 && map.size > 0; });
}

// Root of the new user namespace: until now we were nobody in it. Without a mapping for 0 we stay who we are.
Status become_root(const IdMaps &maps) {
  if (maps_root(maps.gids)) TRY(kernel::setresgid(0));
  if (maps_root(maps.uids)) TRY(kernel::setresuid(0));
  // Refused where /proc/self/setgroups says deny; the groups we have are harmless then, they are the caller's own.
  (void)kernel::setgroups({});
  return {};
}

bool is_start_hooks(const Step &step) {
  const auto *hooks = std::get_if<RunHooks>(&step.action);
  return hooks != nullptr && hooks->kind == RunHooks::Kind::start_container;
}

// The kernel takes the offsets only as long as nobody is in the namespace, from who has CAP_SYS_TIME in the user
// namespace that owns it. That is judged by who opened the file.
Result<kernel::Fd> open_time_offsets(const Launch &launch, const kernel::Procfs &proc) {
  if (!launch.new_time_namespace || launch.time_offsets.empty()) return kernel::Fd();
  return in("linux.timeOffsets", proc.open_at("self/timens_offsets", O_WRONLY));
}

Status make_time_namespace(const Launch &launch, const kernel::Fd &offsets) {
  TRY(in("linux.namespaces (time)",
         remedy("a new time namespace takes CAP_SYS_ADMIN: run as root, or add a user namespace",
                kernel::unshare(CLONE_NEWTIME))));
  std::string lines;
  for (const TimeOffsetLine &line : launch.time_offsets) {
    lines += fmt::format("{} {} {}\n", line.clock, line.secs, line.nanosecs);
  }
  return lines.empty() ? Status() : in("linux.timeOffsets", kernel::write_all(offsets, lines));
}

// unshare(2) makes it for children; before Linux 6.3 an exec did not move into it.
Status enter_new_time_namespace(const Launch &launch, const kernel::Procfs &proc) {
  TRY(make_time_namespace(launch, TRY(open_time_offsets(launch, proc))));
  const kernel::Fd made = TRY(kernel::open_own_namespace(proc, "time_for_children"));
  return in("linux.namespaces (time)", kernel::setns(made, CLONE_NEWTIME));
}

// Everything before the gate.
Status prepare(const Plan &plan, const Inheritance &inherited, ProcessSetup &setup, std::span<const Step> steps) {
  (void)kernel::set_name("skiff:[init]");  // for ps only
  TRY(kernel::set_pdeathsig(SIGKILL));
  // While we are who made the user namespace: its root may not open what belongs to the host's (/proc/self).
  if (plan.launch.new_time_namespace && plan.launch.joins.empty()) {
    TRY(enter_new_time_namespace(plan.launch, setup.proc));
  }
  if (inherited.wait_for_parent) TRY(hear_go_on(setup.sync));
  // A caller that is bound to some processors must not bind the container to them; its cpuset may. Where that is
  // refused the container has what the caller had.
  (void)kernel::sched_setaffinity_all(0);
  if (!inherited.traceable) TRY(kernel::set_dumpable(false));
  if (plan.launch.id_maps) {
    TRY(become_root(*plan.launch.id_maps));
    TRY(kernel::set_pdeathsig(SIGKILL));  // the change of user has cleared it
  }
  if (inherited.traceable) TRY(kernel::set_dumpable(true));  // which the change of user clears, too
  kernel::umask(022);  // what is made in the rootfs must not depend on the caller's
  TRY(apply_steps(steps, setup));
  if (inherited.traceable) (void)kernel::set_dumpable(true);  // the container's seccomp filter may refuse it
  setup.rootfs->masks.reset();                                // nothing of the container's own stays open at the gate
  setup.rootfs->null_device.reset();
  setup.rootfs->kernel_filesystems.clear();
  setup.rootfs->device_directory.fd.reset();
  return kernel::reset_signals();
}

// Before it is started a container ends by these, as runc's does.
Status await_signals() {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) TRY(kernel::exit_on_signal(signal));
  return {};
}

Status pass_gate(const Inheritance &inherited, const ProcessSetup &setup) {
  if (inherited.gate.valid()) TRY(await_signals());
  TRY(say(setup.sync, Word::ready));
  return inherited.gate.valid() ? wait_at_gate(inherited.gate) : hear_go_on(setup.sync);
}

[[noreturn]] void end_with(const Error &error, const kernel::Fd &sync) {
  say_failed(sync, error);
  _exit(1);
}

// In two rounds: what belongs to the host can only be joined before a user namespace, what belongs to that user
// namespace only after it.
Status join_all(const Launch &launch, const std::vector<kernel::Fd> &fds) {
  std::vector<bool> joined(fds.size(), false);
  const bool joins_user =
      std::ranges::any_of(launch.joins, [](const Join &join) { return join.flag == CLONE_NEWUSER; });
  for (const bool last_round : {false, true}) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const Join &join = launch.joins[i];
      if (joined[i] || (joins_user && !last_round && join.flag == CLONE_NEWUSER)) continue;
      const Status done = kernel::setns(fds[i], static_cast<int>(join.flag));
      if (!done && joins_user && !last_round && done.error().number == EPERM) continue;
      if (!done) return std::unexpected(in(join.field, done.error()));
      joined[i] = true;
    }
  }
  return {};
}

Result<kernel::Child> relay(const Plan &plan, const Inheritance &inherited, const std::vector<kernel::Fd> &joins) {
  TRY(kernel::set_pdeathsig(SIGKILL));
  if (inherited.wait_for_parent) TRY(hear_go_on(inherited.sync));
  const kernel::Fd offsets = TRY(open_time_offsets(plan.launch, inherited.proc));
  TRY(kernel::set_dumpable(false));  // a process of the namespace we join must not look into us (CVE-2016-9962)
  const bool joins_user =
      std::ranges::any_of(plan.launch.joins, [](const Join &join) { return join.flag == CLONE_NEWUSER; });
  TRY(join_all(plan.launch, joins));
  if (plan.launch.new_time_namespace) TRY(make_time_namespace(plan.launch, offsets));
  if (joins_user) {
    TRY(kernel::setresgid(0));
    TRY(kernel::setresuid(0));
    (void)kernel::setgroups({});
  }
  const kernel::CloneRequest wanted = {.flags = plan.launch.new_namespaces | CLONE_PARENT, .exit_signal = 0};
  return explain_clone(kernel::clone3(wanted), wanted, inherited.proc);
}

}  // namespace

void run_init(const Plan &plan, Inheritance inherited, const spec::State &state, const cli::Log &log) {
  Rootfs rootfs = make_rootfs(plan, std::move(inherited.proc), std::move(inherited.sources));
  ProcessSetup setup{.log = log,
                     .program = plan.program,
                     .proc = rootfs.proc,
                     .root = rootfs.root,
                     .sync = std::move(inherited.sync),
                     .console_socket = std::move(inherited.console_socket),
                     .hook_files = std::move(inherited.hook_files),
                     .slave = {},
                     .rootfs = &rootfs,
                     .state = state,
                     .cwd_denied = false,
                     .executable_failed = false,
                     .executable = {},
                     .home = {}};
  if (has_user_namespace(plan)) {
    rootfs.id_map_outside = [&](const kernel::Fd &mount) -> Status {
      TRY(say(setup.sync, Word::id_map, mount.get(), static_cast<std::int32_t>(rootfs.step)));
      return hear_go_on(setup.sync);
    };
  }
  // The stages by the names that runc's debug log has, which people and the tests of callers know.
  cli::debug(log, "nsexec container setup");
  cli::debug(log, fmt::format("child process in init(): pid {}", kernel::getpid()));
  std::span<const Step> steps = plan.steps;
  const std::size_t last = steps.empty() || !is_start_hooks(steps.back()) ? steps.size() : steps.size() - 1;
  if (const Status done = prepare(plan, inherited, setup, steps.first(last)); !done) end_with(done.error(), setup.sync);
  if (const Status done = pass_gate(inherited, setup); !done) end_with(done.error(), setup.sync);
  Status hooks = apply_steps(steps.subspan(last), setup);
  cli::debug(log, "init: closing the pipe to signal completion");  // as exec does
  const Error error = hooks ? exec_program(setup) : hooks.error();
  if (inherited.gate.valid()) report_at_gate(inherited.gate, error);
  end_with(error, setup.sync);
}

void run_relay(const Plan &plan, Inheritance &inherited, const std::vector<kernel::Fd> &joins) {
  Result<kernel::Child> init = relay(plan, inherited, joins);
  if (!init) end_with(init.error(), inherited.sync);
  if (init->is_this_process()) {
    inherited.wait_for_parent = plan.launch.id_maps.has_value() || !plan.net_devices.empty();
    return;
  }
  const pid_t pid = init->pid();
  (void)init->release();  // it is the parent's child, not ours: ours to start, not to kill
  if (const Status told = say(inherited.sync, Word::pid, pid); !told) _exit(1);
  _exit(0);
}

}  // namespace skiff
