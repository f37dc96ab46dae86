#include "runtime/plan_process.h"

#include <fmt/format.h>
#include <linux/personality.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/bpf.h"
#include "runtime/plan_annotations.h"
#include "spec/capability_names.h"
#include "spec/names.h"

namespace skiff {
namespace {

using spec::capability_names;

struct Limit {
  std::string_view name;
  int resource;
};
// Sorted by name.
constexpr std::array limits = std::to_array<Limit>({
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
});
static_assert(std::ranges::is_sorted(limits, {}, &Limit::name));

Result<int> rlimit_resource(std::string_view name) {
  const auto *const found = std::ranges::lower_bound(limits, name, {}, &Limit::name);
  if (found != limits.end() && found->name == name) return found->resource;
  std::array<std::string_view, limits.size()> names;
  std::ranges::transform(limits, names.begin(), &Limit::name);
  return fail(fmt::format("{} is no resource limit", spec::quote(name)), spec::suggest_name(names, name));
}

// ---- capabilities ----

// The bits of the names that can be given; the others are collected in `left_out`, each once.
std::uint64_t parse_set(const std::vector<std::string> &names, std::uint64_t available,
                        std::vector<std::string_view> &left_out) {
  std::uint64_t set = 0;
  for (const std::string &name : names) {
    const std::uint64_t bit = parse_capability_bit(name);
    if ((bit & available) != 0) {
      set |= bit;
    } else if (std::ranges::find(left_out, name) == left_out.end()) {
      left_out.push_back(name);
    }
  }
  return set;
}

std::string name_set(std::uint64_t set) {
  std::string out;
  for (unsigned n = 0; n < 64; ++n) {
    if ((set >> n & 1U) == 0) continue;
    if (!out.empty()) out += ", ";
    out += capability_name(n);
  }
  return out;
}

struct CapabilitySteps {
  DropBounding bounding;
  SetCapabilities sets;
};

// A capability that cannot be given is a warning (config.md, "Linux Process", capabilities). Nothing becomes
// inheritable that the configuration does not list: a file with inheritable capabilities would raise it
// (CVE-2022-29162). The kernel raises as ambient only what is permitted and inheritable.
CapabilitySteps make_capability_steps(const spec::Capabilities &wanted, const Host &host, bool user_namespace,
                                      std::vector<std::string> &warnings) {
  const auto known = static_cast<unsigned>(std::clamp(host.last_capability, 0, 62)) + 1;
  std::uint64_t available = (std::uint64_t{1} << known) - 1;
  if (!user_namespace) available &= host.capabilities;
  std::vector<std::string_view> left_out;
  CapabilitySteps out;
  out.bounding.keep = parse_set(wanted.bounding, available, left_out);
  out.sets.permitted = parse_set(wanted.permitted, available, left_out);
  const std::uint64_t effective = parse_set(wanted.effective, available, left_out);
  out.sets.inheritable = parse_set(wanted.inheritable, available, left_out);
  const std::uint64_t ambient = parse_set(wanted.ambient, available, left_out);
  if (!left_out.empty()) {
    warnings.push_back(fmt::format("process.capabilities: ignoring unknown or unavailable capabilities: {}",
                                   fmt::join(left_out, ", ")));
  }
  out.sets.effective = effective & out.sets.permitted;
  if (effective != out.sets.effective) {
    warnings.push_back(fmt::format("process.capabilities.effective: {} left out: not in permitted",
                                   name_set(effective & ~out.sets.effective)));
  }
  out.sets.ambient = ambient & out.sets.permitted & out.sets.inheritable;
  if (ambient != out.sets.ambient) {
    warnings.push_back(
        fmt::format("process.capabilities.ambient: can't raise ambient capability {}: not in permitted and inheritable",
                    name_set(ambient & ~out.sets.ambient)));
  }
  return out;
}

// ---- user ----

// An unprivileged user who maps nothing but his own gid writes gid_map himself, and the kernel asks that setgroups is
// denied first (user_namespaces(7)). With more ranges newgidmap writes it and setgroups stays allowed.
bool setgroups_denied(const spec::Config &config, const Host &host) {
  const std::vector<spec::IdMapping> &maps = config.linux_.gid_mappings;
  return host.uid != 0 && (maps.empty() || (maps.size() == 1 && maps.front().size == 1));
}

Result<SetUser> make_set_user(const spec::User &user, const ProcessContext &context) {
  const bool denied = setgroups_denied(*context.config, *context.host);
  const bool kept = annotation::is_on(context.config->annotations, annotation::keep_original_groups);
  if (denied && !kept && !user.additional_gids.empty()) {
    return fail("process.user.additionalGids: setgroups is denied in a user namespace that maps one gid",
                "map more gids (newgidmap, /etc/subgid), or remove additionalGids");
  }
  return SetUser{
      .uid = user.uid, .gid = user.gid, .additional_gids = user.additional_gids, .keep_groups = denied || kept};
}

// ---- the order ----

struct Builder {
  const spec::Process &process;
  const ProcessContext &context;
  ProcessSteps out;

  void add(std::string field, Action action) { out.steps.push_back({std::move(field), std::move(action)}); }

  Status add_rlimits() {
    const bool outside = has_user_namespace(*context.config);
    for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
      const spec::Rlimit &limit = process.rlimits[i];
      std::string field = fmt::format("process.rlimits[{}] ({})", i, limit.type);
      const int resource = TRY(in(field, rlimit_resource(limit.type)));
      (outside ? out.outer_rlimits : out.steps)
          .push_back({std::move(field), SetRlimit{resource, limit.type, limit.soft, limit.hard}});
    }
    return {};
  }

  Status add_personality() {
    const std::optional<spec::Personality> &personality = context.config->linux_.personality;
    if (!personality) return {};
    constexpr std::array<std::string_view, 2> domains = {"LINUX", "LINUX32"};
    const auto domain = spec::find_name(domains, personality->domain);
    if (!domain) {
      return fail(fmt::format("linux.personality.domain: {} is no domain", spec::quote(personality->domain)),
                  spec::suggest_name(domains, personality->domain));
    }
    // config-linux.md, "Personality": "currently no flag values are supported".
    for (const std::string &flag : personality->flags) {
      out.warnings.push_back(fmt::format("linux.personality.flags: {} ignored: no flag is supported", flag));
    }
    add("linux.personality", SetPersonality{*domain == 0 ? std::uint64_t{PER_LINUX} : std::uint64_t{PER_LINUX32}});
    return {};
  }

  Status add_resources() {
    TRY(add_rlimits());
    if (process.scheduler) {
      const std::optional<spec::Resources> &resources = context.config->linux_.resources;
      add("process.scheduler",
          SetScheduler{*process.scheduler, resources && resources->cpu && !resources->cpu->cpus.empty()});
    }
    if (process.io_priority) add("process.ioPriority", SetIoPriority{*process.io_priority});
    const spec::Linux &linux_ = context.config->linux_;
    if (linux_.memory_policy) add("linux.memoryPolicy", SetMemoryPolicy{*linux_.memory_policy});
    return add_personality();
  }

  // They take effect at the next exec, so that they can be set while the process may still write to /proc.
  void add_labels() {
    if (!process.apparmor_profile.empty()) {
      add("process.apparmorProfile", SetApparmorProfile{process.apparmor_profile, process.no_new_privileges});
    }
    if (!process.selinux_label.empty()) add("process.selinuxLabel", SetSelinuxLabel{process.selinux_label});
  }

  Status add_seccomp() {
    const std::optional<spec::Seccomp> &seccomp = context.config->linux_.seccomp;
    if (!seccomp) return {};
    LoadSeccomp step{.program = {}, .flags = TRY(seccomp_flags(*seccomp)), .listener = seccomp_notifies(*seccomp)};
    if (step.listener && seccomp->listener_path.empty()) {
      return fail("linux.seccomp.listenerPath: missing, and a rule has the action SCMP_ACT_NOTIFY",
                  "name the socket of the seccomp agent");
    }
    if (context.seccomp != nullptr) {
      step.program = context.seccomp->filter;
    } else if (!context.defer_seccomp) {
      step.program = TRY(make_seccomp_program(*seccomp)).filter;
    }
    add("linux.seccomp", std::move(step));
    return {};
  }

  Status add_credentials() {
    std::optional<CapabilitySteps> capabilities;
    if (process.capabilities) {
      capabilities = make_capability_steps(*process.capabilities, *context.host, has_user_namespace(*context.config),
                                           out.warnings);
      add("process.capabilities.bounding", capabilities->bounding);  // before it loses CAP_SETPCAP
    }
    add("process.user", TRY(make_set_user(process.user, context)));
    // Absent: root keeps what the runtime has, another user loses everything at exec (capabilities(7)).
    if (capabilities) add("process.capabilities", capabilities->sets);
    return {};
  }

  Status add_all() {
    add("process", NewSession{});
    TRY(add_resources());
    add_labels();
    const bool other_user = process.user.uid != 0;
    add("process.cwd", ChangeDirectory{.path = process.cwd, .create = true, .may_be_denied = other_user});
    // Without no_new_privs a filter needs CAP_SYS_ADMIN; with it the filter comes last, so that it need allow as few of
    // the runtime's own calls as possible (seccomp(2)).
    if (!process.no_new_privileges) TRY(add_seccomp());
    TRY(add_credentials());
    if (other_user) add("process.cwd", ChangeDirectory{.path = process.cwd, .again = true});
    add("process.user.umask", SetUmask{process.user.umask.value_or(0022)});
    if (process.no_new_privileges) {
      add("process.noNewPrivileges", NoNewPrivileges{});
      TRY(add_seccomp());
    }
    return {};
  }
};

}  // namespace

std::uint64_t parse_capability_bit(std::string_view name) {
  const std::optional<std::size_t> number = spec::find_name(capability_names, name);
  return number ? std::uint64_t{1} << *number : 0;
}

std::span<const std::string_view> known_capabilities() { return capability_names; }

std::string_view capability_name(unsigned n) {
  return n < capability_names.size() ? capability_names[n] : std::string_view{};
}

bool has_user_namespace(const spec::Config &config) { return config.linux_.find(spec::NamespaceType::user) != nullptr; }

std::vector<std::string> make_environment(const std::vector<std::string> &env, std::uint32_t listen_fds) {
  const auto name_of = [](const std::string &entry) { return std::string_view(entry).substr(0, entry.find('=')); };
  std::vector<std::pair<std::string_view, std::size_t>> names;
  names.reserve(env.size());
  for (std::size_t i = 0; i < env.size(); ++i) names.emplace_back(name_of(env[i]), i);
  std::ranges::sort(names);
  std::vector<char> overridden(env.size(), 0);
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    if (names[i].first == names[i + 1].first) overridden[names[i].second] = 1;
  }
  std::vector<std::string> out;
  out.reserve(env.size() + 2);
  for (std::size_t i = 0; i < env.size(); ++i) {
    const bool replaced = listen_fds > 0 && (name_of(env[i]) == "LISTEN_FDS" || name_of(env[i]) == "LISTEN_PID");
    if (overridden[i] == 0 && !replaced) out.push_back(env[i]);
  }
  if (listen_fds > 0) {
    out.push_back(fmt::format("LISTEN_FDS={}", listen_fds));
    out.emplace_back("LISTEN_PID=1");
  }
  return out;
}

Result<ProcessSteps> make_process_steps(const spec::Process &process, const ProcessContext &context) {
  Builder builder{.process = process, .context = context, .out = {}};
  TRY(builder.add_all());
  return std::move(builder.out);
}

Result<ExecPlan> make_exec_plan(const spec::Process &process, const spec::Config &config, const Host &host,
                                const ExecOptions &options) {
  ExecPlan plan;
  if (!options.no_new_keyring) {
    plan.steps.push_back({"process", JoinSessionKeyring{"_ses." + options.id, 0, process.selinux_label}});
  }
  const ProcessContext context{
      .config = &config, .host = &host, .seccomp = options.seccomp, .defer_seccomp = options.defer_seccomp};
  ProcessSteps made = TRY(make_process_steps(process, context));
  plan.steps.insert(plan.steps.end(), std::make_move_iterator(made.steps.begin()),
                    std::make_move_iterator(made.steps.end()));
  plan.outer_rlimits = std::move(made.outer_rlimits);
  plan.warnings = std::move(made.warnings);
  plan.oom_score_adj = process.oom_score_adj;
  plan.cpu_affinity = process.exec_cpu_affinity;
  if (config.linux_.seccomp) {
    plan.seccomp_listener_path = config.linux_.seccomp->listener_path;
    plan.seccomp_listener_metadata = config.linux_.seccomp->listener_metadata;
  }
  plan.terminal = process.terminal;
  plan.console = {.size = process.console_size, .dev_console = false, .translates = !options.foreground};
  plan.program = Program{.args = process.args,
                         .env = make_environment(process.env, 0),
                         .uid = process.user.uid,
                         .preserved_fds = options.preserve_fds};
  return plan;
}

}  // namespace skiff
