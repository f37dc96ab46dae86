#include "runtime/plan_mounts.h"

#include <fmt/format.h>
#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "spec/path.h"

// <linux/mount.h> has MOUNT_ATTR_* and most of MS_*; <sys/mount.h> cannot be included beside it.
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256  // Linux 5.10
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000  // Linux 5.14
#endif

namespace skiff {
namespace {

enum class Effect : std::uint8_t {
  nothing,        // defaults, and what only undoes the kernel's default
  set,            // a MOUNT_ATTR_*
  clear,          // the opposite of one
  set_time,       // the access time's mode: one of three, so that it replaces another
  clear_time,     // the opposite of one
  recursive_set,  // the same four, with AT_RECURSIVE
  recursive_clear,
  recursive_set_time,
  recursive_clear_time,
  superblock_set,  // MS_* of the filesystem as a whole
  superblock_clear,
  readonly,  // both
  writable,
  propagation,
  bind,
  recursive_bind,
  remount,
  copy_up,
  copy_symlink,
  source_nofollow,
  destination_nofollow,
  id_map,
  recursive_id_map,
};

struct Option {
  std::string_view name;
  Effect effect;
  std::uint64_t bits = 0;
};

// Sorted by name.
constexpr std::array options = std::to_array<Option>({
    {"async", Effect::superblock_clear, MS_SYNCHRONOUS},
    {"atime", Effect::clear_time, MOUNT_ATTR_NOATIME},
    {"bind", Effect::bind},
    {"copy-symlink", Effect::copy_symlink},
    {"defaults", Effect::nothing},
    {"dest-nofollow", Effect::destination_nofollow},
    {"dev", Effect::clear, MOUNT_ATTR_NODEV},
    {"diratime", Effect::clear_time, MOUNT_ATTR_NODIRATIME},
    {"dirsync", Effect::superblock_set, MS_DIRSYNC},
    {"exec", Effect::clear, MOUNT_ATTR_NOEXEC},
    {"idmap", Effect::id_map},
    {"iversion", Effect::superblock_set, MS_I_VERSION},
    {"lazytime", Effect::superblock_set, MS_LAZYTIME},
    {"loud", Effect::superblock_clear, MS_SILENT},
    {"mand", Effect::superblock_set, MS_MANDLOCK},
    {"noatime", Effect::set_time, MOUNT_ATTR_NOATIME},
    {"nodev", Effect::set, MOUNT_ATTR_NODEV},
    {"nodiratime", Effect::set_time, MOUNT_ATTR_NODIRATIME},
    {"noexec", Effect::set, MOUNT_ATTR_NOEXEC},
    {"noiversion", Effect::superblock_clear, MS_I_VERSION},
    {"nolazytime", Effect::superblock_clear, MS_LAZYTIME},
    {"nomand", Effect::superblock_clear, MS_MANDLOCK},
    {"norelatime", Effect::clear_time, MOUNT_ATTR_RELATIME},
    {"nostrictatime", Effect::clear_time, MOUNT_ATTR_STRICTATIME},
    {"nosuid", Effect::set, MOUNT_ATTR_NOSUID},
    {"nosymfollow", Effect::set, MOUNT_ATTR_NOSYMFOLLOW},
    {"private", Effect::propagation, MS_PRIVATE},
    {"ratime", Effect::recursive_clear_time, MOUNT_ATTR_NOATIME},
    {"rbind", Effect::recursive_bind},
    {"rdev", Effect::recursive_clear, MOUNT_ATTR_NODEV},
    {"rdiratime", Effect::recursive_clear, MOUNT_ATTR_NODIRATIME},
    {"relatime", Effect::set_time, MOUNT_ATTR_RELATIME},
    {"remount", Effect::remount},
    {"rexec", Effect::recursive_clear, MOUNT_ATTR_NOEXEC},
    {"ridmap", Effect::recursive_id_map},
    {"rnoatime", Effect::recursive_set_time, MOUNT_ATTR_NOATIME},
    {"rnodev", Effect::recursive_set, MOUNT_ATTR_NODEV},
    {"rnodiratime", Effect::recursive_set, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", Effect::recursive_set, MOUNT_ATTR_NOEXEC},
    {"rnorelatime", Effect::recursive_clear_time, MOUNT_ATTR_RELATIME},
    {"rnostrictatime", Effect::recursive_clear_time, MOUNT_ATTR_STRICTATIME},
    {"rnosuid", Effect::recursive_set, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", Effect::recursive_set, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", Effect::readonly},
    {"rprivate", Effect::propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", Effect::recursive_set_time, MOUNT_ATTR_RELATIME},
    {"rro", Effect::recursive_set, MOUNT_ATTR_RDONLY},
    {"rrw", Effect::recursive_clear, MOUNT_ATTR_RDONLY},
    {"rshared", Effect::propagation, MS_SHARED | MS_REC},
    {"rslave", Effect::propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", Effect::recursive_set_time, MOUNT_ATTR_STRICTATIME},
    {"rsuid", Effect::recursive_clear, MOUNT_ATTR_NOSUID},
    {"rsymfollow", Effect::recursive_clear, MOUNT_ATTR_NOSYMFOLLOW},
    {"runbindable", Effect::propagation, MS_UNBINDABLE | MS_REC},
    {"rw", Effect::writable},
    {"shared", Effect::propagation, MS_SHARED},
    {"silent", Effect::superblock_set, MS_SILENT},
    {"slave", Effect::propagation, MS_SLAVE},
    {"src-nofollow", Effect::source_nofollow},
    {"strictatime", Effect::set_time, MOUNT_ATTR_STRICTATIME},
    {"suid", Effect::clear, MOUNT_ATTR_NOSUID},
    {"symfollow", Effect::clear, MOUNT_ATTR_NOSYMFOLLOW},
    {"sync", Effect::superblock_set, MS_SYNCHRONOUS},
    {"tmpcopyup", Effect::copy_up},
    {"unbindable", Effect::propagation, MS_UNBINDABLE},
});
static_assert(std::ranges::is_sorted(options, {}, &Option::name));

constexpr auto option_names = [] {
  std::array<std::string_view, options.size()> names;
  std::ranges::transform(options, names.begin(), &Option::name);
  return names;
}();

const Option *find_option(std::string_view name) {
  const auto *const found = std::ranges::lower_bound(options, name, {}, &Option::name);
  return found != options.end() && found->name == name ? found : nullptr;
}

// What the options said, before the kind of mount gives it a meaning.
struct Wanted {
  MountStep step;
  bool bind = false;
  bool remount = false;
  bool attribute_named = false;  // any option that a remount of mount(2) would act on
  std::string own_id_map;        // what follows "idmap="
};

void change(MountAttributes &attributes, std::uint64_t set, std::uint64_t clear) {
  attributes.set = (attributes.set & ~clear) | set;
  attributes.clear = (attributes.clear & ~set) | clear;
}

// The mode of the access time is one value in a field of bits: mount_setattr(2) wants the whole field cleared with it.
// MOUNT_ATTR_RELATIME is 0. Nodiratime is a bit of its own.
void set_time(MountAttributes &attributes, std::uint64_t mode) {
  if (mode == MOUNT_ATTR_NODIRATIME) return change(attributes, mode, 0);
  attributes.set = (attributes.set & ~std::uint64_t{MOUNT_ATTR__ATIME}) | mode;
  attributes.clear |= MOUNT_ATTR__ATIME;
}

// Undoes only that mode: "strictatime,norelatime" stays strict.
void unset_time(MountAttributes &attributes, std::uint64_t mode) {
  if (mode == MOUNT_ATTR_NODIRATIME) {
    attributes.set &= ~mode;
  } else if ((attributes.set & MOUNT_ATTR__ATIME) == mode) {
    attributes.set &= ~std::uint64_t{MOUNT_ATTR__ATIME};
  }
}

void apply_attribute(const Option &option, Wanted &wanted) {
  MountStep &step = wanted.step;
  switch (option.effect) {
    case Effect::set:
      return change(step.attributes, option.bits, 0);
    case Effect::clear:
      return change(step.attributes, 0, option.bits);
    case Effect::set_time:
      return set_time(step.attributes, option.bits);
    case Effect::clear_time:
      return unset_time(step.attributes, option.bits);
    case Effect::readonly:
      step.superblock_flags |= MS_RDONLY;
      return change(step.attributes, MOUNT_ATTR_RDONLY, 0);
    case Effect::writable:
      step.superblock_flags &= ~std::uint64_t{MS_RDONLY};
      return change(step.attributes, 0, MOUNT_ATTR_RDONLY);
    case Effect::recursive_set:
      return change(step.recursive_attributes, option.bits, 0);
    case Effect::recursive_clear:
      return change(step.recursive_attributes, 0, option.bits);
    case Effect::recursive_set_time:
      return set_time(step.recursive_attributes, option.bits);
    case Effect::recursive_clear_time:
      unset_time(step.recursive_attributes, option.bits);
      step.recursive_attributes.clear |= MOUNT_ATTR__ATIME;
      return;
    default:
      return;
  }
}

bool is_attribute(Effect effect) {
  return (effect >= Effect::set && effect <= Effect::clear_time) || effect == Effect::readonly ||
         effect == Effect::writable;
}

void apply_order(const Option &option, Wanted &wanted) {
  MountStep &step = wanted.step;
  switch (option.effect) {
    case Effect::superblock_set:
      step.superblock_flags |= option.bits;
      return;
    case Effect::superblock_clear:
      step.superblock_flags &= ~option.bits;
      return;
    case Effect::propagation:
      step.propagation.push_back(option.bits);
      return;
    case Effect::recursive_bind:
      step.recursive = true;
      [[fallthrough]];
    case Effect::bind:
      wanted.bind = true;
      return;
    case Effect::remount:
      wanted.remount = true;
      return;
    case Effect::copy_up:
      step.copy_up = true;
      return;
    case Effect::copy_symlink:
      step.copy_symlink = true;
      return;
    case Effect::source_nofollow:
      step.source_nofollow = true;
      return;
    case Effect::destination_nofollow:
      step.destination_nofollow = true;
      return;
    case Effect::recursive_id_map:
      step.id_map_recursive = true;
      [[fallthrough]];
    case Effect::id_map:
      step.id_map_of_container = true;
      return;
    default:
      return;
  }
}

// SELinux labels hold commas, so callers write context="a:b:c:s0:c1,c2"; the quotes are for the list, not for fsconfig.
std::string without_quotes(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return std::string(value);
}

void apply_option(std::string_view word, Wanted &wanted) {
  if (word.empty()) return;
  if (const Option *const option = find_option(word)) {
    wanted.attribute_named = wanted.attribute_named || is_attribute(option->effect);
    apply_attribute(*option, wanted);
    apply_order(*option, wanted);
    return;
  }
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    wanted.step.options.emplace_back(word, "");
    return;
  }
  const std::string_view key = word.substr(0, equals);
  if (key == "idmap" || key == "ridmap") {
    wanted.own_id_map = word.substr(equals + 1);
    wanted.step.id_map_recursive = key == "ridmap";
    return;
  }
  wanted.step.options.emplace_back(key, without_quotes(word.substr(equals + 1)));
}

// One string may hold several, as the fifth argument of mount(2) would. A comma in double quotes or after a backslash
// is part of a value (SELinux labels; overlay's directories).
void apply_options(std::string_view list, Wanted &wanted) {
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (list[i] == '\\') ++i;
    if (i >= list.size() || list[i] != ',' || quoted || (i > 0 && list[i - 1] == '\\')) continue;
    apply_option(list.substr(start, i - start), wanted);
    start = i + 1;
  }
  apply_option(list.substr(start), wanted);
}

// ---- id mappings ----

std::optional<std::uint32_t> take_number(std::string_view &text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view &text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "@0-1-10": the second number is one of the container's ids, which the container's own mapping leads to the host's.
Result<std::uint32_t> host_id(std::uint32_t id, const std::vector<spec::IdMapping> &container) {
  for (const spec::IdMapping &range : container) {
    if (id >= range.container_id && id - range.container_id < range.size)
      return range.host_id + (id - range.container_id);
  }
  return fail(fmt::format("id {} is not mapped in the container's user namespace", id),
              "leave out the @, or map the id in linux.uidMappings and linux.gidMappings");
}

// "0-1-10#10-11-10": filesystem's id, host's id, count.
Result<std::vector<spec::IdMapping>> parse_ranges(std::string_view text,
                                                  const std::vector<spec::IdMapping> &container) {
  const std::string_view whole = text;
  const auto refuse = [&] {
    return fail(fmt::format("\"{}\" is no id mapping", whole), "write it as FROM-TO-COUNT, several joined with #");
  };
  std::vector<spec::IdMapping> ranges;
  while (!text.empty()) {
    const bool relative = take(text, '@');
    const auto from = take_number(text);
    if (!from || !take(text, '-')) return refuse();
    auto to = take_number(text);
    if (!to || !take(text, '-')) return refuse();
    const auto count = take_number(text);
    if (!count || *count == 0) return refuse();
    if (relative) to = TRY(host_id(*to, container));
    ranges.push_back({.container_id = *from, .host_id = *to, .size = *count});
    if (!text.empty() && !take(text, '#')) return refuse();
  }
  if (ranges.empty()) return refuse();
  return ranges;
}

// "uids=0-1-10;gids=0-100-10", as crun and Podman write it.
Result<IdMaps> parse_own_id_map(std::string_view text, const spec::Linux &linux_) {
  IdMaps maps;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.starts_with("uids=")) {
      maps.uids = TRY(parse_ranges(part.substr(5), linux_.uid_mappings));
    } else if (part.starts_with("gids=")) {
      maps.gids = TRY(parse_ranges(part.substr(5), linux_.gid_mappings));
    } else {
      return fail(fmt::format("\"{}\" is no id mapping", part), "write it as idmap=uids=0-1000-1;gids=0-1000-1");
    }
  }
  if (maps.uids.empty() || maps.gids.empty()) {
    return fail("an id mapping needs uids and gids", "write it as idmap=uids=0-1000-1;gids=0-1000-1");
  }
  return maps;
}

// config.md, "Linux mount options", idmap: the mount's own mappings, else the container's, else an error.
Status choose_id_maps(const spec::Mount &mount, const MountContext &context, Wanted &wanted) {
  MountStep &step = wanted.step;
  if (!wanted.own_id_map.empty()) {
    step.id_maps = TRY(in(".options: idmap", parse_own_id_map(wanted.own_id_map, *context.linux_)));
  } else if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty()) {
    if (mount.uid_mappings.empty() || mount.gid_mappings.empty()) {
      return fail(mount.uid_mappings.empty() ? ".uidMappings: missing beside gidMappings"
                                             : ".gidMappings: missing beside uidMappings");
    }
    step.id_maps = IdMaps{.uids = mount.uid_mappings, .gids = mount.gid_mappings};
  } else if (step.id_map_of_container && !context.user_namespace) {
    return fail(".options: idmap has no mapping to apply",
                "give the mount uidMappings and gidMappings, or the container a user namespace");
  }
  if (step.id_maps) step.id_map_of_container = false;
  return {};
}

// ---- the kinds ----

// Superblocks that other mounts share (sysfs and mqueue per namespace, cgroup per hierarchy) or that the container
// gets anew with every mount (proc, devpts, tmpfs): "ro" is an attribute of the mount there. A read-only superblock
// would reach beyond the container, or refuse the mount points and nodes still to be made, and protects no more: who
// may clear the attribute (CAP_SYS_ADMIN) may reconfigure the superblock too. On everything else both are set, as
// mount(2) does: a read-only block device or an overlay without upper directory mounts in no other way.
bool readonly_by_attribute(std::string_view type) {
  constexpr std::array<std::string_view, 8> types = {"cgroup", "cgroup2", "devpts", "mqueue",
                                                     "proc",   "ramfs",   "sysfs",  "tmpfs"};
  return std::ranges::find(types, type) != types.end();
}

void finish_filesystem(const spec::Mount &mount, const MountContext &context, MountStep &step) {
  step.kind = mount.type == "cgroup" ? MountStep::Kind::cgroup : MountStep::Kind::filesystem;
  step.type = mount.type;
  step.source = mount.source;
  if (readonly_by_attribute(mount.type)) step.superblock_flags &= ~std::uint64_t{MS_RDONLY};
  step.attributes.clear = 0;  // a new mount has nothing to clear
  const bool late = mount.type == "tmpfs" || step.destination == "/dev";
  step.readonly_last = late && (step.attributes.set & MOUNT_ATTR_RDONLY) != 0;
  // These label their inodes themselves and refuse context=.
  constexpr std::array<std::string_view, 5> own_labels = {"cgroup", "cgroup2", "mqueue", "proc", "sysfs"};
  if (std::ranges::find(own_labels, mount.type) == own_labels.end()) {
    step.data_label = context.linux_->mount_label;
    step.data_label_option = context.label_option;
  }
}

// The kernel maps no filesystem that a user namespace has mounted for itself (can_idmap_mount() of fs/namespace.c).
Status check_new_id_maps(const MountStep &step, const MountContext &context) {
  if (!step.id_maps || !context.user_namespace) return {};
  return fail(".uidMappings: a filesystem that is made in the container's user namespace cannot be id-mapped",
              "leave out the mappings: its ids are the container's own");
}

// A bind mount inherits the attributes of its source. Callers know the remount of mount(2), which sets exactly the
// attributes named; only where it names none does everything stay. Options that clear a mode of the access time, alone,
// change nothing there, but one that sets a mode replaces it and nodiratime.
void finish_bind_attributes(const Wanted &wanted, MountStep &step) {
  if (!wanted.attribute_named) return;
  MountAttributes &attributes = step.attributes;
  const bool time = (attributes.clear & MOUNT_ATTR__ATIME) != 0 || (attributes.set & MOUNT_ATTR_NODIRATIME) != 0;
  if (time) {
    attributes.clear |= MOUNT_ATTR__ATIME;
    if ((attributes.set & MOUNT_ATTR_NODIRATIME) == 0) attributes.clear |= MOUNT_ATTR_NODIRATIME;
  }
  if ((attributes.set & MOUNT_ATTR_NOSYMFOLLOW) == 0) attributes.clear |= MOUNT_ATTR_NOSYMFOLLOW;  // never locked
  constexpr std::uint64_t lockable = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  step.clear_unless_locked = lockable & ~(attributes.set | attributes.clear);
}

void finish_bind(const spec::Mount &mount, const MountContext &context, const Wanted &wanted, MountStep &step) {
  step.kind = MountStep::Kind::bind;
  step.type = "bind";
  const bool absolute = mount.source.starts_with('/');
  step.source = spec::clean_path(absolute ? mount.source : fmt::format("{}/{}", context.bundle, mount.source));
  step.superblock_flags = 0;  // the source's superblock belongs to others
  step.options.clear();       // and its filesystem's options were given elsewhere
  finish_bind_attributes(wanted, step);
}

std::string inside(std::string destination, std::string_view rootfs) {
  const bool below = rootfs.size() > 1 && destination.size() > rootfs.size() && destination.starts_with(rootfs) &&
                     destination[rootfs.size()] == '/';
  return below ? destination.substr(rootfs.size()) : destination;
}

}  // namespace

std::span<const std::string_view> known_mount_options() { return option_names; }

std::uint64_t parse_propagation(std::string_view word) {
  const Option *const option = find_option(word);
  return option != nullptr && option->effect == Effect::propagation ? option->bits : 0;
}

Result<MountStep> make_mount_step(const spec::Mount &mount, const MountContext &context) {
  Wanted wanted;
  for (const std::string &option : mount.options) apply_options(option, wanted);
  MountStep &step = wanted.step;
  step.destination = inside(spec::clean_path(mount.destination), context.rootfs);
  TRY(choose_id_maps(mount, context, wanted));
  const bool no_type = mount.type.empty() || mount.type == "none";
  if (mount.type == "rbind") step.recursive = true;
  if (wanted.remount || (no_type && !wanted.bind && !step.propagation.empty())) {
    step.kind = MountStep::Kind::remount;
    if (wanted.bind) step.superblock_flags = 0;
  } else if (wanted.bind || mount.type == "bind" || mount.type == "rbind") {
    finish_bind(mount, context, wanted, step);
  } else if (no_type) {
    return fail(".type: missing", "name a filesystem, or add \"bind\" or \"rbind\" to the options");
  } else {
    finish_filesystem(mount, context, step);
    TRY(check_new_id_maps(step, context));
  }
  return std::move(step);
}

}  // namespace skiff
