#include "runtime/plan.h"

#include <fmt/format.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "runtime/plan_annotations.h"
#include "runtime/plan_intel_rdt.h"
#include "runtime/plan_mounts.h"
#include "runtime/plan_process.h"
#include "spec/names.h"
#include "spec/path.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080  // Linux 5.6
#endif

namespace skiff {
namespace {

using spec::NamespaceType;

// ---- namespaces ----

struct NamespaceKind {
  std::uint64_t flag;
  int rank;  // in which order a path is joined
};

// Indexed by NamespaceType. The user namespace first, which owns the others and lets them be joined; the mount
// namespace last, because the paths are the host's.
constexpr std::array<NamespaceKind, 8> namespace_kinds = {{{CLONE_NEWPID, 4},
                                                           {CLONE_NEWNET, 3},
                                                           {CLONE_NEWNS, 7},
                                                           {CLONE_NEWIPC, 1},
                                                           {CLONE_NEWUTS, 2},
                                                           {CLONE_NEWUSER, 0},
                                                           {CLONE_NEWCGROUP, 5},
                                                           {CLONE_NEWTIME, 6}}};

const NamespaceKind &kind_of(NamespaceType type) { return namespace_kinds[static_cast<std::size_t>(type)]; }

bool is_new(const spec::Linux &linux_, NamespaceType type) {
  const spec::Namespace *found = linux_.find(type);
  return found != nullptr && found->path.empty();
}

Launch make_launch(const spec::Linux &linux_) {
  Launch launch;
  std::array<const spec::Namespace *, 8> joined{};  // by rank
  for (const spec::Namespace &entry : linux_.namespaces) {
    if (!entry.path.empty()) {
      joined[static_cast<std::size_t>(kind_of(entry.type).rank)] = &entry;
    } else if (entry.type == NamespaceType::time) {
      launch.new_time_namespace = true;
    } else if (entry.type != NamespaceType::cgroup) {
      launch.new_namespaces |= kind_of(entry.type).flag;
    }
  }
  for (const spec::Namespace *entry : joined) {
    if (entry == nullptr) continue;
    launch.joins.push_back({.field = fmt::format("linux.namespaces[{}] ({})", entry - linux_.namespaces.data(),
                                                 spec::namespace_type_names[static_cast<std::size_t>(entry->type)]),
                            .flag = kind_of(entry->type).flag,
                            .path = entry->path});
  }
  if (is_new(linux_, NamespaceType::user)) launch.id_maps = IdMaps{linux_.uid_mappings, linux_.gid_mappings};
  if (launch.new_time_namespace) {
    for (const auto &[clock, offset] : linux_.time_offsets) {
      launch.time_offsets.push_back({clock, offset.secs, offset.nanosecs});
    }
  }
  return launch;
}

// ---- devices ----

struct DefaultDevice {
  std::string_view path;
  std::uint32_t major, minor;
};
// config-linux.md, "Default Devices"; console and ptmx are made otherwise.
constexpr std::array<DefaultDevice, 6> default_devices = {{{"/dev/null", 1, 3},
                                                           {"/dev/zero", 1, 5},
                                                           {"/dev/full", 1, 7},
                                                           {"/dev/random", 1, 8},
                                                           {"/dev/urandom", 1, 9},
                                                           {"/dev/tty", 5, 0}}};

Result<std::uint32_t> device_type(std::string_view type) {
  if (type == "c" || type == "u") return S_IFCHR;
  if (type == "b") return S_IFBLK;
  if (type == "p") return S_IFIFO;
  return fail(fmt::format(".type: {} is no device type", spec::quote(type)), "use c, b, u or p");
}

// A major of 12 bits, a minor of 20: what the kernel keeps (makedev(3)).
Result<std::uint32_t> device_number(std::string_view field, std::int64_t number, std::int64_t most) {
  if (number < 0 || number > most) return fail(fmt::format("{}: {} is not within 0 to {}", field, number, most));
  return static_cast<std::uint32_t>(number);
}

Result<MakeDevice> make_device(const spec::Device &device, bool bind_from_host) {
  MakeDevice step;
  const std::uint32_t type = TRY(device_type(device.type));
  step.path = spec::clean_path(device.path);
  step.mode = type | (device.file_mode.value_or(0666) & 07777U);
  if (type != S_IFIFO) {
    step.major = TRY(device_number(".major", device.major, 0xfff));
    step.minor = TRY(device_number(".minor", device.minor, 0xfffff));
  }
  step.uid = device.uid.value_or(0);
  step.gid = device.gid.value_or(0);
  step.bind_from_host = bind_from_host && type != S_IFIFO;  // anybody may make a fifo
  return step;
}

// ---- propagation ----

struct Propagation {
  SetPropagation first;
  std::uint64_t parent = 0;
  std::uint64_t last = 0;  // of the rootfs once it is "/", 0: nothing
};

Result<Propagation> make_propagation(const spec::Linux &linux_, bool no_pivot) {
  if (linux_.rootfs_propagation.empty()) {
    return Propagation{.first = {.propagation = MS_SLAVE, .recursive = true}, .parent = 0, .last = 0};
  }
  const std::uint64_t wanted = parse_propagation(linux_.rootfs_propagation);
  if (wanted == 0) {
    return fail(fmt::format("linux.rootfsPropagation: {} is no propagation", spec::quote(linux_.rootfs_propagation)),
                "use shared, slave, private or unbindable, with r in front for the mounts below too");
  }
  const bool recursive = (wanted & MS_REC) != 0;
  const std::uint64_t mode = wanted & ~std::uint64_t{MS_REC};
  if (no_pivot && mode == MS_PRIVATE) {
    return fail("linux.rootfsPropagation: private is not safe without pivot_root(2)",
                "use rslave, or leave out --no-pivot");
  }
  Propagation out;
  out.first = {.propagation = mode == MS_UNBINDABLE ? std::uint64_t{MS_PRIVATE} : mode, .recursive = recursive};
  const bool all_alike = recursive && (mode == MS_SLAVE || mode == MS_PRIVATE);  // the parent is that, too
  out.parent = all_alike ? 0 : mode == MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
  if (mode == MS_SHARED || mode == MS_UNBINDABLE) out.last = wanted;
  return out;
}

// ---- steps ----

constexpr const char *add_mount_namespace = R"(add {"type": "mount"} to linux.namespaces)";

struct Builder {
  const spec::Config &config;
  const Host &host;
  const PlanOptions &options;
  Plan plan;
  bool own_mounts = false;    // a new mount namespace
  bool makes_rootfs = false;  // there, or without one on the host
  bool bind_devices = false;  // mknod is refused where the mount namespace belongs to a user namespace
  bool sets_up_dev = true;    // nothing was bound on /dev
  std::uint64_t root_propagation = 0;
  std::vector<Step> late_readonly;

  void add(std::string field, Action action) { plan.steps.push_back({std::move(field), std::move(action)}); }

  void add_namespaces() {
    const spec::Linux &linux_ = config.linux_;
    if (is_new(linux_, NamespaceType::cgroup)) add("linux.namespaces (cgroup)", UnshareCgroup{});
    if (!options.no_new_keyring) {
      // keyrings(7): in a user namespace the process of a later exec is not the keyring's owner yet.
      constexpr std::uint32_t user_search = 0x00080000;
      constexpr std::uint32_t other_search = 0x00000008;
      add("process", JoinSessionKeyring{.name = "_ses." + options.id,
                                        .permissions = has_user_namespace(config) ? other_search : user_search,
                                        .label = config.process->selinux_label});
    }
    if (is_new(linux_, NamespaceType::network) && !plan.launch.network_apart) {
      add("linux.namespaces (network)", LoopbackUp{});
    }
    if (!config.hostname.empty()) add("hostname", SetHostname{config.hostname});
    if (!config.domainname.empty()) add("domainname", SetDomainname{config.domainname});
  }

  // Unknown to the runtime is not unknown to the kernel, but an option that is no label's would be a way to any option.
  Result<std::string_view> choose_label_option() {
    constexpr std::array<std::string_view, 4> known = {"context", "fscontext", "defcontext", "rootcontext"};
    const auto found = config.annotations.find(std::string(annotation::mount_context_type));
    if (found == config.annotations.end()) return known[0];
    if (const auto index = spec::find_name(known, found->second)) return known[*index];
    return fail(fmt::format("annotations[\"{}\"]: {} is no kind of mount context", annotation::mount_context_type,
                            spec::quote(found->second)),
                spec::suggest_name(known, found->second));
  }

  Status add_mounts() {
    const MountContext context{.bundle = options.bundle,
                               .rootfs = plan.rootfs,
                               .user_namespace = has_user_namespace(config),
                               .linux_ = &config.linux_,
                               .label_option = TRY(choose_label_option())};
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
      std::string field = fmt::format("mounts[{}]", i);
      Result<MountStep> made = make_mount_step(config.mounts[i], context);
      if (!made) return std::unexpected(Error{made.error().number, field + made.error().text, made.error().remedy});
      field += fmt::format(" ({})", made->destination);
      if (plan.host_mounts && made->kind == MountStep::Kind::remount) {
        return fail(
            field + ".options: this changes a mount that is there, which without a mount namespace is the host's",
            add_mount_namespace);
      }
      if (made->kind == MountStep::Kind::bind && made->destination == "/dev") sets_up_dev = false;
      if (made->readonly_last) late_readonly.push_back({field, FinishReadonly{made->destination}});
      add(std::move(field), *std::move(made));
    }
    return {};
  }

  // Last, so that no mount of the configuration covers it.
  void add_notify_socket() {
    if (plan.notify_directory.empty()) return;
    MountStep step;
    step.kind = MountStep::Kind::bind;
    step.type = "bind";
    step.source = plan.notify_directory;
    step.destination = notify_mount_point;
    step.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    add("NOTIFY_SOCKET", std::move(step));
  }

  Status add_devices() {
    const std::vector<spec::Device> &listed = config.linux_.devices;
    const auto is_listed = [&](std::string_view path, std::size_t end) {
      return std::any_of(listed.begin(), listed.begin() + static_cast<std::ptrdiff_t>(end),
                         [&](const spec::Device &device) { return spec::clean_path(device.path) == path; });
    };
    for (const DefaultDevice &device : default_devices) {
      if (is_listed(device.path, listed.size())) continue;  // the configuration's own wins
      add("default devices", MakeDevice{.path = std::string(device.path),
                                        .mode = S_IFCHR | 0666,
                                        .major = device.major,
                                        .minor = device.minor,
                                        .bind_from_host = bind_devices});
    }
    for (std::size_t i = 0; i < listed.size(); ++i) {
      const std::string field = fmt::format("linux.devices[{}]", i);
      Result<MakeDevice> made = make_device(listed[i], bind_devices);
      if (!made) return std::unexpected(Error{made.error().number, field + made.error().text, made.error().remedy});
      // Engines list what they find on the host, twice and with ptmx among it: that one is the container's own devpts.
      if (made->path == "/dev/ptmx" || is_listed(made->path, i)) continue;
      std::string place = fmt::format("{} ({})", field, made->path);
      add(std::move(place), *std::move(made));
    }
    return {};
  }

  // config-linux.md, "Dev symbolic links"; core by custom of the field.
  void add_symlinks() {
    constexpr std::array<std::pair<const char *, const char *>, 6> links = {{{"/dev/fd", "/proc/self/fd"},
                                                                             {"/dev/stdin", "/proc/self/fd/0"},
                                                                             {"/dev/stdout", "/proc/self/fd/1"},
                                                                             {"/dev/stderr", "/proc/self/fd/2"},
                                                                             {"/dev/core", "/proc/kcore"},
                                                                             {"/dev/ptmx", "pts/ptmx"}}};
    for (const auto &[path, target] : links) add("default devices", MakeSymlink{path, target});
  }

  void add_hooks(const char *field, RunHooks::Kind kind, const std::vector<spec::Hook> &hooks) {
    if (!hooks.empty()) add(field, RunHooks{kind, hooks});
  }

  // runtime.md, "Lifecycle", steps 3 to 5: after the mounts, before the pivot, so that a hook can still reach both
  // sides. The first two run in the runtime's namespaces: init asks the parent.
  void add_create_hooks() {
    add_hooks("hooks.prestart", RunHooks::Kind::prestart, config.hooks.prestart);
    add_hooks("hooks.createRuntime", RunHooks::Kind::create_runtime, config.hooks.create_runtime);
    add_hooks("hooks.createContainer", RunHooks::Kind::create_container, config.hooks.create_container);
  }

  Status add_rootfs() {
    const Propagation propagation = TRY(make_propagation(config.linux_, own_mounts && options.no_pivot));
    if (own_mounts) add("linux.rootfsPropagation", propagation.first);
    if (makes_rootfs) {
      add("root.path",
          AttachRootfs{.path = plan.rootfs, .parent_propagation = own_mounts ? propagation.parent : std::uint64_t{0}});
      TRY(add_mounts());
      add_notify_socket();
      if (sets_up_dev) {
        TRY(add_devices());
        add_symlinks();
      }
    }
    add_create_hooks();
    PivotRoot::Way way = options.no_pivot ? PivotRoot::Way::move : PivotRoot::Way::pivot;
    if (!own_mounts) way = PivotRoot::Way::chroot;
    add("root.path", PivotRoot{way});
    if (config.process->terminal) {
      add("process.terminal",
          SetupConsole{
              .size = config.process->console_size, .dev_console = makes_rootfs, .translates = !options.foreground});
    }
    root_propagation = propagation.last;
    return {};
  }

  // What makes the rootfs refuse things comes after everything that still changes it; sysctls before /proc/sys is made
  // read-only.
  void add_protection() {
    const spec::Linux &linux_ = config.linux_;
    for (const auto &[key, value] : linux_.sysctl) {
      add(fmt::format("linux.sysctl[\"{}\"]", key), SetSysctl{key, value});
    }
    if (!makes_rootfs) return;
    std::ranges::move(late_readonly, std::back_inserter(plan.steps));
    for (std::size_t i = 0; i < linux_.readonly_paths.size(); ++i) {
      add(fmt::format("linux.readonlyPaths[{}]", i), MakeReadonly{linux_.readonly_paths[i]});
    }
    for (std::size_t i = 0; i < linux_.masked_paths.size(); ++i) {
      add(fmt::format("linux.maskedPaths[{}]", i), MaskPath{linux_.masked_paths[i]});
    }
    if (config.root->readonly) add("root.readonly", RootReadonly{});
    // After all that clones a mount of the rootfs: an unbindable one takes no clone.
    if (root_propagation != 0) add("linux.rootfsPropagation", SetRootPropagation{root_propagation});
  }

  Status add_process() {
    const ProcessContext context{
        .config = &config, .host = &host, .seccomp = options.seccomp, .defer_seccomp = options.defer_seccomp};
    ProcessSteps made = TRY(make_process_steps(*config.process, context));
    std::ranges::move(made.steps, std::back_inserter(plan.steps));
    std::ranges::move(made.warnings, std::back_inserter(plan.warnings));
    plan.outer_rlimits = std::move(made.outer_rlimits);
    return {};
  }

  // Last: they run when the gate opens.
  void add_start_hooks() {
    add_hooks("hooks.startContainer", RunHooks::Kind::start_container, config.hooks.start_container);
  }

  // Fields that act outside of init.
  Status fill_outside() {
    const spec::Process &process = *config.process;
    const spec::Linux &linux_ = config.linux_;
    plan.oom_score_adj = process.oom_score_adj;
    plan.terminal = process.terminal;
    if (linux_.intel_rdt) plan.intel_rdt = make_intel_rdt_plan(*linux_.intel_rdt, options.id);
    for (const auto &[name, device] : linux_.net_devices) {
      plan.net_devices.emplace_back(name, device.name.empty() ? name : device.name);
    }
    if (linux_.seccomp) {
      plan.seccomp_listener_path = linux_.seccomp->listener_path;
      plan.seccomp_listener_metadata = linux_.seccomp->listener_metadata;
    }
    if (own_mounts) plan.notify_directory = options.notify_directory;
    std::vector<std::string> env = process.env;
    if (!plan.notify_directory.empty()) env.emplace_back(notify_variable);
    plan.program = Program{.args = process.args,
                           .env = make_environment(env, host.listen_fds),
                           .uid = process.user.uid,
                           .preserved_fds = host.listen_fds + options.preserve_fds};
    auto driver = CgroupPlan::Driver::cgroupfs;
    if (options.systemd_cgroup) driver = CgroupPlan::Driver::systemd;
    if (options.disable_cgroups) driver = CgroupPlan::Driver::disabled;
    plan.cgroup = TRY(make_cgroup_plan(config, host, options.id, driver));
    std::ranges::copy(plan.cgroup.warnings, std::back_inserter(plan.warnings));
    return {};
  }

  void warn_of_host_mounts() {
    std::string places;
    for (const spec::Mount &mount : config.mounts)
      places += fmt::format("{} {}", places.empty() ? "" : ",", mount.destination);
    plan.warnings.push_back(
        fmt::format("linux.namespaces: no mount namespace, so the container's mounts stay on the host, below {}:{}; "
                    "delete detaches "
                    "them on Linux 6.8 and later, \"umount --recursive --lazy {}\" anywhere; "
                    "to keep them off it, {}",
                    plan.rootfs, places, plan.rootfs, add_mount_namespace));
  }

  void warn_of_foreign_mounts() {
    const bool asked = !config.mounts.empty() || !config.linux_.masked_paths.empty() ||
                       !config.linux_.readonly_paths.empty() || config.root->readonly;
    if (plan.host_mounts) return warn_of_host_mounts();
    if (own_mounts || !asked) return;
    plan.warnings.emplace_back(
        "linux.namespaces: no new mount namespace, so mounts, maskedPaths, readonlyPaths and root.readonly are left as "
        "the joined namespace has them");
  }
};

// What this host and this user make impossible, before anything is decided.
Status check_host(const spec::Config &config, const Host &host) {
  if (!config.process) return fail("process: missing", "a container is created to run one");
  if (!config.root) return fail("root: missing", "name the rootfs in root.path");
  const spec::Linux &linux_ = config.linux_;
  if (host.uid != 0 && !has_user_namespace(config)) {
    return fail(fmt::format("linux.namespaces: user {} cannot create a container without a user namespace", host.uid),
                "run as root or add a user namespace: skiff spec --rootless");
  }
  // Here as well as in spec::check, because the host itself would be changed.
  const bool names_host = !config.hostname.empty() || !config.domainname.empty();
  if (names_host && linux_.find(NamespaceType::uts) == nullptr) {
    return fail(config.hostname.empty() ? "domainname: no uts namespace" : "hostname: no uts namespace",
                R"(add {"type": "uts"} to linux.namespaces)");
  }
  if (linux_.find(NamespaceType::mount) == nullptr) {
    if (!linux_.masked_paths.empty() || !linux_.readonly_paths.empty()) {
      return fail("linux.namespaces: maskedPaths and readonlyPaths need a mount namespace", add_mount_namespace);
    }
    if (!config.mounts.empty() && has_user_namespace(config)) {
      return fail("linux.namespaces: mounts in a user namespace need a mount namespace", add_mount_namespace);
    }
  }
  if (!linux_.net_devices.empty()) {
    if (linux_.find(NamespaceType::network) == nullptr) {
      return fail("linux.netDevices: no network namespace", R"(add {"type": "network"} to linux.namespaces)");
    }
    if (host.uid != 0) return fail("linux.netDevices: only root moves network devices", "run as root");
  }
  return {};
}

bool may_make_network_apart(const spec::Config &config, const Launch &launch) {
  constexpr std::uint64_t both = CLONE_NEWNET | CLONE_NEWUSER;
  const bool alone = launch.joins.empty() && !launch.new_time_namespace && config.linux_.net_devices.empty();
  return alone && (launch.new_namespaces & both) == CLONE_NEWNET;
}

template <class... Types>
bool is_one_of(const Action &action) {
  return (std::holds_alternative<Types>(action) || ...);
}

// Shows nothing of the network, and asks nothing of it: a sysfs does, and a path such as /proc/net.
bool needs_no_network(const Action &action) {
  constexpr std::array<std::string_view, 6> types = {"proc", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"};
  const auto *mount = std::get_if<MountStep>(&action);
  if (mount == nullptr) {
    return is_one_of<UnshareCgroup, JoinSessionKeyring, SetHostname, SetDomainname, SetPropagation, AttachRootfs,
                     MakeDevice, MakeSymlink>(action);
  }
  if (mount->kind == MountStep::Kind::bind) return !mount->source.starts_with("/proc");
  return mount->kind != MountStep::Kind::filesystem || std::ranges::find(types, mount->type) != types.end();
}

// As late as may be: init works on its mounts until the namespace is there.
void join_network(std::vector<Step> &steps) {
  const std::string field = "linux.namespaces (network)";
  auto at = std::ranges::find_if_not(steps, needs_no_network, &Step::action);
  at = steps.insert(at, Step{field, LoopbackUp{}});
  steps.insert(at, Step{field, JoinNetwork{}});
}

}  // namespace

Result<Plan> make_plan(const spec::Config &config, const Host &host, const PlanOptions &options) {
  TRY(check_host(config, host));
  Builder builder{.config = config, .host = host, .options = options, .plan = {}, .late_readonly = {}};
  Plan &plan = builder.plan;
  plan.id = options.id;
  plan.bundle = options.bundle;
  const bool absolute = config.root->path.starts_with('/');
  plan.rootfs =
      spec::clean_path(absolute ? config.root->path : fmt::format("{}/{}", options.bundle, config.root->path));
  plan.launch = make_launch(config.linux_);
  plan.steps.reserve(64);
  plan.launch.network_apart = may_make_network_apart(config, plan.launch);
  builder.own_mounts = is_new(config.linux_, NamespaceType::mount);
  plan.host_mounts = config.linux_.find(NamespaceType::mount) == nullptr && !config.mounts.empty();
  builder.makes_rootfs = builder.own_mounts || plan.host_mounts;
  builder.bind_devices = has_user_namespace(config) || !host.privileged;
  TRY(builder.fill_outside());
  builder.add_namespaces();
  TRY(builder.add_rootfs());
  builder.add_protection();
  TRY(builder.add_process());
  builder.add_start_hooks();
  if (plan.launch.network_apart) join_network(plan.steps);
  builder.warn_of_foreign_mounts();
  return std::move(plan);
}

}  // namespace skiff
