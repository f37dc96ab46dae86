// What the runtime can give its process: limits, capabilities, labels, a seccomp filter; and the hooks it runs itself.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "runtime/bpf.h"
#include "runtime/cgroup_file.h"
#include "runtime/host_check_parts.h"
#include "runtime/kernel/capability.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/scheduling.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/plan_process.h"
#include "spec/names.h"

namespace skiff {
namespace {

// ---- limits ----

// Only in the first user namespace does CAP_SYS_RESOURCE raise anything.
bool may_raise_limits(const HostChecker &c) {
  const Result<kernel::Capabilities> own = kernel::capget();
  return c.host().privileged && own && (own->effective & kernel::capability_bit(CAP_SYS_RESOURCE)) != 0;
}

// The number of "RLIMIT_NOFILE", from the step that a plan for this limit alone has.
std::optional<int> resource_of(const spec::Rlimit &limit, const Host &host) {
  spec::Process process;
  process.rlimits = {limit};
  const spec::Config config;
  const Result<ProcessSteps> made = make_process_steps(process, {.config = &config, .host = &host});
  if (!made) return std::nullopt;
  for (const Step &step : made->steps) {
    if (const auto *found = std::get_if<SetRlimit>(&step.action)) return found->resource;
  }
  return std::nullopt;
}

std::string limit_text(std::uint64_t limit) { return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit); }

void check_rlimit(HostChecker &c, std::size_t index, const spec::Rlimit &limit, bool may_raise) {
  const std::optional<int> resource = resource_of(limit, c.host());
  if (!resource) return;
  // The kernel holds every limit of descriptors below this, whoever asks (getrlimit(2)).
  const Result<std::string> most = *resource == RLIMIT_NOFILE ? c.proc().read_file("sys/fs/nr_open") : std::string();
  const auto number = most ? parse_cgroup_number(std::string_view(*most).substr(0, most->find('\n'))) : std::nullopt;
  if (number && limit.hard > *number) {
    c.add(at("process", "rlimits", index, "hard"),
          fmt::format("{} {} is above fs.nr_open, {}", limit.type, limit_text(limit.hard), *number),
          "lower it, or raise fs.nr_open on the host");
    return;
  }
  const Result<rlimit> own = kernel::getrlimit(0, *resource);
  if (may_raise || !own || limit.hard <= own->rlim_max) return;
  c.add(at("process", "rlimits", index, "hard"),
        fmt::format("{} {} is above the runtime's own hard limit, {}, and it has no CAP_SYS_RESOURCE to raise it",
                    limit.type, limit_text(limit.hard), limit_text(own->rlim_max)),
        "lower it, or raise the limit of whoever starts the runtime");
}

void check_oom_score(HostChecker &c, const spec::Process &process, bool may_raise) {
  if (!process.oom_score_adj || may_raise) return;
  const Result<std::string> own = c.proc().read_file("self/oom_score_adj");
  if (!own || *process.oom_score_adj >= std::strtol(own->c_str(), nullptr, 10)) return;
  c.add(at("process", "oomScoreAdj"),
        fmt::format("{} is below the runtime's own, {}, and it has no CAP_SYS_RESOURCE to lower it",
                    *process.oom_score_adj, std::string_view(*own).substr(0, own->find('\n'))),
        "raise it to that, or leave it out");
}

// ---- capabilities ----

struct CapabilityCheck {
  HostChecker &c;
  std::uint64_t available = 0;
  std::vector<std::string_view> told;  // each name once

  void look_at(const char *set, const std::vector<std::string> &names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::uint64_t bit = parse_capability_bit(names[i]);
      if ((bit & available) != 0 || std::ranges::find(told, names[i]) != told.end()) continue;
      told.emplace_back(names[i]);
      const bool known = bit != 0 && bit >> (static_cast<unsigned>(c.host().last_capability) + 1) == 0;
      c.add(at("process", "capabilities", set, i),
            known ? fmt::format("the runtime itself does not have {}: the container would go without", names[i])
                  : fmt::format("{} is no capability that this kernel has: it would be left out", names[i]),
            known ? "remove it, or give it to whoever starts the runtime" : "correct the name, or remove it");
    }
  }
};

// ---- labels ----

bool has_apparmor() {
  const Result<std::string> enabled = read_host_file("/sys/module/apparmor/parameters/enabled");
  return enabled && enabled->starts_with('Y');
}

// A line is "docker-default (enforce)".
bool is_loaded(std::string_view profiles, std::string_view profile) {
  while (const std::optional<std::string_view> line = next_line(profiles)) {
    if (line->starts_with(profile) && line->substr(profile.size()).starts_with(" (")) return true;
  }
  return false;
}

void check_apparmor(HostChecker &c, const std::string &profile) {
  const std::string place = at("process", "apparmorProfile");
  if (!has_apparmor()) {
    return c.add(place, "AppArmor is not enabled on this host", "remove it, or boot a kernel with apparmor=1");
  }
  // "unconfined" is always there; a name with // is a child or a stack, made of others.
  if (profile == "unconfined" || profile.find("//") != std::string::npos) return;
  const char *const file = "/sys/kernel/security/apparmor/profiles";
  const Result<std::string> profiles = read_host_file(file, std::size_t{16} << 20);
  if (!profiles) return c.note(fmt::format("which AppArmor profiles are loaded is not known: {}", file));
  if (is_loaded(*profiles, profile)) return;
  c.add(place, fmt::format("the AppArmor profile \"{}\" is not loaded", profile),
        "load it with apparmor_parser, or name one that is in " + std::string(file));
}

bool has_selinux() {
  const auto directory = kernel::open("/sys/fs/selinux", O_PATH | O_DIRECTORY);
  if (!directory) return false;
  const auto status = kernel::fstatfs(*directory);
  return status && static_cast<std::uint64_t>(status->f_type) == SELINUX_MAGIC;
}

void check_selinux(HostChecker &c, const std::string &label, std::string pointer) {
  if (label.empty() || has_selinux()) return;
  c.add(std::move(pointer), "SELinux is not enabled on this host", "remove the label");
}

// ---- seccomp ----

// Indexed by spec::SeccompAction.
constexpr std::array<std::uint32_t, 9> seccomp_actions = {
    SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
    SECCOMP_RET_TRAP,        SECCOMP_RET_ERRNO,        SECCOMP_RET_TRACE,
    SECCOMP_RET_ALLOW,       SECCOMP_RET_LOG,          SECCOMP_RET_USER_NOTIF};

struct ActionCheck {
  HostChecker &c;
  std::array<bool, seccomp_actions.size()> told{};  // an action that hundreds of rules have is one finding

  void look_at(std::string pointer, spec::SeccompAction action) {
    const auto index = static_cast<std::size_t>(action);
    if (std::exchange(told[index], true)) return;
    const Result<bool> available = kernel::seccomp_get_action_avail(seccomp_actions[index]);
    if (!available || *available) return;
    c.add(std::move(pointer), fmt::format("this kernel does not have {}", spec::seccomp_action_names[index]),
          "use another action, or a newer kernel");
  }
};

void check_seccomp_flags(HostChecker &c, const spec::Seccomp &seccomp) {
  if (!seccomp.flags) return;
  for (std::size_t i = 0; i < seccomp.flags->size(); ++i) {
    const std::string &name = (*seccomp.flags)[i];
    const std::optional<std::uint32_t> bit = seccomp_flag(name);
    if (!bit) continue;  // the rules of the spec, or the plan, name it
    // This one the kernel takes with a listener only (Linux 5.19).
    const bool with_listener = *bit == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    if (kernel::seccomp_has_flags(*bit | (with_listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U))) continue;
    c.add(at("linux", "seccomp", "flags", i), fmt::format("this kernel does not have {}", name),
          "remove the flag, or use a newer kernel");
  }
}

void check_listener(HostChecker &c, const spec::Seccomp &seccomp) {
  if (seccomp.listener_path.empty() || !seccomp_notifies(seccomp)) return;
  const std::string place = at("linux", "seccomp", "listenerPath");
  const auto there = kernel::fstatat(kernel::cwd, seccomp.listener_path);
  if (there && S_ISSOCK(there->st_mode)) return;
  if (!there && !is_absent(there.error())) return c.note_unseen(seccomp.listener_path, there.error());
  c.add(place, fmt::format("{} {}", seccomp.listener_path, there ? "is not a socket" : "does not exist"),
        "start the seccomp agent that listens there before the container");
}

// ---- hooks ----

void check_hook(HostChecker &c, const char *kind, std::size_t index, const std::string &path) {
  if (!path.starts_with('/')) return;
  const std::string place = at("hooks", kind, index, "path");
  const auto there = kernel::fstatat(kernel::cwd, path);
  if (!there) {
    if (!is_absent(there.error())) return c.note_unseen(path, there.error());
    return c.add(place, fmt::format("{} does not exist on the host", path), "install it, or remove the hook");
  }
  const bool executable = S_ISREG(there->st_mode) && (there->st_mode & 0111) != 0;
  if (!executable) return c.add(place, fmt::format("{} is not an executable file", path), "chmod +x it");
  if (!c.stands_in_for_root() && !kernel::faccessat(kernel::cwd, path, X_OK, AT_EACCESS)) {
    c.add(place, fmt::format("{} is not executable by user {}", path, c.host().uid), "change its owner or its mode");
  }
}

}  // namespace

void check_process_limits(HostChecker &c) {
  if (!c.config().process || c.stands_in_for_root()) return;
  const spec::Process &process = *c.config().process;
  const bool may_raise = may_raise_limits(c);
  c.clause("config.md, POSIX process");
  for (std::size_t i = 0; i < process.rlimits.size(); ++i) check_rlimit(c, i, process.rlimits[i], may_raise);
  c.clause("config.md, Linux Process");
  check_oom_score(c, process, may_raise);
}

void check_capabilities(HostChecker &c) {
  if (!c.config().process || !c.config().process->capabilities) return;
  c.clause("config.md, Linux Process");
  const auto known = static_cast<unsigned>(std::clamp(c.host().last_capability, 0, 62)) + 1;
  std::uint64_t available = (std::uint64_t{1} << known) - 1;
  // A new user namespace begins with all of them (user_namespaces(7)).
  if (!has_user_namespace(c.config()) && !c.stands_in_for_root()) {
    const Result<kernel::Capabilities> own = kernel::capget();
    available &= c.host().capabilities & kernel::get_bounding_set() & (own ? own->permitted : available);
  }
  CapabilityCheck check{.c = c, .available = available, .told = {}};
  const spec::Capabilities &wanted = *c.config().process->capabilities;
  check.look_at("bounding", wanted.bounding);
  check.look_at("effective", wanted.effective);
  check.look_at("permitted", wanted.permitted);
  check.look_at("inheritable", wanted.inheritable);
  check.look_at("ambient", wanted.ambient);
}

void check_labels(HostChecker &c) {
  c.clause("config.md, Linux Process");
  if (c.config().process) {
    if (!c.config().process->apparmor_profile.empty()) check_apparmor(c, c.config().process->apparmor_profile);
    check_selinux(c, c.config().process->selinux_label, at("process", "selinuxLabel"));
  }
  c.clause("config-linux.md, Mount Label");
  check_selinux(c, c.config().linux_.mount_label, at("linux", "mountLabel"));
}

void check_seccomp_support(HostChecker &c) {
  const std::optional<spec::Seccomp> &seccomp = c.config().linux_.seccomp;
  if (!seccomp) return;
  c.clause("config-linux.md, Seccomp");
  if (const Result<bool> any = kernel::seccomp_get_action_avail(SECCOMP_RET_ALLOW); !any) {
    return c.add(at("linux", "seccomp"), "this kernel has no seccomp filters: " + any.error().message(),
                 "remove it, or use a kernel with CONFIG_SECCOMP_FILTER");
  }
  ActionCheck actions{.c = c};
  actions.look_at(at("linux", "seccomp", "defaultAction"), seccomp->default_action);
  for (std::size_t i = 0; i < seccomp->syscalls.size(); ++i) {
    actions.look_at(at("linux", "seccomp", "syscalls", i, "action"), seccomp->syscalls[i].action);
  }
  check_seccomp_flags(c, *seccomp);
  check_listener(c, *seccomp);
}

void check_runtime_hooks(HostChecker &c) {
  c.clause("config.md, POSIX-platform Hooks");
  const spec::Hooks &hooks = c.config().hooks;
  const std::array<std::pair<const char *, const std::vector<spec::Hook> *>, 5> kinds = {
      {{"prestart", &hooks.prestart},
       {"createRuntime", &hooks.create_runtime},
       {"createContainer", &hooks.create_container},
       {"poststart", &hooks.poststart},
       {"poststop", &hooks.poststop}}};
  for (const auto &[kind, list] : kinds) {
    for (std::size_t i = 0; i < list->size(); ++i) check_hook(c, kind, i, (*list)[i].path);
  }
}

}  // namespace skiff
