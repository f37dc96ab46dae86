#include "runtime/restore.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>

#include <array>

#include "runtime/cgroup_unit.h"
#include "runtime/criu.h"
#include "runtime/criu_images.h"
#include "runtime/criu_mounts.h"
#include "runtime/criu_plan.h"
#include "runtime/hooks.h"
#include "runtime/host_probe.h"
#include "runtime/intel_rdt.h"
#include "runtime/kernel/namespace.h"
#include "runtime/kernel/netlink.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/socket.h"
#include "runtime/mount_target.h"
#include "runtime/notify.h"
#include "runtime/plan_intel_rdt.h"
#include "runtime/terminal.h"

namespace skiff {
namespace {

constexpr const char *log_file = "restore.log";
constexpr const char *root_directory = "criu-root";  // below the container's state

// The order in which things come into being, for whoever has to undo them.
struct Restoring {
  RestoreRequest &request;
  const Bundle &bundle;
  const Plan &plan;
  const kernel::Procfs &proc;
  Container &container;
  std::vector<std::string> &warnings;
  const cli::Log &log;
  CriuOptions options = {};
  std::vector<kernel::Fd> namespaces = {};  // by path, for CRIU to inherit
  kernel::Fd console = {};
  HookFiles hook_files = {};
  Cgroup cgroup = {};
  bool has_unit = false;  // systemd has started it
  kernel::Child init = {};
};

// ---- what CRIU is told ----

Status add_mounts(const kernel::Fd &rootfs, Restoring &restoring) {
  std::vector<CriuMount> &mounts = restoring.options.mounts;
  for (const ExternalMount &mount : find_external_mounts(restoring.plan, restoring.plan.cgroup.directories)) {
    mounts.push_back({TRY(resolve_destination(rootfs, mount.destination, restoring.proc)), mount.source});
  }
  mounts.push_back({mask_of_files, mask_of_files});
  return {};
}

Status add_namespaces(Restoring &restoring) {
  restoring.options.join_ns = TRY(find_joined_namespaces(restoring.plan));
  for (const Join &join : restoring.plan.launch.joins) {
    if (!is_external_namespace(join)) continue;
    kernel::Fd fd = TRY(in(join.field, kernel::open(join.path, O_RDONLY)));
    restoring.options.inherit_fd.push_back({external_namespace_key(join), fd.get()});
    restoring.namespaces.push_back(std::move(fd));
  }
  return {};
}

// A pipe that was stdin, stdout or stderr becomes the one that is ours.
Status add_descriptors(const kernel::Fd &images, Restoring &restoring) {
  const std::vector<std::string> descriptors = TRY(load_descriptors(images));
  for (std::size_t i = 0; i < descriptors.size() && i <= 2; ++i) {
    if (!descriptors[i].starts_with("pipe:")) continue;
    restoring.options.inherit_fd.push_back({descriptors[i], static_cast<int>(i)});
  }
  return {};
}

Status fill_options(const CriuDirectories &directories, Restoring &restoring) {
  CriuOptions &options = restoring.options;
  options = std::move(restoring.request.options);
  options.images_dir_fd = directories.images.get();
  options.work_dir_fd = directories.work.get();
  options.log_file = log_file;
  options.root = fmt::format("{}/{}", TRY(read_path(restoring.container.directory(), restoring.proc)), root_directory);
  options.config_file = choose_criu_config(restoring.bundle.config.annotations, has_own_criu_config());
  options.evasive_devices = true;
  options.rst_sibling = true;
  options.orphan_pts_master = true;
  options.empty_ns = emptied_namespaces;
  TRY(add_mounts(TRY(kernel::open(restoring.plan.rootfs, O_PATH | O_DIRECTORY)), restoring));
  TRY(add_namespaces(restoring));
  return add_descriptors(directories.images, restoring);
}

// ---- what CRIU tells ----

// CRIU leaves a new network namespace as it was made.
Status bring_up_loopback(const Restoring &restoring, pid_t pid) {
  if ((restoring.plan.launch.new_namespaces & CLONE_NEWNET) == 0) return {};
  const kernel::RouteSocket routes =
      TRY(kernel::RouteSocket::open_in(TRY(kernel::open_namespace(restoring.proc, pid, "net")),
                                       TRY(kernel::open_namespace(restoring.proc, kernel::getpid(), "net"))));
  return routes.set_up(TRY(routes.find_link("lo")));
}

Status run_runtime_hooks(const Restoring &restoring, pid_t pid) {
  const spec::Hooks &hooks = restoring.bundle.config.hooks;
  if (hooks.prestart.empty() && hooks.create_runtime.empty()) return {};
  spec::State state = restoring.container.state(spec::ContainerStatus::creating);
  state.pid = pid;
  const std::string text = spec::print_hook_state(state);
  TRY(run_hooks(RunHooks::Kind::prestart, hooks.prestart, text, restoring.hook_files));
  return run_hooks(RunHooks::Kind::create_runtime, hooks.create_runtime, text, restoring.hook_files);
}

Result<bool> is_in_time_namespace(pid_t pid, const kernel::Procfs &proc) {
  const Result<kernel::Fd> theirs = kernel::open_namespace(proc, pid, "time");
  if (!theirs && theirs.error().number == ENOENT) return false;  // below Linux 5.6
  if (!theirs) return std::unexpected(theirs.error());
  const kernel::Fd ours = TRY(kernel::open_namespace(proc, kernel::getpid(), "time"));
  return !TRY(kernel::is_same_namespace(*theirs, ours));
}

// The processes are all there and do not run yet. Only from here on the limits count: CRIU, which has worked in their
// cgroup, may need more than they do.
Status take_over(Restoring &restoring, pid_t pid) {
  restoring.init = kernel::Child(pid, TRY(kernel::pidfd_open(pid)));
  const CgroupPlan &plan = restoring.plan.cgroup;
  TRY(restoring.cgroup.apply_limits(plan));
  TRY(restoring.cgroup.apply_devices(plan));
  if (plan.delegate) TRY(restoring.cgroup.delegate(plan.owner_uid, plan.owner_gid));
  spec::Record &record = restoring.container.record;
  record.pid = pid;
  record.start_time = TRY(restoring.proc.read_start_time(pid));
  record.time_namespace = TRY(is_in_time_namespace(pid, restoring.proc));
  record.ready = true;
  TRY(restoring.container.write_next());
  return restoring.container.replace();
}

Status pass_on_terminal(const Restoring &restoring, const kernel::Fd &master) {
  if (!master.valid() || !restoring.console.valid()) return {};
  const std::array<kernel::FdView, 1> fds = {master};
  return in("console socket", kernel::send_message(restoring.console, "orphan-pts-master", fds));
}

Status answer(Restoring &restoring, const CriuNotification &told) {
  if (told.script == "setup-namespaces") {
    TRY(in("linux.namespaces (network)", bring_up_loopback(restoring, told.pid)));
    return run_runtime_hooks(restoring, told.pid);
  }
  if (told.script == "post-restore") return take_over(restoring, told.pid);
  if (told.script == "orphan-pts-master") return pass_on_terminal(restoring, told.fd);
  return {};
}

// ---- in order ----

// CRIU itself: what it restores is born where it is.
Status place(Restoring &restoring, pid_t pid) {
  const CgroupPlan &plan = restoring.plan.cgroup;
  if (plan.unit.name.empty()) {
    TRY(restoring.cgroup.place(pid));
  } else {
    restoring.cgroup = TRY(make_cgroup_of_unit(plan, pid, restoring.warnings));
    restoring.has_unit = true;
  }
  if (restoring.plan.intel_rdt) TRY(join_intel_rdt(*restoring.plan.intel_rdt, restoring.container.record, pid));
  restoring.container.record.cgroup_paths = restoring.cgroup.paths();
  restoring.options.cgroup_roots = parse_cgroup_roots(TRY(restoring.proc.read_file(fmt::format("{}/cgroup", pid))));
  return {};
}

Status run_criu(Restoring &restoring, const CriuDirectories &directories) {
  const std::string &root = restoring.options.root;
  CriuStart start{.program = restoring.request.criu,
                  .keep_stdio = true,
                  .inherited = {restoring.namespaces.begin(), restoring.namespaces.end()},
                  .prepare_mounts = [&]() -> Status {
                    TRY(mount_criu_root(restoring.plan.rootfs, root));
                    return reopen_criu_directories(directories);
                  }};
  start.inherited.emplace_back(directories.images);
  if (directories.work.valid()) start.inherited.emplace_back(directories.work);
  TRY(kernel::mkdirat(restoring.container.directory(), root_directory, 0700));
  Criu criu = TRY(Criu::start(std::move(start)));
  TRY(place(restoring, criu.pid()));
  const int version = TRY(criu.serve());
  cli::debug(restoring.log, fmt::format("criu {}", criu_version_text(version)));
  const auto answer_it = [&](const CriuNotification &told) { return answer(restoring, told); };
  TRY(criu.request(CriuType::restore, restoring.options, answer_it, directories.log, restoring.log));
  if (restoring.init.is_this_process()) return fail("criu has told of no restored process");
  return kernel::unlinkat(restoring.container.directory(), root_directory, AT_REMOVEDIR);
}

Status bring_up(Restoring &restoring) {
  const CreateRequest &create = restoring.request.create;
  spec::Record &record = restoring.container.record;
  const CriuDirectories directories =
      TRY(open_criu_directories(restoring.request.image_path, restoring.request.work_path, false));
  TRY(let_in(directories.images, find_reading_group(restoring.plan)));
  TRY(fill_record(record, restoring.bundle, restoring.plan, restoring.proc));
  if (restoring.plan.intel_rdt) {
    TRY(record_intel_rdt(*restoring.plan.intel_rdt, named_schemata(*restoring.bundle.config.linux_.intel_rdt),
                         TRY(find_resctrl(restoring.proc)), record));
  }
  TRY(restoring.container.save_config(restoring.bundle.json));
  TRY(restoring.container.save_first());
  if (!restoring.plan.notify_directory.empty()) {
    TRY(in("NOTIFY_SOCKET", make_notify_directory(restoring.container.directory())));
  }
  restoring.console = std::move(restoring.request.create.console);
  if (!create.console_socket.empty()) restoring.console = TRY(connect_console(create.console_socket));
  restoring.hook_files = TRY(open_hook_files(restoring.bundle.config.annotations));
  if (restoring.plan.cgroup.unit.name.empty()) restoring.cgroup = TRY(Cgroup::create(restoring.plan.cgroup));
  TRY(make_mount_points(restoring.plan, restoring.proc));
  TRY(fill_options(directories, restoring));
  if (restoring.options.lazy_pages) TRY(wait_for_lazy_pages(directories));
  TRY(run_criu(restoring, directories));
  if (!create.pid_file.empty()) TRY(write_pid_file(create.pid_file, restoring.init.pid()));
  return restoring.container.unlock();
}

Result<Launched> launch_or_undo(Restoring &restoring) {
  if (const Status up = bring_up(restoring); !up) {
    restoring.init = {};  // killed and reaped
    discard(restoring.cgroup, restoring.has_unit ? restoring.plan.cgroup.unit.name : std::string());
    (void)remove_intel_rdt(restoring.container.record);
    (void)restoring.container.remove();
    return std::unexpected(up.error());
  }
  return Launched{.init = std::move(restoring.init), .sync = {}, .cgroup = std::move(restoring.cgroup)};
}

}  // namespace

Result<Created> restore_container(RestoreRequest request, const cli::Log &log) {
  const CreateRequest &create = request.create;
  TRY(check_container_id(create.id));
  Bundle bundle = TRY(load_bundle(create.bundle));
  TRY(check_terminal(create, bundle.config));
  if (bundle.config.linux_.find(spec::NamespaceType::mount) == nullptr) {
    return fail("linux.namespaces: a container without a mount namespace cannot be restored",
                R"(add {"type": "mount"} to linux.namespaces)");
  }
  const kernel::Procfs proc = TRY(kernel::Procfs::open_host());
  const Host host = TRY(read_host(proc));
  const std::string notify = fmt::format("{}/{}/{}", create.root, create.id, notify_directory);
  Plan plan = TRY(make_plan(bundle.config, host,
                            {.id = create.id,
                             .bundle = bundle.path,
                             .systemd_cgroup = create.systemd_cgroup,
                             .disable_cgroups = create.disable_cgroups,
                             .foreground = !create.detached,
                             .notify_directory = host.notify_socket.empty() ? "" : notify,
                             .defer_seccomp = true}));
  Container container = TRY(Container::create(create.root, create.id));
  std::vector<std::string> warnings = std::move(plan.warnings);
  Restoring restoring{.request = request,
                      .bundle = bundle,
                      .plan = plan,
                      .proc = proc,
                      .container = container,
                      .warnings = warnings,
                      .log = log};
  Result<Launched> launched = launch_or_undo(restoring);
  tell_warnings(warnings, launched.has_value(), log);
  if (!launched) return std::unexpected(std::move(launched).error());
  return Created{std::move(bundle), std::move(container), *std::move(launched)};
}

}  // namespace skiff
