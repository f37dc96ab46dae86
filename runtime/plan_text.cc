#include "runtime/plan_text.h"

#include <fmt/format.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string_view>

#include "runtime/plan_process.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace skiff {
namespace {

using std::string;

// ---- words for bits ----

struct Word {
  std::uint64_t bits;
  std::string_view set;
  std::string_view cleared;
};

// Symfollow is not shown: every bind mount that names an attribute has it. MOUNT_ATTR_RELATIME is 0, so relatime shows
// where the field of the access time is cleared and nothing set.
constexpr std::array<Word, 8> attribute_words = {{{MOUNT_ATTR_RDONLY, "ro", "rw"},
                                                  {MOUNT_ATTR_NOSUID, "nosuid", "suid"},
                                                  {MOUNT_ATTR_NODEV, "nodev", "dev"},
                                                  {MOUNT_ATTR_NOEXEC, "noexec", "exec"},
                                                  {MOUNT_ATTR_NOATIME, "noatime", ""},
                                                  {MOUNT_ATTR_STRICTATIME, "strictatime", ""},
                                                  {MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
                                                  {MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", ""}}};

constexpr std::array<Word, 7> superblock_words = {{{MS_RDONLY, "ro", ""},
                                                   {MS_SYNCHRONOUS, "sync", ""},
                                                   {MS_MANDLOCK, "mand", ""},
                                                   {MS_DIRSYNC, "dirsync", ""},
                                                   {MS_SILENT, "silent", ""},
                                                   {MS_I_VERSION, "iversion", ""},
                                                   {MS_LAZYTIME, "lazytime", ""}}};

constexpr std::array<Word, 4> propagation_words = {{{MS_PRIVATE, "private", ""},
                                                    {MS_SLAVE, "slave", ""},
                                                    {MS_SHARED, "shared", ""},
                                                    {MS_UNBINDABLE, "unbindable", ""}}};

constexpr std::array<Word, 6> namespace_words = {{{CLONE_NEWPID, "pid", ""},
                                                  {CLONE_NEWNET, "network", ""},
                                                  {CLONE_NEWNS, "mount", ""},
                                                  {CLONE_NEWIPC, "ipc", ""},
                                                  {CLONE_NEWUTS, "uts", ""},
                                                  {CLONE_NEWUSER, "user", ""}}};

constexpr std::array<Word, 4> seccomp_words = {{{SECCOMP_FILTER_FLAG_TSYNC, "tsync", ""},
                                                {SECCOMP_FILTER_FLAG_LOG, "log", ""},
                                                {SECCOMP_FILTER_FLAG_SPEC_ALLOW, "spec_allow", ""},
                                                {1U << 5, "wait_killable_recv", ""}}};

void append(string &list, std::string_view word, char separator = ',') {
  if (word.empty()) return;
  if (!list.empty()) list += separator;
  list += word;
}

string set_words(std::uint64_t bits, std::span<const Word> words) {
  string out;
  for (const Word &word : words) {
    if ((bits & word.bits) != 0) append(out, word.set);
  }
  return out;
}

string cleared_words(std::uint64_t bits, std::span<const Word> words) {
  string out;
  for (const Word &word : words) {
    if ((bits & word.bits) != 0) append(out, word.cleared);
  }
  return out;
}

string attribute_text(const MountAttributes &attributes) {
  string out = set_words(attributes.set, attribute_words);
  const bool relatime = (attributes.clear & MOUNT_ATTR__ATIME) != 0 && (attributes.set & MOUNT_ATTR__ATIME) == 0;
  if (relatime) append(out, "relatime");
  append(out, cleared_words(attributes.clear & ~attributes.set, attribute_words));
  return out;
}

string propagation_text(std::uint64_t propagation, bool recursive) {
  return fmt::format("{}{}", recursive ? "r" : "", set_words(propagation, propagation_words));
}

string capability_text(std::uint64_t set) {
  string out;
  for (unsigned n = 0; n < 64; ++n) {
    if ((set >> n & 1U) == 0) continue;
    const std::string_view name = capability_name(n);
    append(out, name.empty() ? fmt::format("{}", n) : string(name.substr(4)));
  }
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out.empty() ? "none" : out;
}

string limit_text(std::uint64_t limit) { return limit == ~std::uint64_t{0} ? "unlimited" : fmt::format("{}", limit); }

string ranges_text(const std::vector<spec::IdMapping> &ranges) {
  string out;
  for (const spec::IdMapping &range : ranges) {
    append(out, fmt::format("{}->{} x{}", range.container_id, range.host_id, range.size));
  }
  return out;
}

// "; words": a further remark on a mount.
void remark(string &out, std::string_view words) {
  if (words.empty()) return;
  out += "; ";
  out += words;
}

// ---- one overload an action ----

struct Text {
  string operator()(const UnshareCgroup & /*step*/) const { return "unshare the cgroup namespace"; }
  string operator()(const JoinSessionKeyring &step) const {
    return fmt::format("join the session keyring {}", step.name);
  }
  string operator()(const JoinNetwork & /*step*/) const { return "join the new network namespace"; }
  string operator()(const LoopbackUp & /*step*/) const { return "bring up lo"; }
  string operator()(const SetHostname &step) const { return fmt::format("set the hostname {}", step.name); }
  string operator()(const SetDomainname &step) const { return fmt::format("set the domainname {}", step.name); }
  string operator()(const SetPropagation &step) const {
    return fmt::format("make / {}", propagation_text(step.propagation, step.recursive));
  }
  string operator()(const AttachRootfs &step) const {
    if (step.parent_propagation == 0) return fmt::format("attach {} to itself", step.path);
    return fmt::format("attach {} to itself, below a {} mount", step.path,
                       propagation_text(step.parent_propagation, false));
  }

  static string kind(const MountStep &step) {
    switch (step.kind) {
      case MountStep::Kind::bind:
        return fmt::format("{} {} -> {}", step.recursive ? "rbind" : "bind", step.source, step.destination);
      case MountStep::Kind::remount:
        return fmt::format("remount {}", step.destination);
      case MountStep::Kind::cgroup:
        return fmt::format("cgroup -> {}", step.destination);
      case MountStep::Kind::filesystem:
        break;
    }
    return fmt::format("{} {} -> {}", step.type, step.source.empty() ? "none" : step.source, step.destination);
  }

  static string data(const MountStep &step) {
    string out;
    for (const auto &[key, value] : step.options) append(out, value.empty() ? key : fmt::format("{}={}", key, value));
    if (!step.data_label.empty()) append(out, fmt::format("{}=\"{}\"", step.data_label_option, step.data_label));
    return out;
  }

  static string id_maps(const MountStep &step) {
    const std::string_view word = step.id_map_recursive ? "ridmap" : "idmap";
    if (step.id_map_of_container) return fmt::format("{} as the container", word);
    if (!step.id_maps) return {};
    return fmt::format("{} uids {} gids {}", word, ranges_text(step.id_maps->uids), ranges_text(step.id_maps->gids));
  }

  string operator()(const MountStep &step) const {
    string out = kind(step);
    const string attributes = attribute_text(step.attributes);
    if (!attributes.empty()) out += "  " + attributes;
    const string options = data(step);
    if (!options.empty()) out += "  " + options;
    if (step.clear_unless_locked != 0) {
      remark(out, fmt::format("{} unless locked", cleared_words(step.clear_unless_locked, attribute_words)));
    }
    const string recursive = attribute_text(step.recursive_attributes);
    if (!recursive.empty()) remark(out, fmt::format("recursively {}", recursive));
    const string superblock = set_words(step.superblock_flags, superblock_words);
    if (!superblock.empty()) remark(out, fmt::format("superblock {}", superblock));
    for (const std::uint64_t bits : step.propagation) remark(out, propagation_text(bits, (bits & MS_REC) != 0));
    remark(out, id_maps(step));
    if (step.readonly_last) remark(out, "ro last");
    if (step.copy_up) remark(out, "copy up");
    if (step.copy_symlink) remark(out, "copy a symlink");
    if (step.source_nofollow) remark(out, "source not followed");
    if (step.destination_nofollow) remark(out, "destination not followed");
    return out;
  }

  static std::string_view device_word(std::uint32_t mode) {
    switch (mode & S_IFMT) {
      case S_IFBLK:
        return "block";
      case S_IFIFO:
        return "fifo";
      default:
        return "char";
    }
  }

  string operator()(const MakeDevice &step) const {
    const bool fifo = (step.mode & S_IFMT) == S_IFIFO;
    string out =
        fmt::format("{} {} {}", step.bind_from_host ? "bind from the host" : "make", device_word(step.mode), step.path);
    if (!fifo) out += fmt::format(" {}:{}", step.major, step.minor);
    if (!step.bind_from_host) out += fmt::format(" mode {:04o}", step.mode & 07777U);
    if (step.uid != 0 || step.gid != 0) out += fmt::format(" owner {}:{}", step.uid, step.gid);
    return out;
  }
  string operator()(const MakeSymlink &step) const { return fmt::format("link {} -> {}", step.path, step.target); }

  string operator()(const RunHooks &step) const {
    constexpr std::array<std::string_view, 6> names = {"prestart",       "createRuntime", "createContainer",
                                                       "startContainer", "poststart",     "poststop"};
    string out = fmt::format("run {}", names[static_cast<std::size_t>(step.kind)]);
    for (const spec::Hook &hook : step.hooks) append(out, hook.path, ' ');
    return out;
  }
  string operator()(const PivotRoot &step) const {
    constexpr std::array<std::string_view, 3> ways = {"pivot_root", "move the rootfs over /", "chroot"};
    return string(ways[static_cast<std::size_t>(step.way)]);
  }
  string operator()(const SetupConsole &step) const {
    string out = step.dev_console ? "open a terminal as /dev/console" : "open a terminal";
    if (step.size) out += fmt::format(" {}x{}", step.size->width, step.size->height);
    if (!step.translates) out += ", newlines as written";
    return out;
  }
  string operator()(const SetRootPropagation &step) const {
    return fmt::format("make the rootfs {}", propagation_text(step.propagation, (step.propagation & MS_REC) != 0));
  }
  string operator()(const SetSysctl &step) const { return fmt::format("write {} = {}", step.key, step.value); }
  string operator()(const MakeReadonly &step) const { return fmt::format("make {} read-only", step.path); }
  string operator()(const MaskPath &step) const { return fmt::format("mask {}", step.path); }
  string operator()(const FinishReadonly &step) const { return fmt::format("make {} read-only", step.destination); }
  string operator()(const RootReadonly & /*step*/) const { return "make / read-only"; }

  string operator()(const NewSession & /*step*/) const { return "start a session"; }
  string operator()(const SetRlimit &step) const {
    return fmt::format("limit {} soft {} hard {}", step.name, limit_text(step.soft), limit_text(step.hard));
  }
  string operator()(const SetScheduler &step) const {
    const spec::Scheduler &scheduler = step.scheduler;
    string out = fmt::format("schedule {} nice {} priority {}", scheduler.policy, scheduler.nice, scheduler.priority);
    if (scheduler.period != 0 || scheduler.deadline != 0 || scheduler.runtime != 0) {
      out += fmt::format(" runtime {} deadline {} period {}", scheduler.runtime, scheduler.deadline, scheduler.period);
    }
    for (const string &flag : scheduler.flags) append(out, flag, ' ');
    return out;
  }
  string operator()(const SetIoPriority &step) const {
    return fmt::format("schedule I/O {} priority {}", step.priority.class_, step.priority.priority);
  }
  string operator()(const SetMemoryPolicy &step) const {
    string out = fmt::format("place memory {}", step.policy.mode);
    if (!step.policy.nodes.empty()) out += fmt::format(" nodes {}", step.policy.nodes);
    for (const string &flag : step.policy.flags) append(out, flag, ' ');
    return out;
  }
  string operator()(const SetPersonality &step) const { return fmt::format("set personality {:#x}", step.personality); }
  string operator()(const SetUmask &step) const { return fmt::format("set umask {:04o}", step.umask); }
  string operator()(const SetApparmorProfile &step) const {
    return fmt::format("exec under AppArmor profile {}", step.profile);
  }
  string operator()(const SetSelinuxLabel &step) const { return fmt::format("exec with label {}", step.label); }
  string operator()(const LoadSeccomp &step) const {
    string out = step.program.empty() ? "load the seccomp filter"
                                      : fmt::format("load a seccomp filter of {} instructions", step.program.size());
    const string flags = set_words(step.flags, seccomp_words);
    if (!flags.empty()) out += fmt::format(", {}", flags);
    if (step.listener) out += ", with a listener";
    return out;
  }
  string operator()(const DropBounding &step) const {
    return fmt::format("drop from the bounding set all but {}", capability_text(step.keep));
  }
  string operator()(const SetUser &step) const {
    string out = fmt::format("become user {}:{}", step.uid, step.gid);
    if (step.keep_groups) return out + ", groups kept";
    if (!step.additional_gids.empty()) out += fmt::format(", groups {}", fmt::join(step.additional_gids, ","));
    return out;
  }
  string operator()(const SetCapabilities &step) const {
    string out = fmt::format("set capabilities permitted {}", capability_text(step.permitted));
    if (step.effective != step.permitted) out += fmt::format("; effective {}", capability_text(step.effective));
    if (step.inheritable != 0) out += fmt::format("; inheritable {}", capability_text(step.inheritable));
    if (step.ambient != 0) out += fmt::format("; ambient {}", capability_text(step.ambient));
    return out;
  }
  string operator()(const ChangeDirectory &step) const {
    return fmt::format("go to {}{}{}", step.path, step.create ? ", made where missing" : "",
                       step.again ? ", where that was denied" : "");
  }
  string operator()(const NoNewPrivileges & /*step*/) const { return "forbid new privileges"; }
};

// ---- lines ----

string printable(string text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::none_of(text, control)) return text;
  string out;
  for (const char c : text) {
    if (control(c)) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

constexpr int field_width = 35;  // "process.rlimits[0] (RLIMIT_NOFILE)" and a blank

string line(std::string_view field, std::string_view text) {
  return printable(fmt::format("{:<{}} {}", field, field_width, text));
}

struct Lines {
  string out;

  void add(std::string_view field, std::string_view text) {
    out += line(field, text);
    out += '\n';
  }
  void add(const std::vector<Step> &steps) {
    for (const Step &step : steps) add(step.field, describe(step.action));
  }

  void add(const Launch &launch) {
    string created = set_words(launch.new_namespaces, namespace_words);
    if (launch.new_time_namespace) append(created, "time");
    if (!created.empty()) add("linux.namespaces", fmt::format("new {}", created));
    for (const Join &join : launch.joins) add(join.field, fmt::format("join {}", join.path));
    if (launch.id_maps) {
      add("linux.uidMappings", fmt::format("map {}", ranges_text(launch.id_maps->uids)));
      add("linux.gidMappings", fmt::format("map {}", ranges_text(launch.id_maps->gids)));
    }
    for (const TimeOffsetLine &offset : launch.time_offsets) {
      add("linux.timeOffsets", fmt::format("shift {} by {} s {} ns", offset.clock, offset.secs, offset.nanosecs));
    }
  }

  void add(const CgroupPlan &cgroup) {
    constexpr std::array<std::string_view, 3> drivers = {"none", "cgroupfs", "systemd"};
    const std::string_view driver = drivers[static_cast<std::size_t>(cgroup.driver)];
    if (cgroup.directories.empty()) add("linux.cgroupsPath", fmt::format("cgroup by {}", driver));
    for (const CgroupDirectory &directory : cgroup.directories) {
      add("linux.cgroupsPath", fmt::format("cgroup {} by {}", directory.path, driver));
    }
    for (const UnitProperty &property : cgroup.unit.properties) {
      add(property.field,
          fmt::format("unit {} with {} = {}", cgroup.unit.name, property.name, print_gvariant(property.value)));
    }
    for (const CgroupWrite &write : cgroup.writes) {
      const string where =
          write.hierarchy < cgroup.directories.size() ? cgroup.directories[write.hierarchy].path : string();
      add(write.field, fmt::format("write {}/{} = {}", where, write.file, write.value));
    }
    if (!cgroup.has_device_rules) return;
    for (const DeviceRule &rule : cgroup.device_rules) add("linux.resources.devices", device_rule(rule));
  }

  static string device_rule(const DeviceRule &rule) {
    const auto number = [](std::int64_t n) { return n < 0 ? string("*") : fmt::format("{}", n); };
    return fmt::format("{} {} {}:{} {}{}{}", rule.allow ? "allow" : "deny", rule.type, number(rule.major),
                       number(rule.minor), rule.read ? "r" : "", rule.write ? "w" : "", rule.mknod ? "m" : "");
  }

  void add(const IntelRdtPlan &rdt) {
    const string group = rdt.group.empty() ? "the default class of service" : "class of service " + rdt.group;
    add("linux.intelRdt", fmt::format("{} {}", rdt.create ? "make and join" : "join", group));
    for (const string &schema : rdt.schemata) add("linux.intelRdt", fmt::format("write schemata = {}", schema));
    if (!rdt.monitor_group.empty()) add("linux.intelRdt", "make and join monitoring group " + rdt.monitor_group);
  }

  void add_outside(const Plan &plan) {
    if (plan.oom_score_adj) add("process.oomScoreAdj", fmt::format("write oom_score_adj = {}", *plan.oom_score_adj));
    add(plan.outer_rlimits);
    for (const auto &[host, inside] : plan.net_devices) {
      add("linux.netDevices", fmt::format("move {} in as {}", host, inside));
    }
    if (plan.intel_rdt) add(*plan.intel_rdt);
  }

  void add(const Program &program, const std::vector<string> &warnings) {
    string fds;
    if (program.preserved_fds > 0) fds = fmt::format(", descriptors 3 to {} open", program.preserved_fds + 2);
    add("process.args",
        fmt::format("exec {} with {} variables{}", fmt::join(program.args, " "), program.env.size(), fds));
    for (const string &warning : warnings) add("warning", warning);
  }
};

}  // namespace

string describe(const Action &action) { return printable(std::visit(Text{}, action)); }

string describe(const Step &step) { return line(step.field, describe(step.action)); }

string describe(const Plan &plan) {
  Lines lines;
  lines.add("container", plan.id);
  lines.add("bundle", plan.bundle);
  lines.add(plan.launch);
  lines.add(plan.cgroup);
  lines.add_outside(plan);
  lines.add(plan.steps);
  lines.add(plan.program, plan.warnings);
  return std::move(lines.out);
}

string describe(const ExecPlan &plan) {
  Lines lines;
  if (plan.oom_score_adj) {
    lines.add("process.oomScoreAdj", fmt::format("write oom_score_adj = {}", *plan.oom_score_adj));
  }
  lines.add(plan.outer_rlimits);
  if (plan.terminal) {
    lines.add("process.terminal", describe(Action(plan.console)));
  }
  lines.add(plan.steps);
  lines.add(plan.program, plan.warnings);
  return std::move(lines.out);
}

}  // namespace skiff
