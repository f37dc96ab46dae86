#include "runtime/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/kernel/capability.h"
#include "runtime/kernel/credential.h"
#include "runtime/kernel/keyring.h"
#include "runtime/kernel/path.h"
#include "runtime/kernel/prctl.h"
#include "runtime/kernel/process.h"
#include "runtime/kernel/scheduling.h"
#include "runtime/kernel/seccomp.h"

namespace skiff {
namespace {

struct NamedValue {
  std::string_view name;
  std::uint64_t value;
};

constexpr std::array<NamedValue, 7> scheduler_policies = {{{"SCHED_OTHER", 0},
                                                           {"SCHED_FIFO", 1},
                                                           {"SCHED_RR", 2},
                                                           {"SCHED_BATCH", 3},
                                                           {"SCHED_ISO", 4},
                                                           {"SCHED_IDLE", 5},
                                                           {"SCHED_DEADLINE", 6}}};
constexpr std::array<NamedValue, 7> scheduler_flags = {{{"SCHED_FLAG_RESET_ON_FORK", 0x01},
                                                        {"SCHED_FLAG_RECLAIM", 0x02},
                                                        {"SCHED_FLAG_DL_OVERRUN", 0x04},
                                                        {"SCHED_FLAG_KEEP_POLICY", 0x08},
                                                        {"SCHED_FLAG_KEEP_PARAMS", 0x10},
                                                        {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
                                                        {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}}};
constexpr std::array<NamedValue, 3> io_classes = {
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}}};
constexpr std::array<NamedValue, 7> memory_modes = {{{"MPOL_DEFAULT", 0},
                                                     {"MPOL_PREFERRED", 1},
                                                     {"MPOL_BIND", 2},
                                                     {"MPOL_INTERLEAVE", 3},
                                                     {"MPOL_LOCAL", 4},
                                                     {"MPOL_PREFERRED_MANY", 5},
                                                     {"MPOL_WEIGHTED_INTERLEAVE", 6}}};
constexpr std::array<NamedValue, 3> memory_flags = {
    {{"MPOL_F_STATIC_NODES", 1 << 15}, {"MPOL_F_RELATIVE_NODES", 1 << 14}, {"MPOL_F_NUMA_BALANCING", 1 << 13}}};

template <std::size_t n>
Result<std::uint64_t> value_of(std::string_view name, const std::array<NamedValue, n> &table) {
  const auto *const found = std::ranges::find(table, name, &NamedValue::name);
  if (found == table.end()) return fail(fmt::format("\"{}\" is not known to this runtime", name));
  return found->value;
}

template <std::size_t n>
Result<std::uint64_t> bits_of(const std::vector<std::string> &names, const std::array<NamedValue, n> &table) {
  std::uint64_t bits = 0;
  for (const std::string &name : names) bits |= TRY(value_of(name, table));
  return bits;
}

constexpr dev_t null_device = 0x103;  // makedev(1, 3)

// stdin, stdout and stderr may be the engine's pipes, opened by root: without this a program that opens /dev/stderr
// again is refused. What cannot be given away (EPERM, EROFS, EINVAL for an id without mapping) stays as it is.
Status give_stdio(std::uint32_t uid) {
  for (int number = 0; number <= 2; ++number) {
    const Result<struct stat> stat = kernel::fstat(kernel::FdView(number));
    if (!stat) continue;  // closed
    if (stat->st_uid == uid || (S_ISCHR(stat->st_mode) && stat->st_rdev == null_device)) continue;
    const Status given = kernel::fchownat(kernel::FdView(number), "", uid, stat->st_gid, AT_EMPTY_PATH);
    if (!given && given.error().number != EPERM && given.error().number != EROFS && given.error().number != EINVAL) {
      return given;
    }
  }
  return {};
}

Status write_label(const kernel::Procfs &proc, std::string_view value, std::initializer_list<const char *> files) {
  Status written;
  for (const char *file : files) {
    written = proc.write_file(file, value);
    if (written || written.error().number != ENOENT) return written;
  }
  return written;
}

// Whether AppArmor has a profile on the runtime itself, as in a container: "unconfined", or "NAME (enforce)". With
// no_new_privs the kernel lets such a process change its profile only to a narrower one: by stacking (Linux 4.13).
bool is_confined(const kernel::Procfs &proc) {
  for (const char *file : {"self/attr/apparmor/current", "self/attr/current"}) {
    const Result<std::string> label = proc.read_file(file);
    if (label) return !label->empty() && *label != "unconfined" && *label != "unconfined\n";
  }
  return false;
}

// user_namespaces(7): "deny" is inherited, and cannot be taken back.
Status set_groups(const std::vector<std::uint32_t> &gids, const kernel::Procfs &proc) {
  Status done = kernel::setgroups(gids);
  if (done || done.error().number != EPERM || proc.read_file("self/setgroups").value_or("") != "deny\n") return done;
  if (gids.empty()) return {};
  return remedy("setgroups is denied in the user namespace around this one: remove process.user.additionalGids",
                std::move(done));
}

}  // namespace

Result<std::vector<unsigned>> parse_cpu_list(std::string_view list) {
  std::vector<unsigned> numbers;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    unsigned first = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), first);
    unsigned last = first;
    if (error == std::errc{} && end != part.data() + part.size() && *end == '-') {
      std::tie(end, error) = [&] {
        const auto read = std::from_chars(end + 1, part.data() + part.size(), last);
        return std::pair{read.ptr, read.ec};
      }();
    }
    if (error != std::errc{} || end != part.data() + part.size() || last < first || last > 65535) {
      return fail(fmt::format("\"{}\" is no list of numbers and ranges", part), "write it as in \"0-3,7\"");
    }
    for (unsigned number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

Status apply(const SetRlimit &step) {
  return remedy("the hard limit is above the runtime's own: it needs CAP_SYS_RESOURCE to raise it",
                kernel::setrlimit(0, step.resource, step.soft, step.hard));
}

Status apply(const SetScheduler &step) {
  const spec::Scheduler &wanted = step.scheduler;
  kernel::SchedulerAttributes attributes;
  attributes.policy = static_cast<std::uint32_t>(TRY(value_of(wanted.policy, scheduler_policies)));
  attributes.flags = TRY(bits_of(wanted.flags, scheduler_flags));
  attributes.nice = wanted.nice;
  attributes.priority = static_cast<std::uint32_t>(wanted.priority);
  attributes.runtime = wanted.runtime;
  attributes.deadline = wanted.deadline;
  attributes.period = wanted.period;
  Status set = kernel::sched_setattr(0, attributes);
  if (set || set.error().number != EPERM || !step.limited_cpus) return set;
  return remedy("process scheduler can't be used together with AllowedCPUs: remove linux.resources.cpu.cpus", set);
}

Status apply(const SetIoPriority &step) {
  const auto io_class = static_cast<int>(TRY(value_of(step.priority.class_, io_classes)));
  return kernel::ioprio_set(0, io_class, step.priority.priority);
}

Status apply(const SetMemoryPolicy &step) {
  const auto mode = TRY(value_of(step.policy.mode, memory_modes)) | TRY(bits_of(step.policy.flags, memory_flags));
  const std::vector<unsigned> nodes = TRY(parse_cpu_list(step.policy.nodes));
  return kernel::set_mempolicy(static_cast<int>(mode), nodes);
}

Status apply(const SetPersonality &step) {
  TRY(kernel::personality(step.personality));
  return {};
}

Status apply(const SetUmask &step) {
  kernel::umask(step.umask);
  return {};
}

Status apply(const SetApparmorProfile &step, const kernel::Procfs &proc) {
  const bool stacked = step.no_new_privileges && is_confined(proc);
  return remedy(
      "load the profile with apparmor_parser, or remove process.apparmorProfile",
      write_label(proc, (stacked ? "stack " : "exec ") + step.profile, {"self/attr/apparmor/exec", "self/attr/exec"}));
}

Status apply(const SetSelinuxLabel &step, const kernel::Procfs &proc) {
  return remedy("SELinux must be enabled and know the label, or remove process.selinuxLabel",
                write_label(proc, step.label, {"self/attr/exec"}));
}

Status apply(const DropBounding &step) { return kernel::limit_bounding_set(step.keep); }

Status apply(const SetUser &step, const kernel::Procfs &proc) {
  TRY(give_stdio(step.uid));
  TRY(kernel::set_keepcaps(true));
  if (!step.keep_groups) TRY(set_groups(step.additional_gids, proc));
  TRY(remedy("map the gid in linux.gidMappings", in("process.user.gid", kernel::setresgid(step.gid))));
  return remedy("map the uid in linux.uidMappings", in("process.user.uid", kernel::setresuid(step.uid)));
}

Status apply(const SetCapabilities &step) {
  TRY(kernel::set_keepcaps(false));
  TRY(kernel::cap_ambient_clear_all());
  TRY(remedy(
      "the runtime itself lacks one of these capabilities",
      kernel::capset({.effective = step.effective, .permitted = step.permitted, .inheritable = step.inheritable})));
  for (int number = 0; number < 64; ++number) {
    if ((step.ambient & kernel::capability_bit(number)) != 0) TRY(kernel::cap_ambient_raise(number));
  }
  return {};
}

Status apply(const ChangeDirectory &step, const kernel::Fd &root) {
  // Never through a magic link: /proc/self/fd/N would be a directory of the host that leaked in.
  Result<kernel::Fd> directory = kernel::open_in_root(root, step.path, O_PATH | O_DIRECTORY);
  if (!directory && directory.error().number == ENOENT && step.create) {
    directory = kernel::make_directory_in_root(root, step.path, 0755);
  }
  if (!directory && directory.error().number == ELOOP) {
    return std::unexpected(remedy("cwd must be a directory inside the rootfs", std::move(directory)).error());
  }
  TRY(kernel::fchdir(TRY(std::move(directory))));
  TRY(remedy("cwd must be a directory inside the rootfs", kernel::getcwd()));
  return {};
}

Status apply(const NoNewPrivileges & /*step*/) { return kernel::set_no_new_privs(); }

Status apply(const JoinSessionKeyring &step, const kernel::Procfs &proc) {
  // The label of keys that are made from here on; without SELinux there is no such file.
  if (!step.label.empty()) TRY(write_label(proc, step.label, {"self/attr/keycreate"}));
  const Result<kernel::KeyId> key = kernel::join_session_keyring(step.name);
  if (!key) {
    if (key.error().number == ENOSYS) return {};  // a kernel without keys has nothing to keep apart
    return std::unexpected(remedy("raise /proc/sys/kernel/keys/maxkeys, or create with --no-new-keyring", key).error());
  }
  if (step.permissions == 0) return {};
  return kernel::add_key_permissions(*key, step.permissions);
}

Result<kernel::Fd> apply(const LoadSeccomp &step) {
  const unsigned flags = step.flags | (step.listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U);
  return kernel::seccomp_set_mode_filter(flags, step.program);
}

}  // namespace skiff
