#include "runtime/create.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <chrono>

#include "runtime/cgroup_unit.h"
#include "runtime/hooks.h"
#include "runtime/host_mounts.h"
#include "runtime/host_probe.h"
#include "runtime/intel_rdt.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/mount.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"
#include "runtime/notify.h"
#include "runtime/plan_intel_rdt.h"
#include "runtime/seccomp_cache.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

// RFC 3339 in UTC with nanoseconds, the form of runc's "created".
std::string timestamp() {
  // Not gmtime_r(3), which reads /etc/localtime to tell the same.
  const auto now = std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(now - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

// What the container gets as stdin, stdout and stderr.
Result<std::vector<std::string>> read_descriptors(const kernel::Procfs &proc) {
  std::vector<std::string> out;
  for (int number = 0; number <= 2; ++number) {
    Result<std::string> target = kernel::readlinkat(proc.root(), fmt::format("self/fd/{}", number));
    if (!target && target.error().number != ENOENT) return std::unexpected(target.error());
    out.push_back(target ? *std::move(target) : std::string());
  }
  return out;
}

// Everybody who waits for the init process: the record, the pid file, the pidfd's socket, and who waits for the lock.
Status tell(const CreateRequest &request, Container &container, const Launched &launched) {
  TRY(container.replace());
  if (!request.pid_file.empty()) TRY(write_pid_file(request.pid_file, launched.init.pid()));
  if (!request.pidfd_socket.empty()) TRY(send_pidfd(request.pidfd_socket, launched.init.pidfd()));
  return container.unlock();
}

Status detach_host_mounts(const spec::Record &record) {
  if (record.host_mount == 0) return {};
  return detach_host_rootfs(record.rootfs, record.host_mount, TRY(kernel::Procfs::open_host()));
}

Result<Launched> bring_up(CreateRequest &request, const Bundle &bundle, const Plan &plan, const Host &host,
                          const kernel::Procfs &proc, Container &container, std::vector<std::string> &warnings,
                          const cli::Log &log) {
  TRY(fill_record(container.record, bundle, plan, proc));
  if (plan.intel_rdt) {
    TRY(record_intel_rdt(*plan.intel_rdt, named_schemata(*bundle.config.linux_.intel_rdt), TRY(find_resctrl(proc)),
                         container.record));
  }
  kernel::Fd host_rootfs;
  if (plan.host_mounts) {
    host_rootfs = TRY(in("root.path", open_host_rootfs(plan.rootfs)));
    container.record.host_mount = TRY(kernel::read_unique_mount_id(host_rootfs));
  }
  TRY(container.save_config(bundle.json));
  TRY(container.save_first());
  if (!plan.notify_directory.empty()) TRY(in("NOTIFY_SOCKET", make_notify_directory(container.directory())));
  kernel::Fd console = std::move(request.console);
  if (!request.console_socket.empty()) console = TRY(connect_console(request.console_socket));
  Launched launched = TRY(launch({.plan = plan,
                                  .host = host,
                                  .config = bundle.config,
                                  .container = container,
                                  .proc = proc,
                                  .host_rootfs = std::move(host_rootfs),
                                  .console_socket = std::move(console),
                                  .image = std::move(request.image),
                                  .gate = request.gate,
                                  .warnings = warnings,
                                  .log = log}));
  if (const Status told = tell(request, container, launched); !told) {
    launched.init = {};  // killed and reaped
    discard(launched.cgroup, container.record.systemd_scope);
    (void)remove_intel_rdt(container.record);
    return std::unexpected(told.error());
  }
  return launched;
}

}  // namespace

Status check_terminal(const CreateRequest &request, const spec::Config &config) {
  const bool terminal = config.process && config.process->terminal;
  if (terminal && request.detached && request.console_socket.empty()) {
    return fail("process.terminal: cannot allocate tty if skiff will detach without setting console socket",
                "give --console-socket, or set process.terminal to false");
  }
  if (!request.console_socket.empty() && (!terminal || !request.detached)) {
    return fail("--console-socket: cannot use console socket if skiff will not detach or allocate tty",
                "leave it out, or set process.terminal to true");
  }
  return {};
}

Status fill_record(spec::Record &record, const Bundle &bundle, const Plan &plan, const kernel::Procfs &proc) {
  record.oci_version = bundle.config.oci_version;
  record.bundle = bundle.path;
  record.rootfs = plan.rootfs;
  record.created = timestamp();
  record.annotations = bundle.config.annotations;
  record.owner_uid = kernel::geteuid();
  record.new_pid_namespace = (plan.launch.new_namespaces & CLONE_NEWPID) != 0;
  record.has_late_hooks = !bundle.config.hooks.poststart.empty() || !bundle.config.hooks.poststop.empty();
  constexpr std::array<const char *, 3> drivers = {"disabled", "cgroupfs", "systemd"};
  record.cgroup_manager = drivers[static_cast<std::size_t>(plan.cgroup.driver)];
  record.systemd_scope = plan.cgroup.unit.name;
  for (const CgroupDirectory &directory : plan.cgroup.directories) record.cgroup_paths.push_back(directory.path);
  if (!plan.terminal) record.descriptors = TRY(read_descriptors(proc));
  return {};
}

Result<Created> create_container(CreateRequest request, const cli::Log &log) {
  TRY(check_container_id(request.id));
  Bundle bundle = TRY(load_bundle(request.bundle));
  TRY(check_terminal(request, bundle.config));
  if (request.console_size && bundle.config.process) bundle.config.process->console_size = request.console_size;
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  Host host = TRY(read_host(proc));
  if (request.systemd_cgroup) TRY(find_user_manager(host));
  const std::optional<SeccompProgram> seccomp = TRY(load_seccomp(request.root, bundle.config.linux_.seccomp, log));
  Plan plan = TRY(make_plan(
      bundle.config, host,
      {.id = request.id,
       .bundle = bundle.path,
       .no_pivot = request.no_pivot,
       .no_new_keyring = request.no_new_keyring,
       .systemd_cgroup = request.systemd_cgroup,
       .disable_cgroups = request.disable_cgroups,
       .foreground = !request.detached,
       .preserve_fds = request.preserve_fds,
       .notify_directory =
           host.notify_socket.empty() ? "" : fmt::format("{}/{}/{}", request.root, request.id, notify_directory),
       .seccomp = seccomp ? &*seccomp : nullptr}));
  if (bundle.config.linux_.resources) log_left_out(*bundle.config.linux_.resources, log);
  Container container = TRY(Container::create(request.root, request.id));
  std::vector<std::string> warnings = std::move(plan.warnings);
  Result<Launched> launched = bring_up(request, bundle, plan, host, proc, container, warnings, log);
  tell_warnings(warnings, launched.has_value(), log);
  if (!launched) {
    (void)detach_host_mounts(container.record);  // the first error is the one to tell
    (void)container.remove();
    return std::unexpected(std::move(launched).error());
  }
  return Created{std::move(bundle), std::move(container), *std::move(launched)};
}

void tell_warnings(const std::vector<std::string> &warnings, bool succeeded, const cli::Log &log) {
  for (const std::string &warning : warnings) cli::warning(succeeded ? log : cli::Log{}, warning);
}

void log_left_out(const spec::Resources &resources, const cli::Log &log) {
  if (!cli::enabled(log, cli::Level::Debug)) return;
  for (const std::string &line : list_resources_left_out(resources)) cli::debug(log, line);
}

Status write_pid_file(const std::string &path, pid_t pid) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  // Whoever is killed here leaves a name that the next one writes over.
  const std::string temporary = fmt::format("{}.{}", directory, name);
  const auto write = [&]() -> Status {
    const kernel::Fd file = TRY(kernel::open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644));
    TRY(kernel::write_all(file, std::to_string(pid)));
    return kernel::renameat2(kernel::cwd, temporary, kernel::cwd, path);
  };
  const Status written = write();
  if (!written) (void)kernel::unlinkat(kernel::cwd, temporary);
  return in("--pid-file", written);
}

Status send_pidfd(const std::string &path, const kernel::Fd &pidfd) {
  const kernel::Fd socket = TRY(in("--pidfd-socket", kernel::connect_unix(kernel::cwd, path, SOCK_STREAM)));
  const std::array<kernel::FdView, 1> fds = {pidfd};
  return in("--pidfd-socket", kernel::send_message(socket, "pidfd", fds));
}

Status destroy_container(Container &container, const cli::Log &log) {
  const bool has_unit = !container.record.systemd_scope.empty();
  if (has_unit || !Cgroup::remove_empty(container.record.cgroup_paths)) {
    Cgroup cgroup = TRY(Cgroup::open(container.record.cgroup_paths));
    TRY(cgroup.kill_all(SIGKILL));
    if (has_unit) {
      // systemd itself forgets a scope that has become empty.
      const Status stopped = stop_unit(container.record.systemd_scope);
      if (!stopped) cli::warning(log, stopped.error().message());
    }
    TRY(cgroup.remove());
  }
  if (const Status detached = detach_host_mounts(container.record); !detached) {
    cli::warning(log, detached.error().message());
  }
  TRY(remove_intel_rdt(container.record));
  std::vector<spec::Hook> hooks;
  if (container.record.has_late_hooks) {
    hooks = spec::parse_config(TRY(container.read_config())).config.hooks.poststop;
  }
  const std::string state = spec::print_hook_state(container.state(spec::ContainerStatus::stopped));
  TRY(container.remove());
  HookFiles files;
  if (!hooks.empty()) {
    Result<HookFiles> opened = open_hook_files(container.record.annotations);
    if (!opened) cli::warning(log, opened.error().message());
    if (opened) files = *std::move(opened);
  }
  for (const Error &error : run_all_hooks(RunHooks::Kind::poststop, hooks, state, files)) {
    cli::warning(log, error.message());
  }
  return {};
}

}  // namespace skiff
