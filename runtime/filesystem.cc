#include "runtime/filesystem.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/kernel/mount.h"

namespace skiff {
namespace {

// fsconfig(2) takes no longer string.
constexpr std::size_t max_option = 255;

struct SuperblockFlag {
  std::uint64_t flag;
  const char *name;
};
constexpr std::array superblock_flags{
    SuperblockFlag{MS_RDONLY, "ro"},       SuperblockFlag{MS_SYNCHRONOUS, "sync"},
    SuperblockFlag{MS_DIRSYNC, "dirsync"}, SuperblockFlag{MS_LAZYTIME, "lazytime"},
    SuperblockFlag{MS_MANDLOCK, "mand"},   SuperblockFlag{MS_I_VERSION, "iversion"},
};

// fsconfig(2) has no word for MS_I_VERSION that every filesystem takes. Those that number versions do so unasked (xfs,
// btrfs; ext4 since Linux 6.0, tmpfs since 6.6), so what is refused here is there or cannot be had.
Status set_superblock_flag(const kernel::Fd &context, const SuperblockFlag &flag) {
  Status set = kernel::fsconfig_set_flag(context, flag.name);
  if (!set && flag.flag == MS_I_VERSION && set.error().number == EINVAL) return {};
  return set;
}

// The lower directories of an overlay one by one, where the list is too long for one string.
Status set_lower_directories(const kernel::Fd &context, std::string_view list) {
  while (!list.empty()) {
    const auto end = list.find(':');
    TRY(remedy("a list of more than 255 bytes takes \"lowerdir+\" (Linux 6.7): use shorter paths",
               kernel::fsconfig_set_string(context, "lowerdir+", std::string(list.substr(0, end)))));
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
  return {};
}

Status set_option(const kernel::Fd &context, const std::string &key, const std::string &value) {
  if (value.empty()) return kernel::fsconfig_set_flag(context, key);
  if (key == "lowerdir" && value.size() > max_option) return set_lower_directories(context, value);
  return kernel::fsconfig_set_string(context, key, value);
}

Status configure(const kernel::Fd &context, const Filesystem &filesystem) {
  if (!filesystem.source.empty()) TRY(kernel::fsconfig_set_string(context, "source", filesystem.source));
  for (const SuperblockFlag &each : superblock_flags) {
    if ((filesystem.superblock_flags & each.flag) != 0) TRY(set_superblock_flag(context, each));
  }
  for (const auto &[key, value] : filesystem.options) {
    TRY(in("option " + key + (value.empty() ? "" : "=" + value), set_option(context, key, value)));
  }
  return kernel::fsconfig_create(context);
}

// What each filesystem asks of a user namespace: it must own the other namespace that the filesystem shows.
struct Ownership {
  std::string_view type;
  std::string_view remedy;
};
constexpr std::array ownerships{
    Ownership{"proc",
              "a new procfs takes a pid namespace of this user namespace, and a /proc outside of which nothing is "
              "masked: add a pid namespace, or bind the host's /proc"},
    Ownership{"sysfs",
              "a new sysfs takes a network namespace of this user namespace: add a network namespace, or bind the "
              "host's /sys (rbind, ro)"},
    Ownership{"mqueue", "a new mqueue takes an ipc namespace of this user namespace: add an ipc namespace"},
    Ownership{"cgroup2", "a new cgroup2 takes a cgroup namespace of this user namespace: add a cgroup namespace"},
    Ownership{"cgroup", "a new cgroup mount takes a cgroup namespace of this user namespace: add a cgroup namespace"},
};

std::string_view permission_remedy(std::string_view type) {
  const auto found = std::ranges::find(ownerships, type, &Ownership::type);
  if (found != ownerships.end()) return found->remedy;
  return "this kernel lets only the host's root mount this filesystem: mount it on the host and bind it";
}

bool names_an_owner(const Filesystem &filesystem) {
  return std::ranges::any_of(filesystem.options,
                             [](const auto &option) { return option.first == "gid" || option.first == "uid"; });
}

Error explain(const Filesystem &filesystem, Error error) {
  if (!error.remedy.empty()) return error;
  if (error.number == EPERM || error.number == EACCES) error.remedy = permission_remedy(filesystem.type);
  if (error.number == ENODEV) error.remedy = "this kernel has no such filesystem, or its module is not loaded";
  if (error.number == EINVAL && filesystem.user_namespace && names_an_owner(filesystem)) {
    error.remedy =
        "the ids of the options uid and gid must be mapped in the container's user namespace: "
        "map them, or leave the options out";
  }
  return error;
}

Result<kernel::Fd> make_mount(const Filesystem &filesystem) {
  const auto context = TRY(kernel::fsopen(filesystem.type));
  TRY(configure(context, filesystem));
  return kernel::fsmount(context, filesystem.attributes);
}

}  // namespace

Result<kernel::Fd> make_filesystem(const Filesystem &filesystem) {
  auto mount = make_mount(filesystem);
  if (!mount) return std::unexpected(explain(filesystem, std::move(mount).error()));
  return mount;
}

}  // namespace skiff
